package org.hypergraft.patcher.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class AssumptionsTest {
  @Test
  void whatIsNotMentionedKeepsItsDefault() {
    Assumptions a = Assumptions.parse("cpus=7", Target.KVM);
    assertEquals(7, a.cpus().orElseThrow());
    assertEquals(Assumptions.defaults(Target.KVM).features(), a.features());
    Assumptions f = Assumptions.parse("features=steal_time,pv-unhalt,cpus=1", Target.KVM);
    assertEquals("features=pv-unhalt,steal-time,cpus=1", f.toString());
    assertEquals(Tri.YES, f.has("steal-time"));
    assertEquals(Tri.NO, f.has("nop-io-delay"));
    assertEquals(Tri.NO, f.severalCpus());
  }

  @Test
  void noneTakesAnAssumptionAway() {
    Assumptions a = Assumptions.parse("features=none,cpus=none", Target.KVM);
    assertEquals(Tri.UNKNOWN, a.has("steal-time"));
    assertEquals(Tri.UNKNOWN, a.severalCpus());
    assertEquals(a, Assumptions.parse(a.toString(), Target.KVM));
  }

  @Test
  void anEmptyListMeansNoFeatureAtAll() {
    Assumptions a = Assumptions.parse("features=", Target.KVM);
    assertEquals(Tri.NO, a.has("steal-time"));
    assertEquals(a, Assumptions.parse(a.toString(), Target.KVM));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cpus=0 | from 1 to 9999",
        "cpus=x | from 1 to 9999",
        "colour=red | unknown assumption 'colour'",
        "steal-time | belongs to nothing",
        "features=warp | unknown feature 'warp' for target kvm",
        "features=none,steal-time | excludes"
      })
  void saysWhatIsWrong(String text, String expected) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Assumptions.parse(text, Target.KVM));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  @ParameterizedTest
  @EnumSource(Target.class)
  void optionsReadBackFromTheirText(Target target) {
    PlanOptions o = PlanOptions.of(target).withCpuVendor(CpuVendor.AMD).withUniprocessor(true);
    assertEquals(o, PlanOptions.parse(o.canonical(), Optional.empty()));
    assertEquals(Optional.of(target), Target.named(target.id()), "targets are found by their id");
  }

  @Test
  void optionsWithAProfileNeedThatProfile() {
    Profile p = Profile.of(List.of(1L), List.of(2), 3);
    PlanOptions o = PlanOptions.of(Target.KVM).withProfile(p).withSeal(true);
    assertEquals(o, PlanOptions.parse(o.canonical(), Optional.of(p)));
    String text = o.canonical();
    assertThrows(IllegalArgumentException.class, () -> PlanOptions.parse(text, Optional.empty()));
    Profile other = Profile.of(List.of(1L), List.of(2), 4);
    assertThrows(IllegalArgumentException.class, () -> PlanOptions.parse(text, Optional.of(other)));
  }

  @Test
  void sealingNeedsAProfileAndIsNotForXenPv() {
    PlanOptions o = PlanOptions.of(Target.NATIVE);
    assertThrows(IllegalArgumentException.class, () -> o.withSeal(true));
    PlanOptions xen =
        PlanOptions.of(Target.XEN_PV).withProfile(Profile.of(List.of(), List.of(), 1));
    assertThrows(IllegalArgumentException.class, () -> xen.withSeal(true));
  }

  @Test
  void aProfileDecidesForItsOwnHypervisorOnly() {
    Map<String, Target> recordedOn =
        Map.of("none", Target.NATIVE, "kvm", Target.KVM, "xen-pv", Target.XEN_PV);
    recordedOn.forEach(
        (hypervisor, own) -> {
          Profile p =
              ProfileJson.parse(
                  ("{\"version\": 1, \"hypervisor\": \"%s\", \"pvOps\": [],"
                          + " \"cpuCapabilities\": [], \"presentCpus\": 1}")
                      .formatted(hypervisor)
                      .getBytes(StandardCharsets.UTF_8),
                  "profile");
          for (Target t : Target.values()) {
            if (t == own) {
              assertEquals(p, PlanOptions.of(t).withProfile(p).profile().orElseThrow());
            } else {
              PlanOptions o = PlanOptions.of(t);
              assertThrows(IllegalArgumentException.class, () -> o.withProfile(p));
            }
          }
        });
  }

  @Test
  void unknownNeverDecides() {
    for (Tri t : Tri.values()) {
      assertEquals(Tri.NO, Tri.NO.and(t));
      assertEquals(t, Tri.YES.and(t));
      assertEquals(t, t.not().not());
    }
    assertEquals(Tri.UNKNOWN, Tri.UNKNOWN.and(Tri.YES));
  }
}
