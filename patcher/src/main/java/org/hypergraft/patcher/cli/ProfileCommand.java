package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.hypergraft.patcher.report.Document;
import org.hypergraft.patcher.report.Json;
import org.hypergraft.patcher.report.Text;
import org.hypergraft.vmm.machine.MachineConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Records what a boot decided. */
@Command(
    name = "profile",
    description = {
      "Boot an image to the end of its own patching and record what it decided by: the functions in"
          + " its pv_ops, its CPU's capabilities, the number of CPUs. 'patch --profile' follows it.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  hypergraft profile vmlinuz --hypervisor kvm -o kvm.json",
      "  hypergraft profile vmlinuz --hypervisor none --cpu zen --cpus 4 -o zen.json"
    })
final class ProfileCommand extends DataCommand {
  @Parameters(index = "0", paramLabel = "IMAGE", description = "bzImage, vmlinux or other kernel.")
  private Path image;

  @Option(
      names = "--hypervisor",
      required = true,
      paramLabel = "NAME",
      converter = HypervisorConverter.class,
      completionCandidates = HypervisorConverter.Names.class,
      description = "What the guest finds itself on: ${COMPLETION-CANDIDATES}.")
  private String hypervisor;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "Where the profile goes.")
  private Path output;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      defaultValue = "1",
      description = "Processors that the firmware lists (default: 1).")
  private int cpus;

  @Option(
      names = "--cpu-vendor",
      paramLabel = "VENDOR",
      description = "Vendor of the processor: ${COMPLETION-CANDIDATES}.")
  private CpuVendor vendor;

  @Mixin private MachineOptions machine;

  @Override
  ExitStatus run() throws IOException {
    machine.check(cpus, 0);
    GuestImage guest = ImageFile.read(image);
    MachineConfig config =
        ProfileBoot.watched(machine.machine(guest, hypervisor, vendor).cpus(cpus), terminal());
    ProfileBoot boot = ProfileBoot.run(config, terminal());
    Profile profile = boot.profile();
    OutputFile.write(output, ProfileJson.write(profile));
    print(new Summary(profile, output.toString(), boot.instructions()));
    return ExitStatus.OK;
  }

  private record Summary(Profile profile, String output, long instructions) implements Document {
    @Override
    public void text(PrintWriter out) {
      out.printf(
          "recorded %s, %s and %s after %s instructions to %s%n",
          Text.count(profile.pvOps().size() + profile.pvOpsLock().size(), "slot"),
          Text.count(profile.cpuCapabilities().size(), "capability word"),
          Text.count(profile.presentCpus(), "CPU"),
          Text.number(instructions),
          output);
    }

    @Override
    public Json json() {
      return new Json()
          .put("output", output)
          .put("slots", profile.pvOps().size() + profile.pvOpsLock().size())
          .put("capabilityWords", profile.cpuCapabilities().size())
          .put("presentCpus", profile.presentCpus())
          .put("fingerprint", profile.fingerprint())
          .put("instructions", instructions);
    }
  }
}
