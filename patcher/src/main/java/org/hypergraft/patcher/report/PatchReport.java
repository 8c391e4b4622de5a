package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import org.hypergraft.patcher.rewrite.Patcher;

/** What a patch did. */
public final class PatchReport implements Document {
  private final Patcher.Result result;
  private final String input;
  private final String output;
  private final int size;
  private final PlanReport plan;

  /**
   * A report on a patch.
   *
   * @param output where it was written; null for nowhere
   * @param size bytes of the output
   */
  public PatchReport(Patcher.Result result, String input, String output, int size) {
    this.size = size;
    this.result = result;
    this.input = input;
    this.output = output;
    plan = new PlanReport(result.plan());
  }

  @Override
  public void text(PrintWriter out) {
    out.println("image        " + input);
    if (result.alreadyPatched()) {
      out.println("note         it was patched with these options already; nothing changes");
    }
    plan.text(out);
    out.println();
    out.println(
        output == null ? "nothing written" : "written to " + output + ", " + Text.size(size));
  }

  @Override
  public Json json() {
    return plan.json()
        .put("image", input)
        .put("output", output)
        .put("size", size)
        .put("alreadyPatched", result.alreadyPatched());
  }
}
