package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.hypergraft.patcher.plan.Assumptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuModels;

/** The targets and the assumptions that go with each. */
public final class TargetsReport implements Document {
  private static final int WIDTH = 78;

  /** Vendors by model, in the order of the models. */
  private static final Map<String, List<String>> MODELS =
      CpuModels.all().stream()
          .collect(
              Collectors.groupingBy(
                  CpuModel::name,
                  LinkedHashMap::new,
                  Collectors.mapping(m -> m.vendor().id(), Collectors.toList())));

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
    out.println();
    out.println("processor models (--cpu MODEL, --cpu-vendor VENDOR):");
    List<String> models = new ArrayList<>();
    MODELS.forEach((name, vendors) -> models.add(name + " (" + String.join(", ", vendors) + ")"));
    wrap(out, models);
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
                    .put("features", Assumptions.knownFeatures(t)))
        .list(
            "processors",
            MODELS.entrySet(),
            e -> new Json().put("model", e.getKey()).put("vendors", e.getValue()));
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
