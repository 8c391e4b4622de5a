package org.hypergraft.patcher.cli;

import java.util.Optional;
import java.util.stream.Collectors;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.hypergraft.vmm.hypervisor.Hypervisors;
import org.hypergraft.vmm.machine.MachineConfig;

/** Which machine proves which target, and what can be chosen of it. */
final class Machines {
  static final int MAX_CPUS = MachineConfig.MAX_CPUS;

  /** The vendor to take when a model is there for both and none is asked for. */
  private static final CpuVendor DEFAULT_VENDOR = CpuVendor.AMD;

  private Machines() {}

  /** The hypervisor that an image for the target is booted on. */
  static String hypervisorOf(Target target) {
    return offered(target)
        .orElseThrow(
            () ->
                CommandFailure.usage(
                    "the machine does not offer %s yet, so an image for it cannot be booted here;"
                            .formatted(target.id())
                        + " 'patch' and 'verify' work"));
  }

  /** The hypervisor on which an image shows what it decides for the target. */
  static String hypervisorToLearnFrom(Target target) {
    return offered(target)
        .orElseThrow(
            () ->
                CommandFailure.usage(
                    "--cpu: the machine does not offer %s yet, so what a kernel decides there"
                            .formatted(target.id())
                        + " cannot be observed here; give a profile from elsewhere with --profile"));
  }

  private static Optional<String> offered(Target target) {
    String id = target == Target.NATIVE ? "none" : target.id();
    return Optional.of(id).filter(i -> Hypervisors.named(i).isPresent());
  }

  /**
   * A processor model.
   *
   * @param asked its vendor; null for the one that the name implies, AMD when it implies none
   */
  static CpuModel cpu(String model, CpuVendor asked) {
    return CpuModels.find(model, asked == null ? DEFAULT_VENDOR : asked)
        .or(() -> asked == null ? CpuModels.find(model, CpuVendor.INTEL) : Optional.empty())
        .orElseThrow(
            () ->
                CommandFailure.usage(
                    "there is no processor model '%s'%s; expected one of %s, then ',-FEATURE' for each that it lacks"
                        .formatted(
                            model,
                            asked == null ? "" : " of vendor " + asked.id(),
                            CpuModels.all().stream()
                                .map(m -> m.name())
                                .distinct()
                                .collect(Collectors.joining(", ")))));
  }

  /** Refuses a number of processors that no machine has. */
  static void checkCpus(int cpus) {
    if (cpus < 1 || cpus > MAX_CPUS) {
      throw CommandFailure.usage("--cpus %d: expected 1 to %d".formatted(cpus, MAX_CPUS));
    }
  }
}
