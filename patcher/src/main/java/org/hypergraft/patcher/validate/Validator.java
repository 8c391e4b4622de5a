package org.hypergraft.patcher.validate;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.verify.Verification;
import org.hypergraft.patcher.verify.Verifier;
import org.hypergraft.vmm.boot.InitProgram;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.RunReport;

/**
 * Proves a patched image: statically, by what the original kernel makes of itself, and by booting
 * both.
 */
public final class Validator {
  /** Makes the machine that an image is booted on, but for its number of processors. */
  @FunctionalInterface
  public interface Guests {
    MachineConfig.Builder machine(GuestImage image) throws IOException;
  }

  /** Differing sites that findings name one by one. */
  private static final int NAMED = 10;

  /** Instructions: the calls that {@link #allowance} tells of, and a wait that misses its tick. */
  private static final long SHORT_BOOT_ALLOWANCE = 500_000;

  private final Guests guests;
  private final String hypervisor;
  private final int cpus;
  private final Consumer<String> progress;

  /**
   * A validator.
   *
   * @param guests makes the machines
   * @param hypervisor its id, for the report
   * @param cpus processors that the firmware lists when the kernel's own patching is observed
   * @param progress gets a line when a stage begins or goes on
   */
  public Validator(Guests guests, String hypervisor, int cpus, Consumer<String> progress) {
    this.guests = guests;
    this.hypervisor = hypervisor;
    this.cpus = cpus;
    this.progress = progress;
  }

  /**
   * Examines an output.
   *
   * @param plan of the original image, for what the output claims to be
   * @param output the patched image, from its file
   */
  public Validation validate(Plan plan, GuestImage output) throws IOException {
    List<Finding> findings = new ArrayList<>();
    GuestImage image = plan.image();
    progress.accept("verifying");
    Verification checks = verify(image, output, findings);

    SiteMap sites = SiteMap.of(image);
    Oracle oracle = new Oracle(plan);
    OracleResult comparison = null;
    if (cpus > 1) {
      // Only up to its own patching, which comes before the others are started. Consoles are
      // compared with one processor: lines of concurrent initialisation may change places.
      progress.accept("booting the original to its own patching");
      comparison = compare(oracle, sites, output, boot(image, cpus, oracle, false, "original"));
    }
    RunReport original = boot(image, 1, cpus > 1 ? null : oracle, true, "original");
    if (comparison == null) {
      comparison = compare(oracle, sites, output, original);
    }
    report(comparison, findings);
    RunReport patched = boot(output, 1, null, true, "patched");
    ended("original", original, findings);
    ended("patched", patched, findings);
    ConsoleComparison console =
        ConsoleComparison.of(text(original.console()), text(patched.console()));
    behaves(plan, original, patched, console, findings);
    return new Validation(
        plan,
        output,
        hypervisor,
        checks,
        comparison,
        original,
        patched,
        console,
        new TableOwners(sites),
        new TableOwners(SiteMap.of(output)),
        findings);
  }

  private static Verification verify(GuestImage image, GuestImage output, List<Finding> findings) {
    Verification result = Verifier.verify(output, Optional.of(image));
    List<org.hypergraft.patcher.verify.Finding> all = result.findings();
    for (var f : all.subList(0, Math.min(NAMED, all.size()))) {
      findings.add(new Finding(Finding.Kind.VERIFICATION, f.sentence()));
    }
    if (all.size() > NAMED) {
      findings.add(
          new Finding(
              Finding.Kind.VERIFICATION,
              "and %d more".formatted(all.size() - NAMED + result.dropped())));
    }
    return result;
  }

  private RunReport boot(GuestImage image, int listed, Oracle oracle, boolean goOn, String which)
      throws IOException {
    LastLine line = new LastLine(text -> progress.accept("booting the " + which + ": " + text));
    MachineConfig config = guests.machine(image).cpus(listed).console(line::put).build();
    try (Machine machine = new Machine(config)) {
      if (oracle != null) {
        oracle.arm(machine, goOn);
      }
      return machine.run();
    }
  }

  private OracleResult compare(Oracle oracle, SiteMap sites, GuestImage output, RunReport run) {
    if (oracle.hasReached()) {
      return oracle.compare(sites, output, cpus);
    }
    boolean known = sites.image().symbols().contains(FunctionCode.PATCHING);
    return OracleResult.failed(
        cpus,
        known
            ? "the original did not come to the end of %s(): %s"
                .formatted(FunctionCode.PATCHING, run.reason())
            : "the image has no symbol %s, so its own patching is not seen"
                .formatted(FunctionCode.PATCHING));
  }

