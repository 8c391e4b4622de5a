package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code patch --cpu}: a boot decides, and is made only once. */
class LearnedPatchTest {
  private static final String CACHE = "hypergraft.cache";

  @TempDir private static Path cache;
  @TempDir private Path work;

  @BeforeAll
  static void ownCache() {
    System.setProperty(CACHE, cache.toString());
  }

  @AfterAll
  static void usualCache() {
    System.clearProperty(CACHE);
  }

  private static List<Path> kept() throws IOException {
    Path profiles = cache.resolve("profiles");
    if (!Files.isDirectory(profiles)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(profiles)) {
      return files.sorted().toList();
    }
  }

  @Test
  void theBootIsMadeOnceAndDecidesAsItsProfileDoes() throws IOException {
    Path kernel = Kernels.file("6.1 cloud");
    Path learned = work.resolve("learned");
    Object[] command = {
      "patch", kernel, "--target", "kvm", "--cpu", "zen", "--cpus", "4", "--seal", "-o", learned
    };
    Cli first = Cli.run(command);
    assertEquals(0, first.status(), first::all);
    assertTrue(first.err().contains("amd zen, hypervisor kvm, 4 CPUs"), first::all);
    assertTrue(first.out().contains("zen-amd, hypervisor kvm, 4 CPUs"), first::all);
    byte[] bytes = Files.readAllBytes(learned);
    assertEquals(1, kept().size());

    Files.delete(learned);
    Cli again = Cli.run(command);
    assertEquals("", again.err(), "booted again");
    assertArrayEquals(bytes, Files.readAllBytes(learned));

    // The profile that the other command records leads to the same file.
    Path profile = work.resolve("p.json");
    Object[] record = {
      "profile", kernel, "--hypervisor", "kvm", "--cpu", "zen", "--cpus", "4", "-o", profile
    };
    assertEquals(0, Cli.run(record).status());
    assertArrayEquals(Files.readAllBytes(profile), Files.readAllBytes(kept().get(0)));
    Path followed = work.resolve("followed");
    Object[] follow = {
      "patch", kernel, "--target", "kvm", "--profile", profile, "--seal", "-o", followed
    };
    assertEquals(0, Cli.run(follow).status());
    assertArrayEquals(bytes, Files.readAllBytes(followed));
    assertEquals(0, Cli.run("verify", learned, "--against", kernel).status());

    // What is damaged is made again, and another machine has its own.
    Files.writeString(kept().get(0), "{\"version\": 1}");
    Cli repaired = Cli.run(command);
    assertEquals(0, repaired.status(), repaired::all);
    assertFalse(repaired.err().isEmpty());
    assertArrayEquals(bytes, Files.readAllBytes(learned));
    command[7] = "2";
    assertEquals(0, Cli.run(command).status());
    assertEquals(2, kept().size());
  }

  @ParameterizedTest
  @CsvSource({
    "--target kvm --cpus 2, which only --cpu asks for",
    "--target kvm --cmdline quiet, which only --cpu asks for",
    "--target kvm --cpu nehalem, there is no processor model 'nehalem'",
    "--target kvm --cpu skylake --cpu-vendor amd, of vendor amd",
    "--target kvm --cpu zen --cpus 0, expected 1 to 8",
    "--target kvm --cpu zen --assume cpus=1, exclude each other",
    "--target kvm --cpu zen --profile p.json, exclude each other",
    "--target xen-pv --cpu zen, does not offer xen-pv yet"
  })
  void whatMakesNoSenseIsAUsageError(String options, String message) throws IOException {
    Path kernel = Files.writeString(work.resolve("kernel"), "never read");
    Path out = work.resolve("out");
    List<Object> command = new ArrayList<>(List.of("patch", kernel, "-o", out));
    command.addAll(List.of(options.split(" ")));
    Cli run = Cli.run(command.toArray());
    assertEquals(2, run.status(), run::all);
    assertTrue(run.err().contains(message), run::all);
    assertFalse(Files.exists(out));
  }

  /**
   * Both processors have a return thunk, which a kernel that came with it must use from the start;
   * skylake's other thunks lie in memory allocated at boot, so the guest makes its indirect
   * branches itself.
   */
  @ParameterizedTest
  @CsvSource({"zen, 0", "skylake, 7875"})
  void theKernelDoesNotWarnOfWhatItFindsDone(String cpu, int left) throws IOException {
    Path kernel = Kernels.file("6.12 cloud");
    Path out = work.resolve("out");
    Cli patch = Cli.run("patch", kernel, "--target", "kvm", "--cpu", cpu, "-o", out, "--json");
    assertEquals(0, patch.status(), patch::all);
    assertEquals(
        left > 0,
        patch.out().contains("indirect target selection (INDIRECT_THUNK_ITS) needs a thunk"),
        patch::out);
    GuestImage image = GuestImage.read(out);
    CpuModel model = CpuModels.find(cpu, null).orElseThrow();
    MachineConfig config =
        MachineConfig.of(image)
            .hypervisor("kvm")
            .cpus(2)
            .cpuModel(cpu)
            .cpuVendor(model.vendor())
            .build();
    try (Machine machine = new Machine(config)) {
      machine.atReturn(image.symbols().addressOf(FunctionCode.PATCHING), view -> false);
      String console = new String(machine.run().console(), StandardCharsets.UTF_8);
      assertTrue(console.contains("Linux version 6.12"), console);
      assertFalse(console.contains("cut here"), console);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "console=ttyS0, 4, indirect target selection (INDIRECT_THUNK_ITS) needs a thunk in memory",
    "console=ttyS0 retbleed=stuff, 3, call depth tracking (CALL_DEPTH)"
  })
  void codeThatIsMadeAtBootIsRefusedByName(String commandLine, int status, String message) {
    Path kernel = Kernels.file("6.12 cloud");
    Path out = work.resolve("out");
    Cli run =
        Cli.run(
            "patch",
            kernel,
            "--target",
            "kvm",
            "--cpu",
            "skylake",
            "--cmdline",
            commandLine,
            "--seal",
            "-o",
            out);
    assertEquals(status, run.status(), run::all);
    assertTrue(run.err().contains(message), run::all);
    assertFalse(Files.exists(out));
  }

  @Test
  void aClockThatIsNotThereYetCannotBeSealed() {
    Path kernel = Kernels.file("5.10.262 cloud");
    Path out = work.resolve("out");
    Cli run = Cli.run("patch", kernel, "--target", "kvm", "--cpu", "zen", "--seal", "-o", out);
    assertEquals(4, run.status(), run::all);
    assertTrue(
        run.err().contains("3 cannot be decided: the guest calls it before its hypervisor support"),
        run::all);
  }

  @Test
  void aGuestThatDoesNotComeSoFarIsReported() throws IOException {
    GuestImage image = Kernels.image("6.1 cloud");
    byte[] broken = image.payload().clone();
    int at = image.offsetOf(image.symbols().addressOf("start_kernel"), 2);
    broken[at] = 0x0f;
    broken[at + 1] = 0x0b; // ud2
    Path kernel = Files.write(work.resolve("broken"), broken);
    Path out = work.resolve("out");
    Cli run = Cli.run("patch", kernel, "--target", "native", "--cpu", "zen", "-o", out);
    assertEquals(5, run.status(), run::all);
    assertTrue(run.err().contains("did not come to the end of its own patching"), run::all);
    assertFalse(Files.exists(out));
  }
}
