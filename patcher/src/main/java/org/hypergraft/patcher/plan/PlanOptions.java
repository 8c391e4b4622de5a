package org.hypergraft.patcher.plan;

import java.util.Locale;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.profile.Profile;

/**
 * What the user asked for.
 *
 * @param target the interface to commit to
 * @param assumptions what it rests on; not used with a profile
 * @param cpuVendor whose hypercall instruction to write; empty leaves those sites to the guest
 * @param profile what a boot decided; then it alone decides
 * @param seal no table of the sealed kind may cause a text write at boot; needs a profile
 * @param uniprocessor lock prefixes may go
 */
public record PlanOptions(
    Target target,
    Assumptions assumptions,
    Optional<CpuVendor> cpuVendor,
    Optional<Profile> profile,
    boolean seal,
    boolean uniprocessor) {

  public PlanOptions {
    if (seal && profile.isEmpty()) {
      throw new IllegalArgumentException(
          "sealing needs a profile: only what a boot decided can be final");
    }
    if (seal && target == Target.XEN_PV) {
      throw new IllegalArgumentException(
          "an image for xen-pv cannot be sealed: its slots change while it boots");
    }
    Optional<String> recordedOn = profile.flatMap(Profile::hypervisor);
    if (recordedOn.filter(h -> contradicts(h, target)).isPresent()) {
      throw new IllegalArgumentException(
          "the profile was recorded on hypervisor %s, which does not decide an image for %s"
              .formatted(recordedOn.get(), target.id()));
    }
  }

  /** Whether a profile's hypervisor is one we know, and another than the target's. */
  private static boolean contradicts(String recordedOn, Target target) {
    Optional<Target> known =
        recordedOn.equals("none") ? Optional.of(Target.NATIVE) : Target.named(recordedOn);
    return known.filter(t -> t != target).isPresent();
  }

  /** Target and default assumptions, nothing else. */
  public static PlanOptions of(Target target) {
    return new PlanOptions(
        target, Assumptions.defaults(target), Optional.empty(), Optional.empty(), false, false);
  }

  public PlanOptions withAssumptions(Assumptions a) {
    return new PlanOptions(target, a, cpuVendor, profile, seal, uniprocessor);
  }

  public PlanOptions withCpuVendor(CpuVendor vendor) {
    return new PlanOptions(target, assumptions, Optional.of(vendor), profile, seal, uniprocessor);
  }

  public PlanOptions withProfile(Profile p) {
    return new PlanOptions(target, assumptions, cpuVendor, Optional.of(p), seal, uniprocessor);
  }

  public PlanOptions withSeal(boolean s) {
    return new PlanOptions(target, assumptions, cpuVendor, profile, s, uniprocessor);
  }

  public PlanOptions withUniprocessor(boolean u) {
    return new PlanOptions(target, assumptions, cpuVendor, profile, seal, u);
  }

  /**
   * Reads {@link #canonical} back.
   *
   * @param profile the profile that the text names by its fingerprint
   * @throws IllegalArgumentException when the text is none, or names another profile
   */
  public static PlanOptions parse(String canonical, Optional<Profile> profile) {
    Target target = null;
    Assumptions assumptions = null;
    Optional<CpuVendor> vendor = Optional.empty();
    boolean seal = false;
    boolean uniprocessor = false;
    for (String part : canonical.split(" ", -1)) {
      int eq = part.indexOf('=');
      String key = eq < 0 ? part : part.substring(0, eq);
      String value = eq < 0 ? "" : part.substring(eq + 1);
      switch (key) {
        case "target" ->
            target =
                Target.named(value)
                    .orElseThrow(() -> new IllegalArgumentException("unknown target " + value));
        case "assume" -> assumptions = Assumptions.parse(value, requireTarget(target));
        case "profile" -> {
          if (profile.isEmpty() || !profile.get().fingerprint().equals(value)) {
            throw new IllegalArgumentException("the profile " + value + " is not at hand");
          }
        }
        case "cpu-vendor" ->
            vendor = Optional.of(CpuVendor.valueOf(value.toUpperCase(Locale.ROOT)));
        case "seal" -> seal = true;
        case "uniprocessor" -> uniprocessor = true;
        default -> throw new IllegalArgumentException("unknown option " + key);
      }
    }
    return new PlanOptions(
        requireTarget(target),
        assumptions == null ? Assumptions.defaults(target) : assumptions,
        vendor,
        profile,
        seal,
        uniprocessor);
  }

  private static Target requireTarget(Target target) {
    if (target == null) {
      throw new IllegalArgumentException("options without a target");
    }
    return target;
  }

  /** Canonical text: equal options give equal text, and outputs are compared by it. */
  public String canonical() {
    StringBuilder s = new StringBuilder("target=").append(target.id());
    if (profile.isPresent()) {
      s.append(" profile=").append(profile.get().fingerprint());
    } else {
      s.append(" assume=").append(assumptions);
    }
    cpuVendor.ifPresent(v -> s.append(" cpu-vendor=").append(v.id()));
    if (seal) {
      s.append(" seal");
    }
    if (uniprocessor) {
      s.append(" uniprocessor");
    }
    return s.toString();
  }
}
