package org.hypergraft.patcher.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.abi.Operation;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.SiteMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlannerTest {
  private static Plan plan(String kernel, PlanOptions options) {
    return Planner.plan(SiteMap.of(Kernels.image(kernel)), options);
  }

  private static boolean isParavirt(Plan plan, int i) {
    return Operation.named(plan.operation(i)).filter(o -> o != Operation.HYPERCALL).isPresent();
  }

  private static Map<Action, Integer> paravirt(Plan plan) {
    Map<Action, Integer> out = new TreeMap<>();
    for (int i = 0; i < plan.size(); i++) {
      if (isParavirt(plan, i)) {
        out.merge(plan.action(i), 1, Integer::sum);
      }
    }
    return out;
  }

  @ParameterizedTest
  @CsvSource({
    "6.1 cloud, native, 3679",
    "6.1 cloud, kvm, 3679",
    "6.1 amd64, kvm, 3848",
    "6.12 cloud, native, 4068",
    "6.12 cloud, kvm, 4068",
    "7.2 cloud, kvm, 4168",
    "5.10.262 cloud, native, 7520",
    "6.1 686-pae, native, 265",
    "6.1 686-pae, kvm, 265"
  })
  void defaultsDecideEveryParavirtualSite(String kernel, String target, int sites) {
    Plan plan = plan(kernel, PlanOptions.of(Target.named(target).orElseThrow()));
    int total = paravirt(plan).values().stream().mapToInt(i -> i).sum();
    org.junit.jupiter.api.Assumptions.assumeTrue(total == sites, "another version");
    assertEquals(Map.of(Action.PATCH, sites), paravirt(plan));
  }

  /** 5.10 prints, and so reads its clock through the slot, before kvmclock is there. */
  @Test
  void callsThatComeBeforeTheHypervisorsClockStayWithTheGuest() {
    Plan plan = plan("5.10.262 cloud", PlanOptions.of(Target.KVM));
    assertEquals(Map.of(Action.PATCH, 7517, Action.KEEP, 3), paravirt(plan));
    for (int i = 0; i < plan.size(); i++) {
      if (isParavirt(plan, i) && plan.action(i) == Action.KEEP) {
        assertEquals("time.sched_clock", plan.operation(i));
        assertTrue(plan.entry(i).reason().contains("before its hypervisor support"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"6.1 cloud", "6.12 cloud", "7.2 cloud"})
  void withoutFeaturesTheirSlotsStayWithTheGuest(String kernel) {
    PlanOptions options =
        PlanOptions.of(Target.KVM).withAssumptions(Assumptions.parse("features=none", Target.KVM));
    Plan plan = plan(kernel, options);
    Set<String> kept = new TreeSet<>();
    for (int i = 0; i < plan.size(); i++) {
      if (isParavirt(plan, i) && plan.action(i) != Action.PATCH) {
        kept.add(plan.operation(i));
        assertEquals(Action.KEEP, plan.action(i));
        assertFalse(plan.entry(i).reason().isEmpty());
      }
    }
    Set<String> expected =
        new TreeSet<>(
            Set.of(
                "lock.kick",
                "lock.queued_spin_lock_slowpath",
                "lock.queued_spin_unlock",
                "lock.vcpu_is_preempted",
                "lock.wait",
                "mmu.flush_tlb_multi"));
    if (!kernel.startsWith("7.2")) {
      expected.addAll(Set.of("cpu.io_delay", "mmu.tlb_remove_table"));
    }
    if (!kernel.startsWith("6.1 ")) {
      expected.add("cpu.load_gs_index"); // LKGS is known from 6.12 on
    }
    assertEquals(expected, kept);
  }

  @Test
  void lockOperationsChangeTogetherOrNotAtAll() {
    PlanOptions one =
        PlanOptions.of(Target.KVM).withAssumptions(Assumptions.parse("cpus=1", Target.KVM));
    PlanOptions unknown =
        PlanOptions.of(Target.KVM).withAssumptions(Assumptions.parse("cpus=none", Target.KVM));
    Set<Action> actions = new HashSet<>();
    Plan plan = plan("6.1 cloud", unknown);
    for (int i = 0; i < plan.size(); i++) {
      if (Operation.named(plan.operation(i)).filter(Operation::isQueuedLock).isPresent()) {
        actions.add(plan.action(i));
      }
    }
    assertEquals(Set.of(Action.KEEP), actions);
    // With one CPU the guest keeps the native locks: an unlock is a store.
    Plan single = plan("6.1 cloud", one);
    for (int i = 0; i < single.size(); i++) {
      if (single.operation(i).equals("lock.queued_spin_unlock")) {
        assertArrayEquals(HexFormat.of().parseHex("c607000f1f00"), single.entry(i).replacement());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"6.1 cloud, INTEL, 0f01c1", "6.1 cloud, AMD, 0f01d9", "6.12 cloud, AMD, 0f01d9"})
  void hypercallSitesFollowTheVendor(String kernel, CpuVendor vendor, String code) {
    Plan plan = plan(kernel, PlanOptions.of(Target.KVM).withCpuVendor(vendor));
    int found = 0;
    for (int i = 0; i < plan.size(); i++) {
      if (plan.operation(i).equals("hypercall")) {
        found++;
        assertEquals(code, HexFormat.of().formatHex(plan.entry(i).replacement()));
        assertEquals(Action.PATCH, plan.action(i));
      }
    }
    assertTrue(found >= 4, found + " hypercall sites");
  }

  @Test
  void withoutAVendorHypercallsStay() {
    Plan plan = plan("6.1 cloud", PlanOptions.of(Target.KVM));
    for (int i = 0; i < plan.size(); i++) {
      if (plan.operation(i).equals("hypercall")) {
        assertEquals(Action.KEEP, plan.action(i));
        assertTrue(plan.entry(i).reason().contains("vendor"), plan.entry(i).reason());
      }
    }
  }

  @Test
  void rewrittenDirectCallsLoseTheirEntries() {
    Plan plan = plan("6.12 cloud", PlanOptions.of(Target.NATIVE));
    long never = plan.edits().stream().filter(e -> e.purpose().endsWith("never taken")).count();
    assertEquals(plan.edits().size(), never);
    assertTrue(never >= 4068);
    for (Plan.Edit e : plan.edits()) {
      // ALWAYS is 117; flag 1 is NOT, flag 2 marks the direct call.
      assertEquals(117, e.after()[0]);
      assertEquals(1, e.after()[2] & 1);
      assertEquals(e.before()[2] & 2, e.after()[2] & 2);
    }
  }

  @ParameterizedTest
  @CsvSource({"5.10.262 cloud, 7518", "5.10.223 cloud, 7503", "6.1 686-pae, 265"})
  void relocationsOfReplacedOperandsGo(String kernel, int removed) {
    Plan plan = plan(kernel, PlanOptions.of(Target.NATIVE));
    assertEquals(removed, plan.removedRelocations().size());
    assertEquals(List.of(), plan.addedRelocations());
  }

  @Test
  void entriesAreSortedAndDoNotOverlap() {
    Plan plan = plan("6.12 cloud", PlanOptions.of(Target.KVM));
    for (int i = 1; i < plan.size(); i++) {
      assertTrue(plan.offset(i) >= plan.offset(i - 1) + plan.length(i - 1), "entry " + i);
    }
    assertEquals(plan.size(), plan.entries().size());
    assertEquals(plan.size(), plan.counts().values().stream().mapToInt(Integer::intValue).sum());
    int mid = plan.size() / 2;
    assertEquals(mid, plan.covering(plan.address(mid) + plan.length(mid) - 1));
    assertEquals(-1, plan.covering(0));
  }

  @Test
  void refusesAProfileOfAnotherKernel() {
    GuestImage image = Kernels.image("6.1 cloud");
    Profile p = Profile.of(List.of(), List.of(0), 1);
    Profile other =
        new Profile(
            Optional.of("Linux version 9.9"),
            p.buildId(),
            p.hypervisor(),
            p.cpuModel(),
            p.pvOps(),
            p.pvOpsLock(),
            p.cpuCapabilities(),
            1,
            p.possibleCpus(),
            p.uniprocessor(),
            p.returnThunk(),
            p.idealNops(),
            p.pvOpsWrites());
    SiteMap sites = SiteMap.of(image);
    PlanOptions options = PlanOptions.of(Target.NATIVE).withProfile(other);
    ImageException e = assertThrows(ImageException.class, () -> Planner.plan(sites, options));
    assertTrue(e.getMessage().contains("another kernel"), e.getMessage());
  }

  /** Jumps to thunks of 7.2's Rust code lack the prefix that makes room for an LFENCE. */
  @Test
  void aKernelThatWouldNotSurviveItsRetpolinesIsNotSealed() {
    SiteMap sites = SiteMap.of(Kernels.image("7.2 cloud"));
    Integer[] words = new Integer[24];
    Arrays.fill(words, 0);
    for (int feature :
        new int[] {CpuFeature.ALWAYS, CpuFeature.RETPOLINE, CpuFeature.RETPOLINE_LFENCE}) {
      words[feature >> 5] |= 1 << (feature & 31);
    }
    List<Long> slots = sites.pvOps().orElseThrow().slots().stream().map(s -> s.initial()).toList();
    Profile profile = Profile.of(slots, List.of(words), 1);
    PlanOptions options = PlanOptions.of(Target.NATIVE).withProfile(profile);
    Plan plan = Planner.plan(sites, options);
    assertTrue(
        plan.untouched().stream()
            .anyMatch(u -> u.table().equals(AddressTable.Kind.RETPOLINE_SITES.table())),
        plan.untouched().toString());
    Plan sealed = Planner.plan(sites, options.withSeal(true));
    assertTrue(
        sealed.sealObstacles().stream().anyMatch(o -> o.contains("retpoline_sites")),
        sealed.sealObstacles().toString());
  }

  @Test
  void aProfileThatCoversNothingLeavesWhatTheEnvironmentDecides() {
    // No slots, no capability words: only what the kernel does anywhere, sealing its endbr64s.
    Profile empty = Profile.of(List.of(), List.of(), 2);
    Plan plan = plan("6.12 cloud", PlanOptions.of(Target.NATIVE).withProfile(empty));
    for (int i = 0; i < plan.size(); i++) {
      if (!plan.table(i).equals(".ibt_endbr_seal")) {
        assertFalse(plan.changes(i), plan.entry(i)::toString);
      }
    }
  }

  @Test
  void everyKernelsInlineSequencesAreItsOwn() {
    // 5.10 keeps the bytes in patch_data_xxl; ours must be among them.
    GuestImage image = Kernels.image("5.10.262 cloud");
    long at = image.symbols().addressOf("patch_data_xxl");
    String own = HexFormat.of().formatHex(image.bytes(at, 64));
    for (String op :
        List.of(
            "irq.restore_fl",
            "irq.save_fl",
            "irq.irq_enable",
            "irq.irq_disable",
            "mmu.read_cr2",
            "mmu.read_cr3",
            "mmu.write_cr3",
            "cpu.wbinvd")) {
      String ours = HexFormat.of().formatHex(ParavirtRule.inlined(op).orElseThrow());
      assertTrue(own.contains(ours), op + " " + ours + " not in " + own);
    }
  }
}
