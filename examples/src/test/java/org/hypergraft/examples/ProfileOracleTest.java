package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.JumpTable;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.StaticCallTable;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.Assumptions;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.patcher.validate.ProfileRecorder;
import org.hypergraft.patcher.validate.TableOwners;
import org.hypergraft.patcher.validate.TextSnapshot;
import org.hypergraft.vmm.machine.MachineConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A profile decides every table: what a sealed image holds must be what the kernel makes of itself
 * on that processor, under that hypervisor. Not only the sites are compared but all code, byte by
 * byte: a difference anywhere must belong to a table that the kernel goes on changing at run time.
 * A few combinations by default, all of them with {@code -Dhypergraft.matrix=full}.
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

  private static final Processor LFENCE =
      new Processor("baseline", CpuVendor.AMD, "spectre_v2=retpoline,lfence");

  /**
   * AMD with its return thunk, Intel with retpolines and page-table isolation, LFENCE retpolines.
   */
  private static final List<Processor> PROCESSORS =
      List.of(
          new Processor("zen", CpuVendor.AMD, ""),
          // thunks against indirect target selection lie in memory allocated at boot: not sealable
          new Processor("skylake", CpuVendor.INTEL, "indirect_target_selection=off"),
          LFENCE,
          new Processor("baseline", CpuVendor.INTEL, "mitigations=off"));

  /**
   * In place of {@link #LFENCE} for 7.2, which does not survive it (seen on QEMU as well): jumps to
   * thunks in its Rust code lack the CS prefix that makes room for the LFENCE; {@code
   * emit_indirect()} warns and fills the negative rest, over its stack.
   */
  private static final Processor GENERIC =
      new Processor("baseline", CpuVendor.AMD, "spectre_v2=retpoline,generic");

  private static final List<String> KERNELS =
      List.of(
          "6.1 cloud",
          "6.12 cloud",
          "6.1 amd64",
          "5.10.223 cloud",
          "5.10.262 cloud",
          "7.2 cloud",
          "6.1 686",
          "6.1 686-pae");

  /** What the kernel goes on changing at run time, before the moment and after. */
  private static final Set<String> KERNELS_OWN =
      Set.of(
          JumpTable.NAME,
          StaticCallTable.NAME,
          AddressTable.Kind.MCOUNT_LOC.table(),
          AddressTable.Kind.SMP_LOCKS.table());

  /** What the rows of a kernel came to. */
  private static final class Tally {
    int rows;
    long sites;
    long differing;

    void add(int decided, int bytes) {
      rows++;
      sites += decided;
      differing += bytes;
    }
  }

  private static final Map<String, Tally> TALLIES = new TreeMap<>();
  private static final FeatureCoverage COVERAGE = new FeatureCoverage();

  @AfterAll
  static void summary() {
    TALLIES.forEach(
        (kernel, t) ->
            System.out.printf(
                "oracle: %s: %d rows, %,d sites, %d bytes differ%n",
                kernel, t.rows, t.sites, t.differing));
    COVERAGE.print(System.out);
  }

  private static boolean full() {
    return "full".equals(System.getProperty("hypergraft.matrix"));
  }

  static List<Row> rows() {
    List<Row> all = new ArrayList<>();
    for (String kernel : KERNELS) {
      for (String hypervisor : List.of("none", "kvm")) {
        for (int cpus : new int[] {1, 4}) {
          for (Processor p : PROCESSORS) {
            boolean dies = p == LFENCE && kernel.startsWith("7.2");
            all.add(new Row(kernel, hypervisor, cpus, dies ? GENERIC : p));
          }
        }
      }
    }
    if (full()) {
      return all;
    }
    return List.of(
        new Row("6.1 cloud", "none", 4, PROCESSORS.get(0)),
        new Row("6.1 cloud", "kvm", 1, LFENCE),
        new Row("6.12 cloud", "kvm", 4, PROCESSORS.get(1)),
        new Row("6.12 cloud", "none", 1, PROCESSORS.get(3)),
        new Row("5.10.223 cloud", "none", 4, LFENCE),
        new Row("5.10.262 cloud", "kvm", 4, PROCESSORS.get(1)),
        new Row("7.2 cloud", "none", 1, PROCESSORS.get(0)),
        new Row("7.2 cloud", "kvm", 4, GENERIC),
        new Row("6.1 686", "none", 1, PROCESSORS.get(0)),
        new Row("6.1 686-pae", "kvm", 4, PROCESSORS.get(1)));
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
    TextSnapshot kernel = new TextSnapshot(sites);
    Profile profile = new ProfileRecorder(sites).record(config, kernel).profile().orElseThrow();
    assertTrue(kernel.isTaken());
    assertEquals(row.cpus(), profile.presentCpus());
    COVERAGE.add(row.kernel(), sites, profile);
    assertTrue(COVERAGE.taken(row.kernel()) > 100);

    // 5.10 calls its clock before KVM's exists: three sites stay the guest's, so it is not sealed
    int keptSites = row.kernel().startsWith("5.10") && row.hypervisor().equals("kvm") ? 3 : 0;
    Target target = Target.named(row.hypervisor().equals("kvm") ? "kvm" : "native").orElseThrow();
    PlanOptions options =
        new PlanOptions(
            target,
            Assumptions.defaults(target),
            Optional.empty(),
            Optional.of(profile),
            keptSites == 0,
            false);
    Patcher.Result patched = Patcher.patch(image, options, false);
    GuestImage output = GuestImage.parse(patched.file(), "output");
    Map<String, List<Long>> found =
        kernel.differing(patched.plan(), output, new TableOwners(sites));

    Map<Action, Integer> actions = patched.plan().counts();
    assertEquals(keptSites, actions.getOrDefault(Action.KEEP, 0));
    assertEquals(0, actions.getOrDefault(Action.REFUSE, 0));
    Map<String, Integer> own = new TreeMap<>();
    Map<String, String> wrong = new TreeMap<>();
    int[] differing = {0};
    found.forEach(
        (owner, places) -> {
          if (isKernelsOwn(owner, row.cpus())) {
            own.put(owner, places.size());
          } else if (!owner.equals(TextSnapshot.KEPT)) {
            differing[0] += places.size();
            wrong.put(owner, describe(image, places));
          }
        });
    System.out.printf(
        "oracle: %s: %d sites decided, %d kept, %s differ; the kernel's own: %s%n",
        row, actions.get(Action.PATCH), keptSites, wrong.isEmpty() ? "0 bytes" : wrong, own);
    TALLIES
        .computeIfAbsent(row.kernel(), k -> new Tally())
        .add(actions.get(Action.PATCH), differing[0]);
    assertEquals(Map.of(), wrong);
    int least = KnownKernels.paravirtCalls(image) + (image.is64Bit() ? 40_000 : 600);
    assertTrue(actions.get(Action.PATCH) > least, actions.toString());
  }

  /** Lock prefixes are removed with one processor only. */
  private static boolean isKernelsOwn(String owner, int cpus) {
    boolean lock = owner.equals(AddressTable.Kind.SMP_LOCKS.table());
    return owner.startsWith("runtime_") || KERNELS_OWN.contains(owner) && !(lock && cpus > 1);
  }

  private static String describe(GuestImage image, List<Long> places) {
    long first = places.get(0);
    return "%d bytes, the first at 0x%x (%s)"
        .formatted(places.size(), first, image.symbols().describe(first));
  }
}
