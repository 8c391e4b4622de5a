package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.BootProtocol;
import org.hypergraft.vmm.boot.InitProgram;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Boots the distribution's kernels of all ages and sizes, on one and four processors, by every
 * entry, and holds each boot to be the same however it is executed: twice with the compiler in the
 * background, by the interpreter alone, and with every block compiled before it runs.
 *
 * <p>By default one kernel of each kind that no other test boots; all of them with {@code
 * -Dhypergraft.matrix=full}, or those whose row {@code -Dhypergraft.matrix.rows=REGEX} is found in.
 */
public class KernelMatrixTest {
  /** System property that asks for everything. */
  static final String MATRIX = "hypergraft.matrix";

  private static final String ROWS = "hypergraft.matrix.rows";

  private static final List<String> DEFAULT = List.of("5.10.262 cloud", "6.1 686", "6.1 686-pae");

  /** How the full matrix runs one and the same thing. */
  static final List<Tiers> EXECUTIONS =
      List.of(Tiers.COMPILED, Tiers.FORCED, Tiers.INTERPRETER, Tiers.COMPILED);

  /** Of the full matrix: rows that passed, and boots in them. */
  private static int passed;

  private static int boots;

  /** A kernel, a number of processors, an entry. */
  record Row(String kernel, int cpus, BootProtocol protocol) {
    @Override
    public String toString() {
      return "%s, %d CPU, %s".formatted(kernel, cpus, protocol.label());
    }

    MachineConfig.Builder config() {
      return MachineConfig.of(Kernels.image(kernel))
          .cpus(cpus)
          .memory((cpus == 1 ? 256L : 512L) << 20)
          .protocol(protocol);
    }
  }

  /** Every row; those that unpack themselves last, because they take longest. */
  static Stream<Row> matrix() {
    List<Row> rows = new ArrayList<>();
    for (String kernel : Kernels.ALL) {
      // of the eight only this one is not built for PVH
      BootProtocol direct = kernel.equals("6.1 686") ? BootProtocol.LINUX32 : BootProtocol.PVH;
      rows.add(new Row(kernel, 1, direct));
      rows.add(new Row(kernel, 4, direct));
      for (BootProtocol p : BootProtocol.values()) {
        if (p.unpacks() && (p != BootProtocol.BZIMAGE64 || !kernel.contains("686"))) {
          rows.add(new Row(kernel, 1, p));
        }
      }
    }
    rows.sort(
        Comparator.comparing((Row r) -> r.protocol.unpacks()).thenComparing(r -> r.cpus == 1));
    Pattern chosen = Pattern.compile(System.getProperty(ROWS, ""));
    return rows.stream().filter(r -> chosen.matcher(r.toString()).find());
  }

  static Stream<String> kernels() {
    return DEFAULT.stream();
  }

  /** Skips the calling test unless everything is asked for. */
  public static void onlyInFullMatrix() {
    Assumptions.assumeTrue(full(), "only with -D" + MATRIX + "=full");
  }

  static boolean full() {
    return "full".equals(System.getProperty(MATRIX));
  }

  static RunReport boot(MachineConfig.Builder config) {
    String commandLine = MachineConfig.DEFAULT_COMMAND_LINE + " cryptomgr.notests";
    try (Machine machine = new Machine(config.commandLine(commandLine).build())) {
      RunReport report = machine.run();
      String console = new String(report.console(), UTF_8);
      assertEquals(Outcome.POWER_OFF, report.outcome(), () -> report.death() + console);
      assertTrue(console.contains(InitProgram.MARKER), console);
      assertFalse(console.contains("Call Trace"), console);
      assertTrue(report.retiredToUserspace() > 100_000_000);
      return report;
    }
  }

  @ParameterizedTest
  @MethodSource("matrix")
  void everyExecutionIsTheSame(Row row) {
    onlyInFullMatrix();
    GuestImage image = Kernels.image(row.kernel);
    assertEquals(row.kernel.contains("686"), !image.is64Bit());
    double seconds = 0;
    RunReport first = null;
    for (Tiers tiers : EXECUTIONS) {
      RunReport report = boot(row.config().tiers(tiers));
      seconds += report.host().cpuSeconds();
      if (row.cpus > 1) {
        String all = "Brought up 1 node, " + row.cpus + " CPUs";
        assertTrue(new String(report.console(), UTF_8).contains(all));
      }
      if (first == null) {
        if (row.protocol.unpacks() && image.is64Bit()) {
          // Symbols are right although the kernel chose its place at random.
          Map<String, Long> ports = report.exitsBySymbol().get(ExitCause.PORT);
          assertTrue(ports.getOrDefault("io_serial_out", 0L) > 10_000, ports::toString);
        }
        first = report;
      }
      assertAlike(first, report);
      boots++;
    }
    passed++;
    System.out.printf(
        "matrix: %s: %,d instructions, %,d bytes on the console, %d boots alike, %.1f CPU s%n",
        row, first.retired(), first.console().length, EXECUTIONS.size(), seconds);
  }

  @AfterAll
  static void summary() {
    if (full()) {
      System.out.printf(
          "matrix: %d of %d rows passed, %d boots%n", passed, matrix().count(), boots);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void bootsToUserspaceAndPowersOff(String kernel) {
    GuestImage image = Kernels.image(kernel);
    RunReport report = boot(MachineConfig.of(image));
    assertTrue(report.textWrites().changing() > 50_000);
    report
        .textWrites()
        .forEach(
            (address, size, changed) ->
                assertTrue(image.offsetOf(address) >= 0, () -> Long.toHexString(address)));
  }

  @Test
  void theInterpreterAloneDoesTheSame() {
    String kernel = DEFAULT.get(0);
    RunReport compiled = boot(MachineConfig.of(Kernels.image(kernel)));
    assertTrue(compiled.host().regions() > 0);
    assertAlike(compiled, boot(MachineConfig.of(Kernels.image(kernel)).tiers(Tiers.INTERPRETER)));
  }

  /**
   * Equal in every run and with any engine: what the guest saw and how its processors took turns.
   */
  static void assertAlike(RunReport expected, RunReport actual) {
    assertEquals(expected.retiredByCpu(), actual.retiredByCpu());
    assertEquals(expected.virtualNs(), actual.virtualNs());
    assertArrayEquals(expected.console(), actual.console());
    assertEquals(expected.interrupts(), actual.interrupts());
    assertEquals(expected.exceptions(), actual.exceptions());
    assertEquals(expected.exitsBySymbol(), actual.exitsBySymbol());
    assertEquals(expected.textWrites().all(), actual.textWrites().all());
  }
}
