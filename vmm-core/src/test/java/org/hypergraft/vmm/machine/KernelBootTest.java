package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.BootProtocol;
import org.hypergraft.vmm.boot.InitProgram;
import org.junit.jupiter.api.Test;

/** Boots a distribution kernel to userspace and power-off. */
class KernelBootTest {
  private static final String COMMAND_LINE =
      MachineConfig.DEFAULT_COMMAND_LINE + " cryptomgr.notests";

  private static RunReport boot(MachineConfig.Builder config) {
    try (Machine machine = new Machine(config.commandLine(COMMAND_LINE).build())) {
      RunReport report = machine.run();
      assertEquals(Outcome.POWER_OFF, report.outcome(), report::death);
      String console = new String(report.console(), UTF_8);
      assertTrue(console.contains(InitProgram.MARKER), console);
      assertFalse(console.contains("Call Trace"), console);
      assertTrue(report.retiredToUserspace() > 0);
      return report;
    }
  }

  @Test
  void bootsByPvhTwiceAlike() {
    GuestImage image = Kernels.image("6.1 cloud");
    RunReport first = boot(MachineConfig.of(image));
    RunReport second = boot(MachineConfig.of(image));
    assertArrayEquals(first.console(), second.console());
    assertEquals(first.retired(), second.retired());
    assertEquals(first.exitsBySymbol(), second.exitsBySymbol());
  }

  @Test
  void bootsMovedByLinuxProtocolAndStopsWhereAlternativesAreDone() {
    GuestImage image = Kernels.image("6.1 cloud");
    long function = image.symbols().addressOf("alternative_instructions");
    long text = image.symbols().addressOf("_text");
    MachineConfig config =
        MachineConfig.of(image)
            .kaslrOffset(0x5600000)
            .protocol(BootProtocol.LINUX64)
            .cpuVendor(CpuVendor.INTEL)
            .hypervisor("kvm")
            .commandLine(COMMAND_LINE)
            .build();
    try (Machine machine = new Machine(config)) {
      long[] moment = new long[1];
      machine.atReturn(
          function,
          view -> {
            moment[0] = view.retired();
            assertEquals(0x5600000, view.kaslrOffset());
            assertArrayEquals(view.image(text, 4096), view.virtual(text + 0x5600000, 4096));
            return false;
          });
      RunReport report = machine.run();
      assertEquals(Outcome.STOPPED, report.outcome(), report::death);
      assertEquals(moment[0], report.retired());
      assertTrue(report.textWrites().changing() > 100_000);
      assertTrue(new String(report.console(), UTF_8).contains("Hypervisor detected: KVM"));
    }
  }
}
