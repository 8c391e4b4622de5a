package org.hypergraft.patcher.plan;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.hypergraft.annotator.abi.KvmAbi;

/**
 * Which hypervisor support code of Linux replaces which paravirtual function, and when. Sources,
 * read in 5.10 to 7.2: {@code arch/x86/kernel/kvm.c} and {@code kvmclock.c}, {@code
 * arch/x86/hyperv/{hv_spinlock,mmu}.c} and {@code drivers/clocksource/hyperv_timer.c}, {@code
 * arch/x86/kernel/cpu/vmware.c}, {@code arch/x86/xen/{spinlock,mmu_hvm,time}.c}.
 */
final class SlotRules {
  /**
   * One assignment {@code pv_ops.x = function}.
   *
   * @param operation the slot
   * @param function symbols it may be called, the first that exists counts
   * @param condition of the assignment
   * @param rests what the condition rests on, for people
   * @param needsSetup the function faults or lies before its hypervisor support is set up, and the
   *     guest calls through the slot before that
   */
  record Rule(
      String operation,
      List<String> function,
      Function<Assumptions, Tri> condition,
      String rests,
      boolean needsSetup) {
    Rule(
        String operation,
        List<String> function,
        Function<Assumptions, Tri> condition,
        String rests) {
      this(operation, function, condition, rests, false);
    }

    /**
     * A scheduler's clock, which start_kernel's first message reads; since 5.12 a static call.
     * KVM's and Xen's follow a pointer that is null until they are set up (kvmclock_init(),
     * xen_setup_shared_info()), Hyper-V's and VMware's count from an origin that is not taken yet.
     */
    static Rule clock(List<String> function, Function<Assumptions, Tri> condition, String rests) {
      return new Rule(CLOCK, function, condition, rests, true);
    }
  }

  private static final String CLOCK = "time.sched_clock";

  /** Why a slot is not decided although its function is known. */
  static final String BEFORE_SETUP = "the guest calls it before its hypervisor support is set up";

  private static final String THUNK = "__raw_callee_save_";

  private SlotRules() {}

  /**
   * {@code lkgs_init()}, arch/x86/include/asm/gsseg.h: on the CPU alone, whatever the hypervisor.
   */
  static final Rule LKGS =
      new Rule(
          "cpu.load_gs_index",
          List.of("native_lkgs"),
          a -> a.has(Assumptions.LKGS),
          Assumptions.LKGS);

  /**
   * Slots that hold one function after the other while a Xen PV domain boots, and who writes the
   * last one: sites that run earlier need the first. Sources, 5.10 to 7.2: {@code
   * arch/x86/xen/mmu_pv.c} and {@code enlighten_pv.c}.
   */
  private static final Map<String, Set<String>> XEN_PV_INTERIM =
      Map.of(
          "xen_post_allocator_init",
          Set.of(
              "mmu.set_pte",
              "mmu.set_pmd",
              "mmu.set_pud",
              "mmu.set_p4d",
              "mmu.alloc_pte",
              "mmu.alloc_pmd",
              "mmu.alloc_pud",
              "mmu.release_pte",
              "mmu.release_pmd",
              "mmu.release_pud",
              "mmu.make_pte",
              "mmu.write_cr3"),
          "xen_setup_vcpu_info_placement",
          Set.of(
              "irq.save_fl", "irq.restore_fl", "irq.irq_disable", "irq.irq_enable", "mmu.read_cr2"),
          "xen_setup_gdt",
          Set.of("cpu.load_gdt", "cpu.write_gdt_entry"));

  /**
   * Why the function that a slot ended with must not be called from the kernel's first instruction
   * on; empty when it may.
   *
   * @param operation the slot; it does not hold its initialiser
   * @param writtenOnce whether it was seen to be written only once
   */
  static Optional<String> unsettled(Target target, String operation, boolean writtenOnce) {
    // No hypervisor's clock works early: the rule of any of them stands for all.
    if (Arrays.stream(Target.values())
        .flatMap(t -> of(t, false).stream())
        .anyMatch(r -> r.needsSetup() && r.operation().equals(operation))) {
      return Optional.of(BEFORE_SETUP);
    }
    if (target != Target.XEN_PV || writtenOnce) {
      return Optional.empty();
    }
    return XEN_PV_INTERIM.entrySet().stream()
        .filter(e -> e.getValue().contains(operation))
        .map(e -> "on xen-pv it holds another function until " + e.getKey() + "()")
        .findFirst();
  }

  /**
   * The assignments of a target; all other slots keep their initialisers.
   *
   * @param since5_12 whether {@code flush_tlb_multi} exists: the TLB rules gained conditions then
   */
  static List<Rule> of(Target target, boolean since5_12) {
    return switch (target) {
      case NATIVE, XEN_PV -> List.of();
      case KVM -> kvm(since5_12);
      case HYPERV -> hyperv();
      case VMWARE -> vmware();
      case XEN_PVH -> xenPvh();
    };
  }

