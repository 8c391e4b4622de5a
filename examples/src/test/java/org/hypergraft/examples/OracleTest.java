package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
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
}