  private static void report(OracleResult result, List<Finding> findings) {
    if (!result.reached()) {
      findings.add(new Finding(Finding.Kind.BYTES, result.failure()));
      return;
    }
    if (result.sites() == 0) {
      findings.add(
          new Finding(
              Finding.Kind.BYTES, "the plan patches no site, so there is nothing to prove"));
    }
    List<SiteDifference> all = result.differences();
    for (SiteDifference d : all.subList(0, Math.min(NAMED, all.size()))) {
      findings.add(
          new Finding(
              Finding.Kind.BYTES,
              "0x%x (%s, %s): the file has %s, the kernel makes it %s"
                  .formatted(
                      d.site().address(),
                      d.symbol(),
                      d.site().operation(),
                      hex(d.file()),
                      hex(d.kernel()))));
    }
    if (all.size() > NAMED) {
      findings.add(
          new Finding(
              Finding.Kind.BYTES, "and %d more sites differ".formatted(all.size() - NAMED)));
    }
  }

  private static void ended(String which, RunReport run, List<Finding> findings) {
    if (!run.succeeded()) {
      findings.add(
          new Finding(Finding.Kind.GUEST, "the %s failed: %s".formatted(which, run.reason())));
    }
  }

  private static void behaves(
      Plan plan,
      RunReport original,
      RunReport patched,
      ConsoleComparison console,
      List<Finding> findings) {
    if (console.empty()) {
      findings.add(
          new Finding(
              Finding.Kind.BEHAVIOUR, "the original printed nothing, which proves nothing"));
    }
    if (!console.residual().isEmpty()) {
      findings.add(
          new Finding(
              Finding.Kind.BEHAVIOUR,
              "the consoles differ in %d lines that no rule explains"
                  .formatted(console.residual().size())));
    }
    if (text(original.console()).contains(InitProgram.MARKER)
        && !text(patched.console()).contains(InitProgram.MARKER)) {
      findings.add(
          new Finding(Finding.Kind.BEHAVIOUR, "the patched image did not reach userspace"));
    }
    if (plan.options().target() == Target.NATIVE
        && original.succeeded()
        && patched.succeeded()
        && patched.retired() - original.retired() > allowance(plan, original)) {
      findings.add(
          new Finding(
              Finding.Kind.BEHAVIOUR,
              "the native image retires %d instructions more than the original"
                  .formatted(patched.retired() - original.retired())));
    }
  }

  /**
   * Instructions that a native image may retire more.
   *
   * <p>Up to the kernel's own patching an indirect call that became a direct call and a NOP retires
   * one more each time; after it both images run the same code. But the clock counts instructions:
   * waits for it begin elsewhere, and last a little longer or shorter. Sites that become a single
   * instruction, those that mask interrupts, outweigh both. 32-bit kernels have none. They look for
   * the firmware's MP table 16 bytes at a time, each mapped and unmapped again, which flushes TLB
   * entries: 70,000 such calls, whatever the memory (6.1, smp_scan_config()). Unlocks, 2,100 of
   * them, give eight instructions back each. In all 53,109 of 72 million; from there to the end of
   * 4,000 million, waits made it 83,903 with 256 MiB and -89,727 with 512.
   */
  private static long allowance(Plan plan, RunReport original) {
    boolean inlines = plan.countsByOperation().containsKey("irq.irq_disable");
    return inlines ? 0 : SHORT_BOOT_ALLOWANCE + original.retired() / 10_000;
  }

  private static String text(byte[] console) {
    return new String(console, StandardCharsets.UTF_8);
  }

  private static String hex(byte[] bytes) {
    return HexFormat.ofDelimiter(" ").formatHex(bytes);
  }

  /** Collects a console into lines, and passes each on. */
  private static final class LastLine {
    private final Consumer<String> sink;
    private final StringBuilder line = new StringBuilder();

    LastLine(Consumer<String> sink) {
      this.sink = sink;
    }

    void put(int b) {
      if (b == '\n') {
        sink.accept(line.toString());
        line.setLength(0);
      } else if (b >= ' ' && b < 0x7f && line.length() < 200) {
        line.append((char) b);
      }
    }
  }
}
