package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.Assumptions;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.patcher.validate.Oracle;
import org.hypergraft.patcher.validate.OracleResult;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What kernels make of themselves, over hypervisors and numbers of processors. */
class OracleTest {
  @ParameterizedTest
  @CsvSource({
    "6.1 cloud, native, none, 1",
    "6.1 cloud, native, none, 4",
    "6.1 cloud, kvm, kvm, 1",
    "6.1 cloud, kvm, kvm, 4",
    "6.12 cloud, native, none, 1",
    "6.12 cloud, native, none, 4",
    "6.12 cloud, kvm, kvm, 1",
    "6.12 cloud, kvm, kvm, 4"
  })
  void noByteDiffers(String selector, String target, String hypervisor, int cpus) {
    GuestImage image = Kernels.image(selector);
    Target chosen = Target.named(target).orElseThrow();
    PlanOptions options =
        PlanOptions.of(chosen).withAssumptions(Assumptions.defaults(chosen).withCpus(cpus));
    Patcher.Result patched = Patcher.patch(image, options, false);
    Oracle oracle = new Oracle(patched.plan());
    MachineConfig config = MachineConfig.of(image).hypervisor(hypervisor).cpus(cpus).build();
    try (Machine machine = new Machine(config)) {
      assertTrue(oracle.arm(machine, false));
      machine.run();
    }
    assertTrue(oracle.hasReached());
    OracleResult result =
        oracle.compare(SiteMap.of(image), GuestImage.parse(patched.file(), "output"), cpus);
    assertEquals(0, result.differingBytes(), () -> result.differences().toString());
    assertTrue(result.sites() >= KnownKernels.paravirtCalls(image), result.sites() + " sites");
  }

  /** With one processor the kernel removes its lock prefixes; so does --uniprocessor, every one. */
  @ParameterizedTest
  @ValueSource(strings = {"6.1 cloud", "6.12 cloud"})
  void lockPrefixesGoAsTheKernelRemovesThem(String selector) {
    GuestImage image = Kernels.image(selector);
    PlanOptions options =
        PlanOptions.of(Target.NATIVE)
            .withAssumptions(Assumptions.defaults(Target.NATIVE).withCpus(1))
            .withUniprocessor(true);
    Patcher.Result patched = Patcher.patch(image, options, false);
    Oracle oracle = new Oracle(patched.plan());
    try (Machine machine = new Machine(MachineConfig.of(image).build())) {
      assertTrue(oracle.arm(machine, false));
      machine.run();
    }
    GuestImage output = GuestImage.parse(patched.file(), "output");
    SiteMap sites = SiteMap.of(image);
    OracleResult result = oracle.compare(sites, output, 1);
    assertEquals(0, result.differingBytes(), () -> result.differences().toString());
    assertEquals(0, result.lockBytes(), "left out of the comparison");
    long end = image.symbols().addressOf("_etext");
    AddressTable locks = sites.addresses(AddressTable.Kind.SMP_LOCKS).orElseThrow();
    for (int i = 0; i < locks.entries(); i++) {
      if (locks.address(i) < end && image.u8(locks.address(i)) == 0xf0) {
        assertEquals(0x3e, output.u8(locks.address(i)), image.symbols().describe(locks.address(i)));
      }
    }
  }
}
