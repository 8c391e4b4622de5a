package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.hypergraft.patcher.plan.Assumptions;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import picocli.CommandLine.Option;

/** What a plan rests on, as {@code patch} and {@code validate} take it. */
final class TargetOptions {
  @Option(
      names = "--assume",
      paramLabel = "FACTS",
      description = {
        "What is taken for granted of the environment: features=NAME,... and cpus=N, or none for"
            + " either. What is not named keeps the target's default; see 'hypergraft targets'."
      })
  private String assume;

  @Option(
      names = "--profile",
      paramLabel = "FILE",
      description = "Follow what a boot decided, as 'hypergraft profile' records it.")
  private Path profile;

  @Option(
      names = "--cpu-vendor",
      paramLabel = "VENDOR",
      description = "Whose hypercall instruction to write: ${COMPLETION-CANDIDATES}.")
  private CpuVendor vendor;

  @Option(
      names = "--seal",
      description =
          "Make the patched tables final: no text write at boot. Needs a profile, or --cpu where a"
              + " command has it.")
  private boolean seal;

  @Option(
      names = "--uniprocessor",
      description = "Remove lock prefixes: the image must never see a second CPU.")
  private boolean uniprocessor;

  CpuVendor vendor() {
    return vendor;
  }

  /** Options for a target. */
  PlanOptions plan(Target target) throws IOException {
    return plan(target, null);
  }

  /** Options for a target, when a boot decides everything that may be decided. */
  PlanOptions following(Profile learned, Target target) {
    return make(target, Assumptions.defaults(target), Optional.empty(), Optional.of(learned));
  }

  /** Refuses what the output of an earlier patch has decided already. */
  void checkNothingPlanned() {
    String stated =
        assume != null
            ? "--assume"
            : profile != null
                ? "--profile"
                : seal ? "--seal" : uniprocessor ? "--uniprocessor" : null;
    if (stated != null) {
      throw CommandFailure.usage(
          "--patched and %s exclude each other: an output says itself what it was made with"
              .formatted(stated));
    }
  }

  /** Refuses what a boot decides already. */
  void checkNothingAssumed() {
    if (assume != null || profile != null) {
      throw CommandFailure.usage(
          "--cpu and %s exclude each other: what the boot decides, decides alone"
              .formatted(assume != null ? "--assume" : "--profile"));
    }
  }

  /**
   * Options for a target.
   *
   * @param cpus number of CPUs to assume when no assumption is stated; null for the default
   */
  PlanOptions plan(Target target, Integer cpus) throws IOException {
    if (assume != null && profile != null) {
      throw CommandFailure.usage(
          "--assume and --profile exclude each other: a profile decides alone");
    }
    Assumptions assumptions;
    try {
      assumptions =
          assume == null ? Assumptions.defaults(target) : Assumptions.parse(assume, target);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(e.getMessage());
    }
    if (assume == null && cpus != null) {
      assumptions = assumptions.withCpus(cpus);
    }
    return make(
        target,
        assumptions,
        Optional.ofNullable(vendor),
        profile == null ? Optional.empty() : Optional.of(ProfileJson.read(profile)));
  }

  private PlanOptions make(
      Target target, Assumptions facts, Optional<CpuVendor> whose, Optional<Profile> followed) {
    try {
      return new PlanOptions(target, facts, whose, followed, seal, uniprocessor);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(e.getMessage());
    }
  }
}
