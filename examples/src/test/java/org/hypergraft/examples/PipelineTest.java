package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.vmm.boot.InitProgram;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The whole way on real kernels, through the command line: patch, verify, boot, compare. */
class PipelineTest {
  /** Without the kernel's crypto self tests, which are two thirds of a boot. */
  private static final String COMMAND_LINE = "console=ttyS0 panic=-1 cryptomgr.notests";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "6.1 cloud, native, none",
    "6.1 cloud, kvm, kvm",
    "6.12 cloud, native, none",
    "6.12 cloud, kvm, kvm"
  })
  void patchesAsTheKernelWould(String selector, String target, String hypervisor) throws Exception {
    Path kernel = Kernels.file(selector);
    Path out = patch(kernel, target);
    wellFormed(out);
    sameMemory(kernel, out);
    Cli verified = Cli.run("verify", out, "--against", kernel);
    assertEquals(0, verified.status(), verified.all());

    Cli validated =
        Cli.run("validate", kernel, "--patched", out, "--cmdline", COMMAND_LINE, "--json");
    assertEquals(0, validated.status(), validated.all());
    Map<String, Object> report = JSON.std.mapFrom(validated.out());
    assertEquals(true, report.get("passed"));
    Map<?, ?> oracle = (Map<?, ?>) report.get("oracle");
    assertEquals(0, oracle.get("differingBytes"));
    assertEquals(hypervisor, report.get("hypervisor"));
    Map<?, ?> original = (Map<?, ?>) report.get("original");
    Map<?, ?> patched = (Map<?, ?>) report.get("patched");
    assertTrue(
        number(patched.get("instructionsToUserspace"))
            <= number(original.get("instructionsToUserspace")),
        "a patched boot costs no more: " + patched + " against " + original);
  }

  /** 32-bit kernels: all of them and both targets with {@code -Dhypergraft.matrix=full}. */
  @ParameterizedTest
  @CsvSource({"6.1 686, kvm", "6.1 686, native", "6.1 686-pae, kvm", "6.1 686-pae, native"})
  void provesThirtyTwoBitKernels(String selector, String target) throws Exception {
    Assumptions.assumeTrue(
        "full".equals(System.getProperty("hypergraft.matrix")) || selector.endsWith("686"),
        "only with -Dhypergraft.matrix=full");
    Path kernel = Kernels.file(selector);
    Cli run = Cli.run("validate", kernel, "--target", target, "--cmdline", COMMAND_LINE, "--json");
    assertEquals(0, run.status(), run.all());
    Map<?, ?> oracle = (Map<?, ?>) JSON.std.mapFrom(run.out()).get("oracle");
    assertEquals(0, oracle.get("differingBytes"));
    assertTrue(number(oracle.get("sites")) >= 264, oracle.toString());
  }

  /** Patches twice and checks that every call through pv_ops is decided. */
  private Path patch(Path kernel, String target) throws IOException {
    Path out = folder.resolve("out-" + target);
    Cli first = Cli.run("patch", kernel, "--target", target, "-o", out, "--json");
    assertEquals(0, first.status(), first.all());
    byte[] bytes = Files.readAllBytes(out);
    Cli second = Cli.run("patch", kernel, "--target", target, "-o", out, "--json");
    assertEquals(first.out(), second.out());
    assertArrayEquals(bytes, Files.readAllBytes(out), "deterministic");
    Cli again = Cli.run("patch", out, "--target", target, "-o", folder.resolve("again"));
    assertEquals(0, again.status(), again.all());
    assertArrayEquals(bytes, Files.readAllBytes(folder.resolve("again")), "nothing left to do");

    GuestImage image = GuestImage.read(kernel);
    Map<?, ?> calls = (Map<?, ?>) JSON.std.mapFrom(first.out()).get("paravirtCalls");
    int known = KnownKernels.paravirtCalls(image);
    assertEquals(known >= 0 ? known : SiteMap.of(image).provenParavirtCalls(), calls.get("patch"));
    assertEquals(0, calls.get("keep"));
    assertEquals(0, calls.get("refuse"));
    return out;
  }

  private static void wellFormed(Path out) throws Exception {
    if (Qemu.find("readelf").isEmpty()) {
      return;
    }
    Process readelf =
        new ProcessBuilder("readelf", "-aW", out.toString())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    String complaints = new String(readelf.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(readelf.waitFor(120, TimeUnit.SECONDS));
    assertEquals("", complaints, "readelf -aW");
  }

  private static void sameMemory(Path kernel, Path out) throws IOException {
    assertEquals(
        GuestImage.read(kernel).elf().segments(),
        GuestImage.read(out).elf().segments(),
        "loaded sizes and places");
  }

  @ParameterizedTest
  @CsvSource({"6.1 cloud", "6.12 cloud"})
  void patchedImagesBootElsewhere(String selector) throws Exception {
    Assumptions.assumeTrue(Qemu.installed(), "qemu-system-x86_64 is not installed");
    Path kernel = Kernels.file(selector);
    Path vmlinux = folder.resolve("vmlinux");
    assertEquals(0, Cli.run("inspect", kernel, "--extract", vmlinux).status());
    Set<String> known = warnings(onQemu(vmlinux));
    for (String target : List.of("native", "kvm")) {
      Path out = folder.resolve("out");
      assertEquals(0, Cli.run("patch", kernel, "--target", target, "-o", out).status());
      Set<String> fresh = warnings(onQemu(out));
      fresh.removeAll(known);
      assertEquals(Set.of(), fresh, target);
    }
  }

  private String onQemu(Path image) throws Exception {
    String console = Qemu.USUAL.boot(image, InitProgram.initramfs(), folder);
    assertTrue(console.contains(InitProgram.MARKER), console);
    return console;
  }

  /** Lines that complain, without what differs from boot to boot. */
  private static Set<String> warnings(String console) {
    return console
        .lines()
        .filter(line -> line.matches(".*(?i:\\bwarn|\\bbug\\b|\\boops|call trace|unsafe|error).*"))
        .map(line -> line.replaceFirst("^\\[ *[\\d.]+\\] ", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @ParameterizedTest
  @CsvSource({"6.1 cloud, none", "6.1 cloud, kvm", "6.12 cloud, none", "6.12 cloud, kvm"})
  void everyImageBootsOnEitherMachine(String selector, String hypervisor) throws IOException {
    Path kernel = Kernels.file(selector);
    String other = hypervisor.equals("none") ? "kvm" : "native";
    Path out = folder.resolve("out");
    assertEquals(0, Cli.run("patch", kernel, "--target", other, "-o", out).status());
    Cli boot = boot(out, "--hypervisor", hypervisor);
    assertEquals(
        hypervisor.equals("kvm"), boot.out().contains("Hypervisor detected: KVM"), boot.all());
    assertEquals(
        hypervisor.equals("kvm"),
        boot.out().contains("Booting paravirtualized kernel on KVM"),
        boot.all());
  }

  @ParameterizedTest
  @CsvSource({"6.1 cloud", "6.12 cloud"})
  void whatNoAssumptionDecidesStays(String selector) throws IOException {
    Path kernel = Kernels.file(selector);
    Path out = folder.resolve("out");
    Cli patch =
        Cli.run(
            "patch", kernel, "--target", "kvm", "--assume", "features=none", "-o", out, "--json");
    assertEquals(0, patch.status(), patch.all());
    Map<String, Object> report = JSON.std.mapFrom(patch.out());
    Map<?, ?> calls = (Map<?, ?>) report.get("paravirtCalls");
    assertTrue(number(calls.get("keep")) > 0, patch.out());
    assertTrue(number(calls.get("patch")) > number(calls.get("keep")), patch.out());
    assertTrue(
        ((List<?>) report.get("reasons"))
            .stream().anyMatch(r -> ((Map<?, ?>) r).get("reason").toString().contains("unhalt")),
        patch.out());
    boot(out, "--hypervisor", "kvm");
  }

  @ParameterizedTest
  @CsvSource({"6.1 cloud, native", "6.12 cloud, kvm"})
  void oneFlippedByteIsFoundAndNamed(String selector, String target) throws IOException {
    Path kernel = Kernels.file(selector);
    GuestImage image = GuestImage.read(kernel);
    Patcher.Result patched =
        Patcher.patch(image, PlanOptions.of(Target.named(target).orElseThrow()), false);
    Plan plan = patched.plan();
    int site = plan.size() / 3;
    while (plan.action(site) != Action.PATCH) {
      site++;
    }
    byte[] file = patched.file();
    GuestImage output = GuestImage.parse(file, "output");
    file[output.offsetOf(plan.address(site)) + 1] ^= 0x40;
    Path out = Files.write(folder.resolve("flipped"), file);

    Cli validated = Cli.run("validate", kernel, "--patched", out, "--cmdline", COMMAND_LINE);
    assertEquals(4, validated.status(), validated.all());
    String symbol = image.symbols().describe(plan.address(site));
    assertTrue(
        validated.out().contains("0x%x (%s".formatted(plan.address(site), symbol)),
        symbol + " in " + validated.all());
    Cli verified = Cli.run("verify", out);
    assertEquals(4, verified.status(), verified.all());
  }

  private static Cli boot(Object... arguments) {
    Object[] all = new Object[arguments.length + 3];
    all[0] = "boot";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    all[arguments.length + 1] = "--cmdline";
    all[arguments.length + 2] = COMMAND_LINE;
    Cli boot = Cli.run(all);
    assertEquals(0, boot.status(), boot.all());
    assertTrue(boot.out().contains(InitProgram.MARKER), boot.all());
    assertFalse(boot.out().contains("WARNING:"), boot.all());
    return boot;
  }

  private static long number(Object json) {
    return ((Number) json).longValue();
  }
}
