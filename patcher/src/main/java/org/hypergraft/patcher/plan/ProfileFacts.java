package org.hypergraft.patcher.plan;

import java.util.OptionalInt;
import java.util.OptionalLong;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;

/** What a boot decided, taken from its profile. */
final class ProfileFacts implements Facts {
  private final Profile profile;
  private final int mainSlots;

  ProfileFacts(SiteMap sites, Profile profile) {
    this.profile = profile;
    mainSlots = sites.pvOps().map(PvOps::mainSlots).orElse(0);
  }

  @Override
  public Function slot(int index) {
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
    return true;
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
