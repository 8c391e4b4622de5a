package org.hypergraft.patcher.cli;

import java.util.Optional;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.report.Text;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.machine.MachineConfig;
import picocli.CommandLine.Option;

/** The boot that {@code patch} learns from when no profile is given but a processor. */
final class LearnOptions {
  /** What the targets assume as well: several. */
  private static final int DEFAULT_CPUS = 2;

  /** A kernel has patched itself after some 150 million instructions; one that panics never has. */
  private static final long BUDGET = 2_000_000_000L;

  @Option(
      names = "--cpu",
      paramLabel = "MODEL",
      description =
          "Boot the image to its own patching as this processor, on the target's hypervisor, and"
              + " follow what it decides there; 'hypergraft targets' lists the models.")
  private String model;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description =
          "With --cpu: processors that the firmware lists (default: " + DEFAULT_CPUS + ").")
  private Integer cpus;

  @Option(
      names = "--cmdline",
      paramLabel = "STRING",
      description = "With --cpu: the kernel's command line, such as 'mitigations=off'.")
  private String commandLine;

  /** Whether to boot at all. */
  boolean wanted() {
    if (model == null && (cpus != null || commandLine != null)) {
      throw CommandFailure.usage(
          (cpus != null ? "--cpus" : "--cmdline") + " describes a boot, which only --cpu asks for");
    }
    return model != null;
  }

  /** Refuses a machine that there is not, before an image is read. */
  void check(Target target, CpuVendor vendor) {
    Machines.checkCpus(listed());
    Machines.cpu(model, vendor);
    Machines.hypervisorToLearnFrom(target);
  }

  private int listed() {
    return cpus == null ? DEFAULT_CPUS : cpus;
  }

  /**
   * What the boot decides: of an earlier boot if there was one.
   *
   * @param image not patched
   * @throws CommandFailure when the guest does not come so far
   */
  Profile learn(GuestImage image, Target target, CpuVendor vendor, Terminal terminal) {
    MachineConfig machine = ProfileBoot.watched(machine(image, target, vendor), terminal);
    ProfileCache cache = new ProfileCache(machine);
    Optional<Profile> known = cache.find();
    if (known.isPresent()) {
      return known.get();
    }
    ProfileBoot boot = ProfileBoot.run(machine, terminal);
    terminal.note(
        "hypergraft patch: the kernel's own patching was observed after %s instructions, %s"
            .formatted(Text.number(boot.instructions()), describe(machine)));
    try {
      cache.keep(boot.profile());
    } catch (CommandFailure e) {
      terminal.note("hypergraft patch: the next time it boots again: " + e.getMessage());
    }
    return boot.profile();
  }

  private MachineConfig.Builder machine(GuestImage image, Target target, CpuVendor vendor) {
    CpuModel cpu = Machines.cpu(model, vendor);
    MachineConfig.Builder machine =
        MachineConfig.of(image)
            .hypervisor(Machines.hypervisorToLearnFrom(target))
            .cpuModel(cpu.name())
            .cpuVendor(cpu.vendor())
            .cpus(listed())
            .instructionBudget(BUDGET);
    return commandLine == null ? machine : machine.commandLine(commandLine);
  }

  private static String describe(MachineConfig m) {
    return "as %s %s, hypervisor %s, %s"
        .formatted(m.cpuVendor().id(), m.cpuModel(), m.hypervisor(), Text.count(m.cpus(), "CPU"));
  }
}
