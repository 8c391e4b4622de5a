package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.annotator.site.RuntimeConstants;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.patcher.validate.ProfileRecorder;
import org.hypergraft.patcher.validate.TableOwners;
import org.hypergraft.vmm.boot.InitProgram;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.RunReport;
import org.hypergraft.vmm.machine.TextWrites;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A sealed image where it was made for: it writes no text from the sealed tables, complains about
 * nothing that the original does not complain about, here and on QEMU, and is refused elsewhere.
 */
class SealedBootTest {
  /** What QEMU's translator has of the baseline processor, see {@link Qemu#BASELINE}. */
  private static final String PROCESSOR =
      "baseline,-fsrm,-tsc_adjust,-x2apic,-tsc_deadline,-invariant_tsc";

  /** Tables that sealing makes final. */
  private static final Set<String> SEALED =
      Set.of(
          ".parainstructions",
          ".altinstructions",
          ".retpoline_sites",
          ".return_sites",
          ".call_sites",
          ".ibt_endbr_seal");

  /** Tables that stay the kernel's own at run time. */
  private static final Set<String> KERNELS =
      Set.of(".static_call_sites", "__jump_table", "__mcount_loc");

  @TempDir Path folder;

  /** A kernel, and the CPUs of the machine that its sealed image is for. */
  record Row(String kernel, int cpus) {}

