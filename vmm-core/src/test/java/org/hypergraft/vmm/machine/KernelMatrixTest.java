package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.InitProgram;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Boots the distribution's kernels of all ages and sizes. By default one of each kind that no other
 * test boots; all of them, on every tier, with {@code -Dhypergraft.matrix=full}.
 */
class KernelMatrixTest {
  /** System property that asks for everything. */
  static final String MATRIX = "hypergraft.matrix";

  private static final List<String> DEFAULT = List.of("5.10.262 cloud", "6.1 686", "6.1 686-pae");

  static Stream<String> kernels() {
    return (full() ? Kernels.ALL : DEFAULT).stream();
  }

  /** Skips the calling test unless everything is asked for. */
  static void onlyInFullMatrix() {
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
      return report;
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void bootsToUserspaceAndPowersOff(String kernel) {
    RunReport report = boot(MachineConfig.of(Kernels.image(kernel)));
    assertTrue(report.retiredToUserspace() > 100_000_000);
    if (full()) {
      for (Tiers tiers : List.of(Tiers.INTERPRETER, Tiers.FORCED)) {
        assertAlike(report, boot(MachineConfig.of(Kernels.image(kernel)).tiers(tiers)));
      }
    }
  }

  @Test
  void theInterpreterAloneDoesTheSame() {
    String kernel = DEFAULT.get(0);
    RunReport compiled = boot(MachineConfig.of(Kernels.image(kernel)));
    assertTrue(compiled.host().regions() > 0);
    assertAlike(compiled, boot(MachineConfig.of(Kernels.image(kernel)).tiers(Tiers.INTERPRETER)));
  }

  private static void assertAlike(RunReport expected, RunReport actual) {
    assertEquals(expected.retired(), actual.retired());
    assertEquals(expected.virtualNs(), actual.virtualNs());
    assertArrayEquals(expected.console(), actual.console());
    assertEquals(expected.exitsBySymbol(), actual.exitsBySymbol());
  }
}
