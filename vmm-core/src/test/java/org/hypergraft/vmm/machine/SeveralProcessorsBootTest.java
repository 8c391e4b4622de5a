package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.InitProgram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Boots distribution kernels to userspace on several processors. */
class SeveralProcessorsBootTest {
  private static final String COMMAND_LINE =
      MachineConfig.DEFAULT_COMMAND_LINE + " cryptomgr.notests";

  private static RunReport boot(String kernel, int cpus, MachineConfig.Builder config) {
    try (Machine machine =
        new Machine(config.cpus(cpus).memory(512 << 20).commandLine(COMMAND_LINE).build())) {
      RunReport report = machine.run();
      assertEquals(Outcome.POWER_OFF, report.outcome(), report::death);
      String console = new String(report.console(), UTF_8);
      assertTrue(console.contains(InitProgram.MARKER), console);
      assertTrue(console.contains("Brought up 1 node, " + cpus + " CPUs"), console);
      for (String trouble : new String[] {"Call Trace", "TSC warp", "unstable", "stall", "BUG"}) {
        assertFalse(console.contains(trouble), console);
      }
      for (long retired : report.retiredByCpu()) {
        assertTrue(retired > 100_000, () -> kernel + " " + report.retiredByCpu());
      }
      return report;
    }
  }

  private static MachineConfig.Builder config(String kernel) {
    return MachineConfig.of(Kernels.image(kernel));
  }

  @Test
  void fourUnderKvmAlikeWithAndWithoutCompiler() {
    RunReport compiled = boot("6.1 cloud", 4, config("6.1 cloud").hypervisor("kvm"));
    RunReport interpreted =
        boot("6.1 cloud", 4, config("6.1 cloud").hypervisor("kvm").tiers(Tiers.INTERPRETER));
    KernelMatrixTest.assertAlike(compiled, interpreted);
    String console = new String(compiled.console(), UTF_8);
    for (String part : new String[] {"pv remote TLB flush", "PV spinlocks", "PV IPIs"}) {
      assertTrue(console.contains(part), console);
    }
  }

  @ParameterizedTest
  @EnabledIfSystemProperty(named = KernelMatrixTest.MATRIX, matches = "full")
  @CsvSource({
    "6.1 cloud, 2, none, baseline, AMD",
    "6.1 cloud, 4, none, baseline, AMD",
    "6.1 cloud, 4, none, skylake, INTEL",
    "6.1 cloud, 4, kvm, zen, AMD",
    "6.1 cloud, 2, kvm, baseline, INTEL",
    "6.1 cloud, 8, kvm, baseline, AMD",
    "5.10.262 cloud, 4, kvm, baseline, AMD",
    "6.1 686, 4, none, baseline, AMD",
    "6.1 686-pae, 4, kvm, baseline, INTEL",
    "7.2 cloud, 4, kvm, baseline, AMD",
    "6.12 cloud, 4, none, baseline, AMD",
    "6.12 cloud, 4, kvm, zen, AMD",
    "6.12 cloud, 4, kvm, skylake, INTEL",
  })
  void everyCombination(
      String kernel, int cpus, String hypervisor, String model, CpuVendor vendor) {
    boot(kernel, cpus, config(kernel).hypervisor(hypervisor).cpuModel(model).cpuVendor(vendor));
  }
}