  static List<Row> rows() {
    if (!"full".equals(System.getProperty("hypergraft.matrix"))) {
      return List.of(new Row("6.1 cloud", 1));
    }
    List<Row> all = new ArrayList<>();
    for (String kernel : List.of("6.1 cloud", "6.1 amd64", "6.12 cloud")) {
      all.add(new Row(kernel, 1));
      all.add(new Row(kernel, 2));
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("rows")
  void writesNoTextFromTheSealedTables(Row row) throws Exception {
    GuestImage original = Kernels.image(row.kernel());
    byte[] file = sealed(original, row.cpus());
    GuestImage sealed = GuestImage.parse(file, "sealed");
    Boot before = boot(original, row.cpus());
    Boot after = boot(sealed, row.cpus());
    System.out.printf(
        "text writes: %s:%n  original %s%n  sealed   %s%n", row, before.writes(), after.writes());

    // The kernel's own way: all its tables, and nothing but them.
    assertTrue(before.patching().containsKey(".altinstructions"), before.patching().toString());
    assertTrue(before.patching().containsKey(".return_sites"), before.patching().toString());
    Set<String> tables = new TreeSet<>(SEALED);
    tables.addAll(KERNELS);
    tables.addAll(RuntimeConstants.sections(original));
    tables.add(".smp_locks");
    assertEquals(Set.of(), without(before.writes(), tables), "unattributed");

    tables.removeAll(SEALED);
    if (row.cpus() > 1) {
      tables.remove(".smp_locks");
    }
    assertEquals(Set.of(), without(after.writes(), tables), "whole boot of the sealed image");
    tables.retainAll(Set.of(".smp_locks"));
    assertEquals(Set.of(), without(after.patching(), tables), "its alternative_instructions()");
    assertEquals(Set.of(), KernelWarnings.fresh(before.console(), after.console()));

    Assumptions.assumeTrue(Qemu.installed(), "qemu-system-x86_64 is not installed");
    Qemu qemu = new Qemu(Qemu.BASELINE, row.cpus(), KernelWarnings.OPTION);
    Path vmlinux = folder.resolve("vmlinux");
    Files.write(vmlinux, original.payload());
    String known = qemu.boot(vmlinux, InitProgram.initramfs(), folder);
    Files.write(vmlinux, file);
    String console = qemu.boot(vmlinux, InitProgram.initramfs(), folder);
    assertEquals(
        Set.of(),
        row.cpus() > 1
            ? KernelWarnings.freshByHostTime(known, console)
            : KernelWarnings.fresh(known, console),
        "on QEMU");
  }

  /**
   * One boot to power-off.
   *
   * @param writes stores that changed text, by table
   * @param patching those from within the kernel's alternative_instructions()
   */
  private record Boot(String console, Map<String, Long> writes, Map<String, Long> patching) {}

  private static MachineConfig.Builder machine(GuestImage image, int cpus) {
    return MachineConfig.of(image)
        .cpuModel(PROCESSOR)
        .cpus(cpus)
        .commandLine("console=ttyS0 panic=-1 cryptomgr.notests " + KernelWarnings.OPTION);
  }

  private static Boot boot(GuestImage image, int cpus) {
    long[] bounds = new long[2];
    try (Machine machine = new Machine(machine(image, cpus).build())) {
      long patching = image.symbols().addressOf(FunctionCode.PATCHING);
      machine.atEntry(
          patching,
          v -> {
            bounds[0] = machine.textWrites().all();
            return true;
          });
      machine.atReturn(
          patching,
          v -> {
            bounds[1] = machine.textWrites().all();
            return true;
          });
      RunReport run = machine.run();
      String console = new String(run.console(), StandardCharsets.UTF_8);
      assertTrue(run.succeeded(), () -> run.reason() + "\n" + console);
      assertTrue(bounds[1] > 0, "came to its own patching");
      TableOwners owners = new TableOwners(SiteMap.of(image));
      return new Boot(
          console,
          byTable(run.textWrites(), owners, 0, Long.MAX_VALUE),
          byTable(run.textWrites(), owners, bounds[0], bounds[1]));
    }
  }

  /** Changing stores by table, of the stores numbered {@code from} to {@code to}. */
  private static Map<String, Long> byTable(
      TextWrites writes, TableOwners owners, long from, long to) {
    Map<String, Long> counts = new TreeMap<>();
    long[] number = new long[1];
    writes.forEach(
        (address, size, changed) -> {
          if (changed && number[0] >= from && number[0] < to) {
            counts.merge(owners.of(address), 1L, Long::sum);
          }
          number[0]++;
        });
    return counts;
  }

  private static Set<String> without(Map<String, Long> writes, Set<String> allowed) {
    Set<String> rest = new TreeSet<>(writes.keySet());
    rest.removeAll(allowed);
    return rest;
  }

  private static byte[] sealed(GuestImage image, int cpus) {
    Profile profile = profile(image, machine(image, cpus).build());
    return Patcher.patch(image, options(Target.NATIVE, profile), false).file();
  }

  private static Profile profile(GuestImage image, MachineConfig config) {
    return new ProfileRecorder(SiteMap.of(image)).record(config).profile().orElseThrow();
  }

  private static PlanOptions options(Target target, Profile profile) {
    return PlanOptions.of(target).withProfile(profile).withSeal(true);
  }

  @Test
  void lesserAndOtherMachinesAreRefused() throws IOException {
    GuestImage image = Kernels.image("6.1 cloud");
    Path sealed = Files.write(folder.resolve("sealed"), sealed(image, 1));
    refused("no-feature HYPERVISOR", "boot", sealed, "--cpu", PROCESSOR, "--hypervisor", "kvm");
    refused("no-feature TSC_ADJUST", "boot", sealed, "--cpu", "baseline");
    refused("feature ERMS", "boot", sealed, "--cpu", PROCESSOR + ",-erms");

    // One CPU's locks: with a second, modules would wait for a wake-up that never comes.
    MachineConfig kvm = machine(image, 1).hypervisor("kvm").build();
    byte[] single = Patcher.patch(image, options(Target.KVM, profile(image, kvm)), false).file();
    Files.write(sealed, single);
    refused("cpus 1", "boot", sealed, "--cpu", PROCESSOR, "--hypervisor", "kvm", "--cpus", "2");
    refused("hypervisor kvm", "boot", sealed, "--cpu", PROCESSOR, "--hypervisor", "none");
  }

  @Test
  void featuresThatTheCommandLineHidesDoNotCount() throws IOException {
    GuestImage image = Kernels.image("6.1 cloud");
    String hidden = "console=ttyS0 clearcpuid=308"; // SMAP
    MachineConfig config = MachineConfig.of(image).cpuModel(PROCESSOR).commandLine(hidden).build();
    byte[] file =
        Patcher.patch(image, options(Target.NATIVE, profile(image, config)), false).file();
    Path sealed = Files.write(folder.resolve("sealed"), file);
    refused("no-feature SMAP", "boot", sealed, "--cpu", PROCESSOR);
    Cli boot =
        Cli.run("boot", sealed, "--cpu", PROCESSOR, "--cmdline", hidden, "--break", "rest_init");
    assertEquals(0, boot.status(), boot::all);
  }

  /** Their hypervisors are not offered here; profiles come from where they are. */
  @Test
  void imagesForOtherHypervisorsAreOnlyForThem() throws IOException {
    GuestImage image = Kernels.image("6.1 cloud");
    Profile bare = profile(image, machine(image, 2).build());
    Path file = folder.resolve("profile.json");
    Files.writeString(file, ProfileJson.write(bare));
    Path kernel = Kernels.file("6.1 cloud");
    Path sealed = folder.resolve("sealed");
    for (Target target : List.of(Target.HYPERV, Target.XEN_PVH, Target.VMWARE)) {
      Cli mismatch =
          Cli.run("patch", kernel, "--target", target.id(), "--profile", file, "-o", sealed);
      assertEquals(2, mismatch.status(), mismatch::all);
      assertTrue(mismatch.err().contains("recorded on hypervisor none"), mismatch::all);
      assertFalse(Files.exists(sealed));

      PlanOptions options = options(target, on(bare, target.id()));
      Files.write(sealed, Patcher.patch(image, options, false).file());
      Cli inspect = Cli.run("inspect", sealed);
      assertTrue(inspect.out().contains("hypervisor " + target.id()), inspect::all);
      refused("hypervisor " + target.id(), "boot", sealed, "--cpu", PROCESSOR);
      refused("hypervisor " + target.id(), "boot", sealed, "--hypervisor", "kvm");
      Files.delete(sealed);
    }
  }

  /**
   * 5.10 reads its clock through a slot before kvmclock is there: the sites that do so cannot be
   * final.
   */
  @Test
  void clockThatIsSetUpLateCannotBeSealed() throws IOException {
    Path kernel = Kernels.file("5.10.262 cloud");
    GuestImage image = Kernels.image("5.10.262 cloud");
    MachineConfig kvm = machine(image, 1).hypervisor("kvm").build();
    Path file = folder.resolve("profile.json");
    Files.writeString(file, ProfileJson.write(profile(image, kvm)));
    Path sealed = folder.resolve("sealed");
    Cli patch =
        Cli.run("patch", kernel, "--target", "kvm", "--profile", file, "--seal", "-o", sealed);
    assertEquals(4, patch.status(), patch::all);
    assertEquals(1, patch.err().lines().count(), patch::all);
    assertTrue(patch.err().contains("cannot be sealed: table .parainstructions"), patch::all);
    assertFalse(Files.exists(sealed));
  }

  private static Profile on(Profile p, String hypervisor) {
    return new Profile(
        p.kernel(),
        p.buildId(),
        Optional.of(hypervisor),
        p.cpuModel(),
        p.pvOps(),
        p.pvOpsLock(),
        p.cpuCapabilities(),
        p.presentCpus(),
        p.possibleCpus(),
        p.uniprocessor(),
        p.returnThunk(),
        p.idealNops(),
        p.pvOpsWrites());
  }

  private static void refused(String why, Object... command) {
    Cli boot = Cli.run(command);
    assertEquals(4, boot.status(), boot::all);
    assertTrue(boot.err().contains("requires '" + why), boot::all);
    assertEquals("", boot.out());
  }
}
