package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.kernels.KernelStore;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.report.ValidationReport;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.patcher.validate.Validation;
import org.hypergraft.patcher.validate.Validator;
import org.hypergraft.vmm.machine.MachineConfig;
import picocli.CommandLine.Command;

/** The main job, on whatever kernel this machine has. */
@Command(
    name = "demo",
    description = {
      "Show the whole way on a real kernel: pre-virtualize it for KVM, boot the original and the"
          + " result, compare. Takes a kernel that HYPERGRAFT_KERNELS or /boot holds, else fetches"
          + " Debian's with apt-get, else uses a small guest of our own.",
      ""
    },
    footer = {"", "Example:", "  hypergraft demo"})
final class DemoCommand extends DataCommand {
  /** Best known first: the smaller a kernel, the sooner it has booted. */
  private static final List<String> SELECTORS = List.of("6.1 cloud", "cloud", "6.1 amd64", "amd64");

  private static final String PACKAGE = "linux-image-cloud-amd64";
  private static final String GUEST = "guest.elf";

  @Override
  ExitStatus run() throws IOException {
    GuestImage image = kernel();
    terminal().note("hypergraft demo: pre-virtualizing " + image.name() + " for KVM ...");
    Patcher.Result patched = Patcher.patch(image, PlanOptions.of(Target.KVM), true);
    String hypervisor = Machines.hypervisorOf(Target.KVM);
    Validator validator =
        new Validator(
            guest -> MachineConfig.of(guest).hypervisor(hypervisor),
            hypervisor,
            patched.plan().options().assumptions().cpus().orElse(1),
            terminal().progress()::show);
    GuestImage output = GuestImage.parse(patched.file(), image.name() + " (patched)");
    terminal().note("hypergraft demo: booting the original and the result ...");
    Validation validation = validator.validate(patched.plan(), output);
    print(new ValidationReport(validation));
    if (validation.guestFailed()) {
      return ExitStatus.GUEST;
    }
    return validation.passed() ? ExitStatus.OK : ExitStatus.FINDINGS;
  }

  private GuestImage kernel() throws IOException {
    KernelStore store = KernelStore.standard();
    for (Path file : candidates(store)) {
      Optional<GuestImage> image = read(file);
      if (image.isPresent()) {
        return image.get();
      }
    }
    terminal().note("hypergraft demo: no kernel here; asking apt-get for " + PACKAGE + " ...");
    Optional<GuestImage> fetched =
        store.fetch(PACKAGE).isPresent()
            ? store.find("cloud").flatMap(this::read)
            : Optional.empty();
    if (fetched.isPresent()) {
      return fetched.get();
    }
    terminal().note("hypergraft demo: none to be had; taking the small guest that comes along");
    try (InputStream in = DemoCommand.class.getResourceAsStream(GUEST)) {
      return GuestImage.parse(in.readAllBytes(), GUEST);
    }
  }

  private static List<Path> candidates(KernelStore store) {
    List<Path> all = new ArrayList<>();
    SELECTORS.forEach(s -> store.find(s).filter(p -> !all.contains(p)).ifPresent(all::add));
    for (KernelStore.Kernel k : store.list()) {
      if (!all.contains(k.file())) {
        all.add(k.file());
      }
    }
    return all;
  }

  /** The image, if it is one that can be patched. */
  private Optional<GuestImage> read(Path file) {
    try {
      GuestImage image = GuestImage.read(file);
      Patcher.plan(Patcher.original(image), PlanOptions.of(Target.KVM));
      if (image.is64Bit()) {
        return Optional.of(image);
      }
      terminal().note("hypergraft demo: passing over " + file + ": it is a 32-bit kernel");
    } catch (IOException e) {
      terminal().note("hypergraft demo: passing over it: " + Failures.sentence("read", e));
    } catch (ImageException e) {
      terminal().note("hypergraft demo: passing over it: " + e.getMessage());
    }
    return Optional.empty();
  }
}
