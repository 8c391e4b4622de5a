package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.vmm.boot.KernelLoader;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.hypergraft.vmm.machine.MachineConfig;
import picocli.CommandLine.Option;

/** The machine of a boot, as {@code boot}, {@code validate} and {@code profile} take it. */
final class MachineOptions {
  @Option(
      names = "--initrd",
      paramLabel = "FILE",
      description = "Initramfs; by default one that reports success and powers off.")
  private Path initrd;

  @Option(
      names = "--cmdline",
      paramLabel = "STRING",
      description = "Kernel command line (default: ${DEFAULT-VALUE}).",
      defaultValue = MachineConfig.DEFAULT_COMMAND_LINE)
  private String commandLine;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = MemorySize.class,
      defaultValue = "256M",
      description = "Guest memory (default: ${DEFAULT-VALUE}).")
  private long memory;

  @Option(
      names = "--cpu",
      paramLabel = "MODEL",
      defaultValue = CpuModels.DEFAULT,
      description =
          "Processor model (default: ${DEFAULT-VALUE}), without the features that follow:"
              + " zen,-rdrand,-x2apic.")
  private String model;

  @Option(
      names = "--budget",
      paramLabel = "N",
      converter = HexOrDecimal.class,
      description = "Instructions after which the guest is given up (default: 20000000000).")
  private Long budget;

  /** Memory comes in large pages. */
  private static final long MEMORY_UNIT = 2 << 20;

  /** A machine for the image, with one processor. */
  MachineConfig.Builder machine(GuestImage image, String hypervisor, CpuVendor asked)
      throws IOException {
    CpuModel cpu = Machines.cpu(model, asked);
    MachineConfig.Builder builder =
        MachineConfig.of(image)
            .memory(memory)
            .commandLine(commandLine)
            .cpuModel(cpu.name())
            .cpuVendor(cpu.vendor())
            .hypervisor(hypervisor);
    if (initrd != null) {
      builder.initrd(Files.readAllBytes(initrd));
    }
    if (budget != null) {
      builder.instructionBudget(budget);
    }
    return builder;
  }

  /** Refuses a sealed image that was not made for this machine. */
  void checkSealed(GuestImage image, String hypervisor, CpuVendor asked, int cpus) {
    SealedFor.check(image, Machines.cpu(model, asked), hypervisor, cpus, commandLine);
  }

  /** Refuses what no machine or kernel could have, before an image is read. */
  void check(int cpus, long kaslrOffset) {
    Machines.checkCpus(cpus);
    if (kaslrOffset % KernelLoader.KASLR_ALIGNMENT != 0) {
      throw CommandFailure.usage(
          "--kaslr-offset 0x%x: expected a multiple of 2 MiB, 0x%x"
              .formatted(kaslrOffset, KernelLoader.KASLR_ALIGNMENT));
    }
    if (memory < MachineConfig.MIN_MEMORY || memory % MEMORY_UNIT != 0) {
      throw CommandFailure.usage(
          "--memory %d: expected a multiple of 2 MiB, at least %d MiB"
              .formatted(memory, MachineConfig.MIN_MEMORY >> 20));
    }
    if (budget != null && budget <= 0) {
      throw CommandFailure.usage("--budget: expected at least one instruction");
    }
  }
}
