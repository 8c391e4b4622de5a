package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.BootProtocol;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Debian's Memtest86+ until its test loop runs: a program that knows the machine by itself. */
class MemtestTest {
  private static final long SCREEN = 0xb8000;
  private static final int COLUMNS = 80;
  private static final int ROWS = 25;

  @ParameterizedTest
  @CsvSource({"x64, BZIMAGE16, true", "x64, BZIMAGE64, false", "ia32, BZIMAGE32, false"})
  void testsTheMemoryAndFindsNoError(String kind, BootProtocol protocol, boolean always)
      throws IOException {
    if (!always) {
      KernelMatrixTest.onlyInFullMatrix();
    }
    GuestImage image =
        GuestImage.read(Kernels.packaged("memtest86+", "boot/memtest86+" + kind + ".bin"));
    String first = test(image, protocol, Tiers.COMPILED);
    if (KernelMatrixTest.full()) {
      for (Tiers tiers : KernelMatrixTest.EXECUTIONS) {
        assertEquals(first, test(image, protocol, tiers), tiers.toString());
      }
    }
  }

  /** Runs it for a while; what it shows by then. */
  private static String test(GuestImage image, BootProtocol protocol, Tiers tiers) {
    MachineConfig config =
        MachineConfig.of(image)
            .memory(64 << 20)
            .protocol(protocol)
            .commandLine("")
            .instructionBudget(500_000_000)
            .tiers(tiers)
            .build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals(Outcome.BUDGET, report.outcome(), report::death);
      assertEquals(0, report.exceptions());
      String screen = screen(machine.view());
      assertTrue(screen.contains("Memtest86+ v"), screen);
      assertTrue(screen.contains("CLK/Temp: 1000MHz"), screen);
      assertTrue(screen.contains("Status: Testing"), screen);
      assertTrue(screen.contains("Testing: 4MB - 64MB"), screen);
      assertTrue(screen.contains("Errors: 0 "), screen);
      return screen + report.retired() + " " + report.virtualNs();
    }
  }

  /** Text memory, attributes left out. */
  private static String screen(GuestView view) {
    byte[] cells = view.image(SCREEN, 2 * COLUMNS * ROWS);
    StringBuilder out = new StringBuilder();
    for (int row = 0; row < ROWS; row++) {
      byte[] line = new byte[COLUMNS];
      for (int i = 0; i < COLUMNS; i++) {
        line[i] = cells[2 * (row * COLUMNS + i)];
      }
      out.append(new String(line, US_ASCII)).append('\n');
    }
    return out.toString();
  }
}