  private static List<Rule> kvm(boolean since5_12) {
    Function<Assumptions, Tri> steal = on(KvmAbi.Feature.STEAL_TIME);
    Function<Assumptions, Tri> spin =
        a ->
            a.has(KvmAbi.Feature.PV_UNHALT.id())
                .and(a.has(KvmAbi.Feature.REALTIME.id()).not())
                .and(a.severalCpus());
    Function<Assumptions, Tri> flush =
        a ->
            a.has(KvmAbi.Feature.PV_TLB_FLUSH.id())
                .and(a.has(KvmAbi.Feature.STEAL_TIME.id()))
                .and(a.has(KvmAbi.Feature.REALTIME.id()).not())
                .and(since5_12 ? a.has(Assumptions.MWAIT).not() : Tri.YES)
                .and(since5_12 ? a.severalCpus() : Tri.YES);
    Function<Assumptions, Tri> preempted =
        since5_12 ? steal : a -> spin.apply(a).and(steal.apply(a));
    String spinRests = "pv-unhalt, realtime, cpus";
    String flushRests = "pv-tlb-flush, steal-time, realtime" + (since5_12 ? ", mwait, cpus" : "");
    return List.of(
        new Rule(
            "cpu.io_delay",
            List.of("kvm_io_delay"),
            on(KvmAbi.Feature.NOP_IO_DELAY),
            "nop-io-delay"),
        Rule.clock(
            List.of("kvm_sched_clock_read"),
            a ->
                or(a.has(KvmAbi.Feature.CLOCKSOURCE2.id()), a.has(KvmAbi.Feature.CLOCKSOURCE.id())),
            "clocksource2, clocksource"),
        new Rule("time.steal_clock", List.of("kvm_steal_clock"), steal, "steal-time"),
        new Rule("mmu.flush_tlb_multi", List.of("kvm_flush_tlb_multi"), flush, flushRests),
        new Rule("mmu.flush_tlb_others", List.of("kvm_flush_tlb_others"), flush, flushRests),
        new Rule("mmu.tlb_remove_table", List.of("tlb_remove_table"), flush, flushRests),
        new Rule(
            "lock.queued_spin_lock_slowpath",
            List.of("__pv_queued_spin_lock_slowpath"),
            spin,
            spinRests),
        new Rule(
            "lock.queued_spin_unlock", List.of(THUNK + "__pv_queued_spin_unlock"), spin, spinRests),
        new Rule("lock.wait", List.of("kvm_wait"), spin, spinRests),
        new Rule("lock.kick", List.of("kvm_kick_cpu"), spin, spinRests),
        new Rule(
            "lock.vcpu_is_preempted",
            List.of(THUNK + "__kvm_vcpu_is_preempted"),
            preempted,
            since5_12 ? "steal-time" : "steal-time, " + spinRests));
  }

  private static List<Rule> hyperv() {
    Function<Assumptions, Tri> spin =
        a -> a.has(Assumptions.HV_CLUSTER_IPI).and(a.has(Assumptions.HV_GUEST_IDLE));
    String spinRests = "cluster-ipi, guest-idle";
    Function<Assumptions, Tri> flush = a -> a.has(Assumptions.HV_REMOTE_TLB_FLUSH);
    return List.of(
        new Rule(
            "mmu.flush_tlb_multi", List.of("hyperv_flush_tlb_multi"), flush, "remote-tlb-flush"),
        new Rule(
            "mmu.flush_tlb_others", List.of("hyperv_flush_tlb_others"), flush, "remote-tlb-flush"),
        new Rule("mmu.tlb_remove_table", List.of("tlb_remove_table"), flush, "remote-tlb-flush"),
        Rule.clock(
            List.of("hv_sched_clock_native", "read_hv_sched_clock_tsc"),
            a -> Tri.UNKNOWN,
            "which reference clock Hyper-V offers"),
        new Rule(
            "lock.queued_spin_lock_slowpath",
            List.of("__pv_queued_spin_lock_slowpath"),
            spin,
            spinRests),
        new Rule(
            "lock.queued_spin_unlock", List.of(THUNK + "__pv_queued_spin_unlock"), spin, spinRests),
        new Rule("lock.wait", List.of("hv_qlock_wait"), spin, spinRests),
        new Rule("lock.kick", List.of("hv_qlock_kick"), spin, spinRests),
        new Rule(
            "lock.vcpu_is_preempted", List.of(THUNK + "hv_vcpu_is_preempted"), spin, spinRests));
  }

  private static List<Rule> vmware() {
    return List.of(
        new Rule(
            "cpu.io_delay",
            List.of("_paravirt_nop", "paravirt_nop", "nop_func"),
            a -> Tri.YES,
            "nothing"),
        Rule.clock(
            List.of("vmware_sched_clock"),
            a -> Tri.UNKNOWN,
            "the clock frequency that VMware reports"),
        new Rule(
            "time.steal_clock",
            List.of("vmware_steal_clock"),
            a -> Tri.UNKNOWN,
            "whether VMware offers a steal clock"));
  }

  private static List<Rule> xenPvh() {
    Function<Assumptions, Tri> spin = Assumptions::severalCpus;
    return List.of(
        new Rule(
            "mmu.exit_mmap",
            List.of("xen_hvm_exit_mmap"),
            a -> a.has(Assumptions.XEN_PAGETABLE_DYING),
            Assumptions.XEN_PAGETABLE_DYING),
        Rule.clock(List.of("xen_sched_clock"), a -> Tri.YES, "nothing"),
        new Rule("time.steal_clock", List.of("xen_steal_clock"), a -> Tri.YES, "nothing"),
        new Rule(
            "lock.queued_spin_lock_slowpath",
            List.of("__pv_queued_spin_lock_slowpath"),
            spin,
            "cpus"),
        new Rule(
            "lock.queued_spin_unlock", List.of(THUNK + "__pv_queued_spin_unlock"), spin, "cpus"),
        new Rule("lock.wait", List.of("xen_qlock_wait"), spin, "cpus"),
        new Rule("lock.kick", List.of("xen_qlock_kick"), spin, "cpus"),
        new Rule("lock.vcpu_is_preempted", List.of(THUNK + "xen_vcpu_stolen"), spin, "cpus"));
  }

  private static Function<Assumptions, Tri> on(KvmAbi.Feature feature) {
    return a -> a.has(feature.id());
  }

  private static Tri or(Tri a, Tri b) {
    return a.not().and(b.not()).not();
  }
}
