package org.hypergraft.patcher.plan;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;

/** What a boot decided, taken from its profile. */
final class ProfileFacts implements Facts {
  private final Profile profile;
  private final Target target;
  private final List<PvOps.Slot> slots;
  private final int mainSlots;
  private final BooleanSupplier returnsLeft;

  /** Slots by how many functions they were seen to be given: one, or several. */
  private final BitSet written = new BitSet();

  private final BitSet rewritten = new BitSet();

  /** What is decided of each slot, as far as it was asked for. */
  private final Function[] known;

  /**
   * @param target whose interface the profile's slots are
   * @param returnsLeft whether the returns are left to the guest, and with them the alternatives
   */
  ProfileFacts(SiteMap sites, Profile profile, Target target, BooleanSupplier returnsLeft) {
    this.profile = profile;
    this.target = target;
    this.returnsLeft = returnsLeft;
    Map<Integer, Long> first = new HashMap<>();
    for (Profile.SlotWrite w : profile.pvOpsWrites()) {
      written.set(w.slot());
      Long before = first.putIfAbsent(w.slot(), w.value());
      if (before != null && before != w.value()) {
        rewritten.set(w.slot());
      }
    }
    slots = sites.pvOps().map(PvOps::slots).orElse(List.of());
    known = new Function[slots.size()];
    mainSlots = sites.pvOps().map(PvOps::mainSlots).orElse(0);
  }

  @Override
  public Function slot(int index) {
    if (known[index] == null) {
      known[index] = decide(index);
    }
    return known[index];
  }

  private Function decide(int index) {
    if (rewritten.get(index)) {
      return Function.unknown(
          "the profile has several functions in this slot, one after the other");
    }
    boolean main = index < mainSlots;
    int i = main ? index : index - mainSlots;
    var list = main ? profile.pvOps() : profile.pvOpsLock();
    if (i >= list.size()) {
      return Function.unknown(
          "the profile has no %s[%d]".formatted(main ? "pvOps" : "pvOpsLock", i));
    }
    long function = list.get(i);
    Optional<String> unsettled =
        function == slots.get(index).initial()
            ? Optional.empty()
            : SlotRules.unsettled(target, slots.get(index).operation(), written.get(index));
    return unsettled.map(Function::unknown).orElseGet(() -> Function.of(function));
  }

  @Override
  public Tri has(int feature) {
    int word = feature >> 5;
    return word < profile.cpuCapabilities().size()
        ? Tri.of((profile.cpuCapabilities().get(word) >>> (feature & 31) & 1) != 0)
        : Tri.UNKNOWN;
  }

  @Override
  public boolean decidesCpuAlternatives() {
    return !returnsLeft.getAsBoolean();
  }

  @Override
  public String whyUnknown(String featureName) {
    return "CPU feature " + featureName + " decides, which the profile does not cover";
  }

  @Override
  public OptionalInt presentCpus() {
    return OptionalInt.of(profile.presentCpus());
  }

  @Override
  public OptionalLong returnThunk() {
    return profile.returnThunk();
  }

  @Override
  public String nopTable() {
    return profile.idealNops().orElse("p6_nops");
  }

  @Override
  public boolean knowsMitigations() {
    return true;
  }
}
