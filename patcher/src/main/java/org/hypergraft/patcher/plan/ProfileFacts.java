package org.hypergraft.patcher.plan;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;

/** What a boot decided, taken from its profile. */
final class ProfileFacts implements Facts {
  private final Profile profile;
  private final int mainSlots;
  private final BooleanSupplier returnsLeft;
  private final BitSet rewritten = new BitSet();

  /**
   * @param returnsLeft whether the returns are left to the guest, and with them the alternatives
   */
  ProfileFacts(SiteMap sites, Profile profile, BooleanSupplier returnsLeft) {
    this.profile = profile;
    this.returnsLeft = returnsLeft;
    Map<Integer, Long> first = new HashMap<>();
    for (Profile.SlotWrite w : profile.pvOpsWrites()) {
      Long before = first.putIfAbsent(w.slot(), w.value());
      if (before != null && before != w.value()) {
        rewritten.set(w.slot());
      }
    }
    mainSlots = sites.pvOps().map(PvOps::mainSlots).orElse(0);
  }

  @Override
  public Function slot(int index) {
    if (rewritten.get(index)) {
      return Function.unknown(
          "the profile has several functions in this slot, one after the other");
    }
    boolean main = index < mainSlots;
    int i = main ? index : index - mainSlots;
    var list = main ? profile.pvOps() : profile.pvOpsLock();
    return i < list.size()
        ? Function.of(list.get(i))
        : Function.unknown("the profile has no %s[%d]".formatted(main ? "pvOps" : "pvOpsLock", i));
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
