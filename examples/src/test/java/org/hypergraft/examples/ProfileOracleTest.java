package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.Assumptions;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.patcher.validate.Oracle;
import org.hypergraft.patcher.validate.OracleResult;
import org.hypergraft.patcher.validate.ProfileRecorder;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A profile decides every table: what a sealed image holds must be what the kernel makes of itself
 * on that processor, under that hypervisor. A few combinations by default, all of them with {@code
 * -Dhypergraft.matrix=full}.
 */
class ProfileOracleTest {
  /** A processor, and the command line that makes the kernel use it in a particular way. */
  private record Processor(String model, CpuVendor vendor, String options) {}

  /** One machine for one kernel. */
  record Row(String kernel, String hypervisor, int cpus, Processor processor) {
    @Override
    public String toString() {
      return "%s on %s, %d CPUs, %s %s %s"
          .formatted(
              kernel, hypervisor, cpus, processor.vendor(), processor.model(), processor.options());
    }
  }

  /**
   * AMD with its return thunk, Intel with retpolines and page-table isolation, LFENCE retpolines.
   */
  private static final List<Processor> PROCESSORS =
      List.of(
          new Processor("zen", CpuVendor.AMD, ""),
          // thunks against indirect target selection lie in memory allocated at boot: not sealable
          new Processor("skylake", CpuVendor.INTEL, "indirect_target_selection=off"),
          new Processor("baseline", CpuVendor.AMD, "spectre_v2=retpoline,lfence"),
          new Processor("baseline", CpuVendor.INTEL, "mitigations=off"));

  static List<Row> rows() {
    List<Row> all = new ArrayList<>();
    for (String kernel : List.of("6.1 cloud", "6.12 cloud", "6.1 amd64")) {
      for (String hypervisor : List.of("none", "kvm")) {
        for (int cpus : new int[] {1, 4}) {
          for (Processor p : PROCESSORS) {
            all.add(new Row(kernel, hypervisor, cpus, p));
          }
        }
      }
    }
    if ("full".equals(System.getProperty("hypergraft.matrix"))) {
      return all;
    }
    return List.of(
        new Row("6.1 cloud", "none", 4, PROCESSORS.get(0)),
        new Row("6.1 cloud", "kvm", 1, PROCESSORS.get(2)),
        new Row("6.12 cloud", "kvm", 4, PROCESSORS.get(1)),
        new Row("6.12 cloud", "none", 1, PROCESSORS.get(3)));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void noByteDiffers(Row row) {
    GuestImage image = Kernels.image(row.kernel());
    SiteMap sites = SiteMap.of(image);
    MachineConfig config =
        MachineConfig.of(image)
            .hypervisor(row.hypervisor())
            .cpus(row.cpus())
            .cpuModel(row.processor().model())
            .cpuVendor(row.processor().vendor())
            .commandLine("console=ttyS0 panic=-1 " + row.processor().options())
            .build();
    Profile profile = new ProfileRecorder(sites).record(config).profile().orElseThrow();
    Target target = Target.named(row.hypervisor().equals("kvm") ? "kvm" : "native").orElseThrow();
    PlanOptions options =
        new PlanOptions(
            target,
            Assumptions.defaults(target),
            Optional.empty(),
            Optional.of(profile),
            true,
            false);
    Patcher.Result patched = Patcher.patch(image, options, false);
    Oracle oracle = new Oracle(patched.plan());
    try (Machine machine = new Machine(config)) {
      assertTrue(oracle.arm(machine, false));
      machine.run();
    }
    assertTrue(oracle.hasReached());
    OracleResult result =
        oracle.compare(sites, GuestImage.parse(patched.file(), "output"), row.cpus());
    System.out.printf(
        "oracle: %s: %d sites, %d bytes, %d differ%n",
        row, result.sites(), result.bytes(), result.differingBytes());
    assertEquals(0, result.differingBytes(), () -> result.differences().toString());
    assertTrue(result.sites() > KnownKernels.paravirtCalls(image) + 40_000, result.sites() + "");
  }
}
