package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.hypergraft.patcher.plan.Assumptions;
import org.hypergraft.patcher.plan.Target;

/** The targets and the assumptions that go with each. */
public final class TargetsReport implements Document {
  private static final int WIDTH = 78;

  @Override
  public void text(PrintWriter out) {
    TextTable table = new TextTable("target", "stands for", "possible CPUs");
    for (Target t : Target.values()) {
      table.row(t.id(), t.description(), cpus(Assumptions.defaults(t)));
    }
    table.print(out, "");
    for (Target t : Target.values()) {
      Set<String> known = Assumptions.knownFeatures(t);
      if (!known.isEmpty()) {
        Assumptions defaults = Assumptions.defaults(t);
        out.println();
        out.println(t.id() + " features (--assume features=NAME,...; * assumed by default):");
        List<String> names = new ArrayList<>();
        for (String name : known) {
          names.add(assumed(defaults, name) ? name + "*" : name);
        }
        wrap(out, names);
      }
    }
  }

  @Override
  public Json json() {
    return new Json()
        .list(
            "targets",
            List.of(Target.values()),
            t ->
                new Json()
                    .put("target", t.id())
                    .put("description", t.description())
                    .put("assumed", Assumptions.defaults(t).toString())
                    .put("features", Assumptions.knownFeatures(t)));
  }

  private static String cpus(Assumptions a) {
    return a.cpus().isEmpty() ? "any" : a.cpus().getAsInt() > 1 ? "several" : "one";
  }

  private static boolean assumed(Assumptions a, String feature) {
    return a.features().isPresent() && a.features().get().contains(feature);
  }

  private static void wrap(PrintWriter out, List<String> words) {
    StringBuilder line = new StringBuilder(" ");
    for (String word : words) {
      if (line.length() + 1 + word.length() > WIDTH) {
        out.println(line);
        line = new StringBuilder(" ");
      }
      line.append(' ').append(word);
    }
    out.println(line);
  }
}
