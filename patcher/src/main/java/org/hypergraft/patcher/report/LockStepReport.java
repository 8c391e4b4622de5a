package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import org.hypergraft.vmm.observe.LockStep;

/** What two machines in lock-step agreed on, or not. */
public record LockStepReport(String image, LockStep.Result result) implements Document {
  @Override
  public void text(PrintWriter out) {
    if (result.equal()) {
      out.printf(
          "lockstep: equal at %s up to instruction %s, where %s%n",
          Text.count(result.comparisons(), "comparison"),
          Text.number(result.instructions()),
          result.ending());
    } else {
      out.print(result.difference());
      out.printf(
          "lockstep: the engines differ after instruction %s%n",
          Text.number(result.instructions()));
    }
  }

  @Override
  public Json json() {
    return new Json()
        .put("image", image)
        .put("equal", result.equal())
        .put("instructions", result.instructions())
        .put("comparisons", result.comparisons())
        .put("ending", result.ending())
        .put("difference", result.difference());
  }
}
