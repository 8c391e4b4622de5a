package org.hypergraft.patcher.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.annotator.image.ImageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a sealed image requires, and whether a machine has it. */
class SealedForTest {
  private static boolean meets(String item, String commandLine) {
    return new SealedFor(Machines.cpu("baseline", null), "kvm", 2, commandLine).meets(item);
  }

  @ParameterizedTest
  @CsvSource({
    "hypervisor kvm, true",
    "hypervisor none, false",
    "cpus 2, true",
    "cpus 1, false",
    "feature SMAP 308, true",
    "no-feature SMAP 308, false",
    "feature LA57 528, false",
    "feature HYPERVISOR 159, true",
    "feature RETPOLINE 236, true",
    "no-feature RETPOLINE 236, true",
    "paravirtual-locks, true"
  })
  void machineIsHeldToEachItem(String item, boolean met) {
    assertEquals(met, meets(item, "console=ttyS0"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "quiet clearcpuid=308 | true",
        "clearcpuid=295,308,297 | true",
        "clearcpuid=308 clearcpuid=295 | false",
        "clearcpuid=smap | false",
        "clearcpuid=smap,308 | false",
        "clearcpuid=0308 | false",
        "clearcpuid=2980,2981,2982,2983,2984,2985,308 | false",
        "xclearcpuid=308 | false",
        "nosmap | false"
      })
  void featuresThatTheCommandLineClearsAreAbsent(String commandLine, boolean cleared) {
    assertEquals(cleared, meets("no-feature SMAP 308", commandLine));
    assertEquals(!cleared, meets("feature SMAP 308", commandLine));
  }

  @Test
  void fiveLevelPagingIsClearedByItsName() {
    assertTrue(meets("no-feature LA57 528", "no5lvl quiet"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hypervisor",
        "cpus many",
        "cpus 99999999999",
        "feature",
        "feature SMAP",
        "no-feature SMAP x",
        "feature SMAP 99999999999"
      })
  void damagedItemsAreRefused(String item) {
    ImageException e = assertThrows(ImageException.class, () -> meets(item, ""));
    assertTrue(e.getMessage().endsWith("requires '" + item + "'"), e.getMessage());
  }
}
