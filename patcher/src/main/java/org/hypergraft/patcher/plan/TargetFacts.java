package org.hypergraft.patcher.plan;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.abi.Operation;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;

/** What a target's name and the stated assumptions decide, and nothing else. */
final class TargetFacts implements Facts {
  private final Target target;
  private final Optional<CpuVendor> vendor;
  private final Optional<PvOps> pvOps;
  private final Function[] slots;

  TargetFacts(SiteMap sites, PlanOptions options) {
    target = options.target();
    vendor = options.cpuVendor();
    pvOps = sites.pvOps();
    slots = new Function[pvOps.map(o -> o.slots().size()).orElse(0)];
    if (pvOps.isPresent()) {
      decide(sites.image(), pvOps.get(), options.assumptions());
      keepLocksTogether(pvOps.get());
    }
  }

  private void decide(GuestImage image, PvOps ops, Assumptions assumptions) {
    Map<String, SlotRules.Rule> rules = new HashMap<>();
    boolean since5_12 = ops.slot("mmu.flush_tlb_multi").isPresent();
    for (SlotRules.Rule r : SlotRules.of(target, since5_12)) {
      rules.put(r.operation(), r);
    }
    if (image.symbols().contains(SlotRules.LKGS.function().get(0))) {
      rules.put(SlotRules.LKGS.operation(), SlotRules.LKGS);
    }
    for (PvOps.Slot s : ops.slots()) {
      SlotRules.Rule rule = rules.get(s.operation());
      if (target == Target.XEN_PV) {
        slots[s.index()] =
            Function.unknown("on xen-pv only a profile tells what " + s.operation() + " becomes");
      } else if (rule == null) {
        slots[s.index()] = Function.of(s.initial());
      } else {
        slots[s.index()] =
            switch (rule.condition().apply(assumptions)) {
              case NO -> Function.of(s.initial());
              case YES ->
                  rule.needsSetup()
                      ? Function.unknown(SlotRules.BEFORE_SETUP)
                      : resolve(image, rule.function(), s);
              case UNKNOWN ->
                  Function.unknown(
                      "%s depends on assumptions that were not made: %s"
                          .formatted(s.operation(), rule.rests()));
            };
      }
    }
  }

  private static Function resolve(GuestImage image, List<String> names, PvOps.Slot slot) {
    for (String name : names) {
      Optional<Symbol> s = image.symbols().find(name);
      if (s.isPresent()) {
        return Function.of(s.get().address());
      }
    }
    return Function.unknown(
        "%s would call %s, which this kernel does not have"
            .formatted(slot.operation(), String.join(" or ", names)));
  }

  /** A lock taken one way and released the other hangs: all of them are decided, or none. */
  private void keepLocksTogether(PvOps ops) {
    String reason = null;
    for (PvOps.Slot s : ops.slots()) {
      if (isLock(s) && !slots[s.index()].known()) {
        reason = slots[s.index()].reason();
        break;
      }
    }
    if (reason != null) {
      undecideLocks(reason);
    }
  }

  private static boolean isLock(PvOps.Slot s) {
    return Operation.named(s.operation()).filter(Operation::isQueuedLock).isPresent();
  }

  /** Makes the lock slots undecided, for a reason found at one of their sites. */
  void undecideLocks(String reason) {
    pvOps.ifPresent(
        ops -> {
          for (PvOps.Slot s : ops.slots()) {
            if (isLock(s)) {
              slots[s.index()] = Function.unknown(reason);
            }
          }
        });
  }

  @Override
  public Function slot(int index) {
    return slots[index];
  }

  @Override
  public Tri has(int feature) {
    return switch (feature) {
      case CpuFeature.ALWAYS -> Tri.YES;
      case CpuFeature.XENPV -> Tri.of(target == Target.XEN_PV);
      case CpuFeature.PVUNLOCK -> replaced("lock.queued_spin_unlock");
      case CpuFeature.VCPUPREEMPT -> replaced("lock.vcpu_is_preempted");
      case CpuFeature.VMMCALL -> vendor.map(v -> Tri.of(v == CpuVendor.AMD)).orElse(Tri.UNKNOWN);
      case CpuFeature.VMCALL, CpuFeature.VMW_VMMCALL ->
          target == Target.VMWARE ? Tri.UNKNOWN : Tri.NO;
      case CpuFeature.HYPERVISOR ->
          target == Target.NATIVE || target == Target.XEN_PV ? Tri.UNKNOWN : Tri.YES;
      // Confidential guests are not assumed: their slots and alternatives go with a profile.
      case CpuFeature.TDX_GUEST -> Tri.NO;
      default -> Tri.UNKNOWN;
    };
  }

  /** The kernel sets these features when the slot no longer holds its initialiser. */
  private Tri replaced(String operation) {
    Optional<PvOps.Slot> slot = pvOps.flatMap(o -> o.slot(operation));
    if (slot.isEmpty()) {
      return Tri.NO;
    }
    Function f = slots[slot.get().index()];
    return f.known() ? Tri.of(f.function() != slot.get().initial()) : Tri.UNKNOWN;
  }

  @Override
  public boolean decidesCpuAlternatives() {
    return false;
  }

  @Override
  public String whyUnknown(String featureName) {
    return featureName.equals("VMMCALL")
        ? "the CPU vendor decides between vmcall and vmmcall, and none was given"
        : featureName.equals("ALWAYS")
            ? "the guest applies it together with its CPU features"
            : "CPU feature " + featureName + " decides, which only a profile knows";
  }

  @Override
  public OptionalInt presentCpus() {
    return OptionalInt.empty();
  }

  @Override
  public OptionalLong returnThunk() {
    return OptionalLong.empty();
  }

  @Override
  public String nopTable() {
    return "p6_nops"; // every CPU since 2006 that runs hypervisors, see arch_init_ideal_nops()
  }

  @Override
  public boolean knowsMitigations() {
    return false;
  }
}
