package org.hypergraft.patcher.plan;

import static org.hypergraft.patcher.plan.Stage.ALTERNATIVES;
import static org.hypergraft.patcher.plan.Stage.CALLS;
import static org.hypergraft.patcher.plan.Stage.ENDBR;
import static org.hypergraft.patcher.plan.Stage.LOCKS;
import static org.hypergraft.patcher.plan.Stage.PARAVIRT;
import static org.hypergraft.patcher.plan.Stage.RETPOLINES;
import static org.hypergraft.patcher.plan.Stage.RETURNS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.annotator.site.SiteMap;

/**
 * The order in which {@code alternative_instructions()} applies the tables (Linux {@code
 * arch/x86/kernel/alternative.c}). Which one a kernel has is read from that function's code: the
 * order in which it loads the tables' borders.
 */
enum PatchOrder {
  /** Before 5.12 paravirtual calls come last; their sites overlap no alternative. */
  PARAVIRT_LAST(RETPOLINES, RETURNS, ALTERNATIVES, LOCKS, PARAVIRT),
  /** Later: alternatives overlay paravirtual calls; since 6.8 those are alternatives themselves. */
  PARAVIRT_FIRST(PARAVIRT, RETPOLINES, RETURNS, ALTERNATIVES, CALLS, ENDBR, LOCKS),
  /** Seen in 7.2. */
  CALLS_FIRST(RETPOLINES, RETURNS, CALLS, ALTERNATIVES, ENDBR, LOCKS);

  private final List<Stage> stages;

  PatchOrder(Stage... stages) {
    this.stages = List.of(stages);
  }

  /** The steps, first to last. */
  List<Stage> stages() {
    return stages;
  }

  /**
   * The order of a kernel.
   *
   * @throws ImageException when its code has an order that is none of these
   */
  static PatchOrder of(SiteMap sites) {
    List<Stage> found = observed(sites);
    if (found.isEmpty()) {
      return byTables(sites);
    }
    return Arrays.stream(values())
        .filter(o -> o.stages.stream().filter(found::contains).toList().equals(found))
        .findFirst()
        .orElseThrow(
            () ->
                new ImageException(
                    "%s: %s applies its tables in an order that is not known:"
                            .formatted(sites.image().name(), FunctionCode.PATCHING)
                        + " "
                        + found.stream()
                            .map(s -> s.name().toLowerCase(Locale.ROOT))
                            .collect(Collectors.joining(", "))));
  }

  /** Without the function's code: by what the tables are. */
  private static PatchOrder byTables(SiteMap sites) {
    boolean newer =
        sites.pvOps().flatMap(o -> o.slot("init.patch")).isEmpty()
            || sites
                .alternatives()
                .filter(t -> t.layout() == AlternativeTable.Layout.SEPARATE_FLAGS)
                .isPresent();
    return newer ? PARAVIRT_FIRST : PARAVIRT_LAST;
  }

  /** The steps whose tables the function is seen to load, in that order. */
  static List<Stage> observed(SiteMap sites) {
    List<Stage> out = new ArrayList<>();
    for (PatchingCode.Step step : PatchingCode.read(sites)) {
      if (!out.contains(step.stage())) {
        out.add(step.stage());
      }
    }
    return out;
  }
}
