package org.hypergraft.patcher.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;

/**
 * What a patched image can no longer do without. Items are {@code hypervisor NAME}, {@code cpus N},
 * {@code feature NAME NUMBER} and {@code no-feature NAME NUMBER}.
 */
final class Requirements {
  private Requirements() {}

  static List<String> of(SiteMap sites, Facts facts, PlanOptions options) {
    List<String> out = new ArrayList<>();
    boolean decided = facts.knowsMitigations() && facts.decidesCpuAlternatives();
    boolean healed = sites.paravirt().isPresent() && !options.seal();
    if (options.target() != Target.NATIVE && !healed) {
      out.add("hypervisor " + options.target().id());
    }
    if (options.uniprocessor() || (options.seal() && mixesLocks(sites, facts, options))) {
      out.add("cpus 1");
    } else if (!healed && replacesLocks(sites, facts)) {
      out.add("paravirtual-locks");
    }
    if (decided && sites.alternatives().isPresent()) {
      addFeatures(sites, facts, sites.alternatives().get(), out);
    }
    return out;
  }

  /**
   * Whether the image keeps the native locks only because there was one CPU. With more, the guest
   * sets up its hypervisor's locks for modules; their waiters sleep until the releasing side wakes
   * them, which native code does not.
   */
  private static boolean mixesLocks(SiteMap sites, Facts facts, PlanOptions options) {
    boolean hasOwnLocks =
        options.target() == Target.KVM
            || options.target() == Target.HYPERV
            || options.target() == Target.XEN_PVH;
    return hasOwnLocks && facts.presentCpus().orElse(0) == 1 && !replacesLocks(sites, facts);
  }

  /** Whether the image takes locks in a way that only its hypervisor's support code sets up. */
  private static boolean replacesLocks(SiteMap sites, Facts facts) {
    return sites
        .pvOps()
        .flatMap(o -> o.slot("lock.queued_spin_lock_slowpath"))
        .map(PvOps.Slot::index)
        .filter(
            i -> {
              Facts.Function f = facts.slot(i);
              return f.known() && f.function() != sites.pvOps().orElseThrow().slot(i).initial();
            })
        .isPresent();
  }

  private static void addFeatures(
      SiteMap sites, Facts facts, AlternativeTable t, List<String> out) {
    TreeSet<Integer> features = new TreeSet<>();
    for (int i = 0; i < t.entries(); i++) {
      if (t.feature(i) != CpuFeature.ALWAYS) {
        features.add(t.feature(i));
      }
    }
    for (int feature : features) {
      Tri has = facts.has(feature);
      if (has != Tri.UNKNOWN) {
        out.add(
            "%s %s %d"
                .formatted(
                    has == Tri.YES ? "feature" : "no-feature",
                    sites.features().name(feature),
                    feature));
      }
    }
  }
}
