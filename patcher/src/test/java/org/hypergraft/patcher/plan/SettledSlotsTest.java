package org.hypergraft.patcher.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.HypercallPage;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Slots whose last function must not be called from the first instruction on. */
class SettledSlotsTest {
  /** The profile of a boot that gave slots these functions, on that hypervisor. */
  private static Profile profile(
      SiteMap sites, String hypervisor, List<Profile.SlotWrite> writes, String... functions) {
    PvOps ops = sites.pvOps().orElseThrow();
    List<Long> slots = new ArrayList<>();
    ops.slots().forEach(s -> slots.add(s.initial()));
    for (int i = 0; i < functions.length; i += 2) {
      long address = sites.image().symbols().addressOf(functions[i + 1]);
      slots.set(ops.slot(functions[i]).orElseThrow().index(), address);
    }
    List<Integer> capabilities = new ArrayList<>(Collections.nCopies(32, 0));
    int xen = hypervisor.equals("xen-pv") ? 1 : 0;
    capabilities.set(CpuFeature.XENPV / 32, xen << CpuFeature.XENPV % 32);
    return new Profile(
        Optional.empty(),
        Optional.empty(),
        Optional.of(hypervisor),
        Optional.empty(),
        slots.subList(0, ops.mainSlots()),
        slots.subList(ops.mainSlots(), slots.size()),
        capabilities,
        2,
        OptionalInt.empty(),
        Optional.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        writes);
  }

  private static Set<String> kept(Plan plan) {
    Set<String> out = new TreeSet<>();
    for (int i = 0; i < plan.size(); i++) {
      if (plan.action(i) == Action.KEEP && plan.table(i).equals(".parainstructions")) {
        out.add(plan.operation(i) + ": " + plan.entry(i).reason());
      }
    }
    return out;
  }

  @ParameterizedTest
  @CsvSource({
    "kvm, kvm, kvm_sched_clock_read",
    "hyperv, hyperv, read_hv_sched_clock_tsc",
    "vmware, vmware, vmware_sched_clock",
    "xen-pvh, xen-pvh, xen_sched_clock"
  })
  void noClockOfAHypervisorWorksBeforeItsSetup(String target, String hypervisor, String clock) {
    SiteMap sites = SiteMap.of(Kernels.image("5.10.262 cloud"));
    Profile p = profile(sites, hypervisor, List.of(), "time.sched_clock", clock);
    Target t = Target.named(target).orElseThrow();
    Plan plan = Planner.plan(sites, PlanOptions.of(t).withProfile(p));
    assertEquals(Set.of("time.sched_clock: " + SlotRules.BEFORE_SETUP), kept(plan));
    // Sealed, they would call through memory for ever.
    Plan sealed = Planner.plan(sites, PlanOptions.of(t).withProfile(p).withSeal(true));
    assertTrue(
        sealed.sealObstacles().stream()
            .anyMatch(
                s ->
                    s.equals(
                        "table .parainstructions: 3 cannot be decided: " + SlotRules.BEFORE_SETUP)),
        sealed.sealObstacles()::toString);
    Profile nativeClock = profile(sites, hypervisor, List.of());
    assertEquals(Set.of(), kept(Planner.plan(sites, PlanOptions.of(t).withProfile(nativeClock))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"5.10.262 cloud", "6.1 cloud"})
  void slotsThatChangeWhileAXenDomainBootsStay(String kernel) {
    SiteMap sites = SiteMap.of(Kernels.image(kernel));
    String[] functions = {
      "irq.irq_disable", "xen_irq_disable_direct",
      "mmu.set_pte", "xen_set_pte",
      "cpu.load_gdt", "xen_load_gdt",
      "cpu.cpuid", "xen_cpuid"
    };
    PlanOptions xen = PlanOptions.of(Target.XEN_PV);
    Profile blind = profile(sites, "xen-pv", List.of(), functions);
    String why = ": on xen-pv it holds another function until ";
    assertEquals(
        Set.of(
            "irq.irq_disable" + why + "xen_setup_vcpu_info_placement()",
            "mmu.set_pte" + why + "xen_post_allocator_init()",
            "cpu.load_gdt" + why + "xen_setup_gdt()"),
        kept(Planner.plan(sites, xen.withProfile(blind))));

    // A boot that was watched knows better: one write settles a slot, a second unsettles it.
    int disable = sites.pvOps().orElseThrow().slot("irq.irq_disable").orElseThrow().index();
    int cpuid = sites.pvOps().orElseThrow().slot("cpu.cpuid").orElseThrow().index();
    List<Profile.SlotWrite> writes =
        List.of(
            new Profile.SlotWrite(disable, 1, 0, "xen_start_kernel"),
            new Profile.SlotWrite(cpuid, 1, 0, "xen_start_kernel"),
            new Profile.SlotWrite(cpuid, 2, 0, "elsewhere"));
    Profile watched = profile(sites, "xen-pv", writes, functions);
    assertEquals(
        Set.of(
            "cpu.cpuid: the profile has several functions in this slot, one after the other",
            "mmu.set_pte" + why + "xen_post_allocator_init()",
            "cpu.load_gdt" + why + "xen_setup_gdt()"),
        kept(Planner.plan(sites, xen.withProfile(watched))));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> xen.withProfile(watched).withSeal(true));
    assertTrue(e.getMessage().contains("while it boots"), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "5.10.223 cloud, xen-pvh, 190, stubs that the hypervisor writes",
    "5.10.223 cloud, kvm, 190, reached on Xen only",
    "5.10.262 cloud, xen-pvh, 0, ''"
  })
  void hypercallStubsAreTheHypervisors(String kernel, String target, int calls, String why) {
    SiteMap sites = SiteMap.of(Kernels.image(kernel));
    Plan plan = Planner.plan(sites, PlanOptions.of(Target.named(target).orElseThrow()));
    List<Plan.Untouched> found =
        plan.untouched().stream().filter(u -> u.table().equals("hypercall_page")).toList();
    assertEquals(calls > 0 ? 1 : 0, found.size());
    if (calls > 0) {
      assertEquals(calls, found.get(0).entries());
      assertTrue(found.get(0).reason().contains(why), found.get(0)::reason);
      for (long call : HypercallPage.find(sites).orElseThrow().calls()) {
        int i = plan.covering(call);
        assertTrue(i < 0 || !plan.changes(i), "a site changes the call");
      }
    }
  }
}
