package org.hypergraft.patcher.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.hypergraft.annotator.abi.KvmAbi;

/**
 * What is taken for granted about the environment, beyond the target's name. Recorded in the
 * output.
 *
 * @param features what the hypervisor offers: exactly these, or empty when nothing is known
 * @param cpus possible CPUs; only "one" or "more" matters; empty when not known
 */
public record Assumptions(Optional<Set<String>> features, OptionalInt cpus) {
  /**
   * The guest runs on a CPU that lets it use MONITOR/MWAIT: KVM guests then flush TLBs natively.
   */
  public static final String MWAIT = "mwait";

  /** The CPU has the LKGS instruction: kernels that know it (6.12) then load GS another way. */
  static final String LKGS = "lkgs";

  /** Hyper-V: hints and features that its spin locks and TLB flushes need. */
  static final String HV_CLUSTER_IPI = "cluster-ipi";

  static final String HV_GUEST_IDLE = "guest-idle";
  static final String HV_REMOTE_TLB_FLUSH = "remote-tlb-flush";

  /** Xen: the hypercall that tells of dying page tables. */
  static final String XEN_PAGETABLE_DYING = "pagetable-dying";

  public Assumptions {
    features = features.map(f -> java.util.Collections.unmodifiableSet(new TreeSet<>(f)));
  }

  /**
   * The documented defaults: several CPUs, and for KVM what QEMU offers a guest of {@code -cpu
   * host} today.
   */
  public static Assumptions defaults(Target target) {
    Set<String> features = new TreeSet<>();
    switch (target) {
      case KVM -> {
        for (KvmAbi.Feature f :
            List.of(
                KvmAbi.Feature.CLOCKSOURCE,
                KvmAbi.Feature.NOP_IO_DELAY,
                KvmAbi.Feature.CLOCKSOURCE2,
                KvmAbi.Feature.ASYNC_PF,
                KvmAbi.Feature.STEAL_TIME,
                KvmAbi.Feature.PV_EOI,
                KvmAbi.Feature.PV_UNHALT,
                KvmAbi.Feature.PV_TLB_FLUSH,
                KvmAbi.Feature.PV_SEND_IPI,
                KvmAbi.Feature.PV_SCHED_YIELD,
                KvmAbi.Feature.ASYNC_PF_INT,
                KvmAbi.Feature.CLOCKSOURCE_STABLE)) {
          features.add(f.id());
        }
      }
      case HYPERV -> features.addAll(List.of(HV_CLUSTER_IPI, HV_GUEST_IDLE, HV_REMOTE_TLB_FLUSH));
      default -> {}
    }
    return new Assumptions(Optional.of(features), OptionalInt.of(2));
  }

  /** The same with another number of CPUs. */
  public Assumptions withCpus(int n) {
    return new Assumptions(features, OptionalInt.of(n));
  }

  /** The same with another feature set; empty = unknown. */
  public Assumptions withFeatures(Optional<Set<String>> other) {
    return new Assumptions(other, cpus);
  }

  /**
   * Reads {@code features=a,b,cpus=N}. What is not mentioned keeps the target's default; {@code
   * none} takes an assumption away.
   *
   * @throws IllegalArgumentException with one sentence about the first thing that is wrong
   */
  public static Assumptions parse(String text, Target target) {
    Assumptions result = defaults(target);
    List<String> features = null;
    boolean inFeatures = false;
    for (String token : text.split(",", -1)) {
      String value = token.strip();
      int eq = value.indexOf('=');
      if (eq >= 0) {
        String key = value.substring(0, eq);
        value = value.substring(eq + 1);
        inFeatures = key.equals("features");
        if (key.equals("cpus")) {
          result = new Assumptions(result.features, cpus(value));
          continue;
        }
        if (!inFeatures) {
          throw new IllegalArgumentException(
              "unknown assumption '%s'; there are features=NAME,... and cpus=N".formatted(key));
        }
        features = new ArrayList<>();
      }
      if (!inFeatures) {
        throw new IllegalArgumentException(
            "assumption '%s' belongs to nothing; expected features=NAME,... or cpus=N"
                .formatted(value));
      }
      if (!value.isEmpty()) {
        features.add(value.replace('_', '-'));
      }
    }
    if (features == null) {
      return result;
    }
    if (features.contains("none")) {
      if (features.size() > 1) {
        throw new IllegalArgumentException("features=none excludes every other feature");
      }
      return result.withFeatures(Optional.empty());
    }
    Set<String> known = knownFeatures(target);
    for (String f : features) {
      if (!known.contains(f)) {
        throw new IllegalArgumentException(
            "unknown feature '%s' for target %s; known: %s"
                .formatted(f, target.id(), known.isEmpty() ? "none" : String.join(", ", known)));
      }
    }
    return result.withFeatures(Optional.of(new TreeSet<>(features)));
  }

  private static OptionalInt cpus(String value) {
    if (value.equals("none")) {
      return OptionalInt.empty();
    }
    if (!value.matches("[1-9][0-9]{0,3}")) {
      throw new IllegalArgumentException(
          "cpus=%s: expected a number from 1 to 9999, or none".formatted(value));
    }
    return OptionalInt.of(Integer.parseInt(value));
  }

  /** The names that {@code features=} accepts. */
  public static Set<String> knownFeatures(Target target) {
    Set<String> out = new TreeSet<>();
    if (target != Target.XEN_PV) {
      out.add(LKGS);
    }
    switch (target) {
      case KVM -> {
        for (KvmAbi.Feature f : KvmAbi.Feature.values()) {
          out.add(f.id());
        }
        out.add(MWAIT);
      }
      case HYPERV -> out.addAll(List.of(HV_CLUSTER_IPI, HV_GUEST_IDLE, HV_REMOTE_TLB_FLUSH));
      case XEN_PVH -> out.add(XEN_PAGETABLE_DYING);
      default -> {}
    }
    return out;
  }

  /** Whether a feature is there. */
  Tri has(String feature) {
    return features.map(f -> Tri.of(f.contains(feature))).orElse(Tri.UNKNOWN);
  }

  /** Whether there may be more than one CPU. */
  Tri severalCpus() {
    return cpus.isPresent() ? Tri.of(cpus.getAsInt() > 1) : Tri.UNKNOWN;
  }

  /** Canonical form, accepted by {@link #parse}. */
  @Override
  public String toString() {
    return "features="
        + features.map(f -> String.join(",", f)).orElse("none")
        + ",cpus="
        + (cpus.isPresent() ? String.valueOf(cpus.getAsInt()) : "none");
  }
}
