package org.hypergraft.patcher.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Profiles that other tools wrote, on other machines. */
class ProfileCheckTest {
  private static final String KERNEL = "6.1 cloud";

  private static long[] slots(SiteMap sites) {
    return sites.pvOps().orElseThrow().slots().stream().mapToLong(PvOps.Slot::initial).toArray();
  }

  private static String json(LongStream slots, String words, String more) {
    return "{\"pvOps\": [%s], \"cpuCapabilities\": [%s], \"presentCpus\": 2, %s\"version\": 1}"
        .formatted(
            slots
                .mapToObj(s -> "\"0x" + Long.toHexString(s) + '"')
                .collect(Collectors.joining(",")),
            words,
            more);
  }

  private static Plan plan(SiteMap sites, String json) {
    Profile p = ProfileJson.parse(json.getBytes(StandardCharsets.UTF_8), "p.json");
    return Planner.plan(sites, PlanOptions.of(Target.NATIVE).withProfile(p));
  }

  @Test
  void theFormDoesNotMatter() {
    SiteMap sites = SiteMap.of(Kernels.image(KERNEL));
    String high = Long.toString(0xf000_0001L);
    String signed = Integer.toString(0xf000_0001);
    String zeros = ",0".repeat(23);
    Plan plain = plan(sites, json(LongStream.of(slots(sites)), high + zeros, ""));
    // Words as signed numbers, members nobody knows, empty ones, and a dump that goes on.
    Plan odd =
        plan(
            sites,
            json(
                LongStream.concat(LongStream.of(slots(sites)), LongStream.of(0, 7, -1)),
                signed + zeros + zeros,
                "\"kernel\": null, \"comment\": {\"by\": [\"hand\"]}, \"hypervisor\": \"dump\", "));
    assertEquals(plain.size(), odd.size());
    assertEquals(plain.counts(), odd.counts());
    for (int i = 0; i < plain.size(); i++) {
      assertArrayEquals(plain.entry(i).replacement(), odd.entry(i).replacement());
    }
  }

  @Test
  void addressesThatWereMovedAreRefused() {
    SiteMap sites = SiteMap.of(Kernels.image(KERNEL));
    for (long by : new long[] {0x1a00_0000, 1, 1L << 62}) {
      String moved = json(LongStream.of(slots(sites)).map(s -> s + by), "0", "");
      ImageException e = assertThrows(ImageException.class, () -> plan(sites, moved));
      assertTrue(e.getMessage().contains("\"pvOps[0]\""), e.getMessage());
      assertTrue(e.getMessage().contains("without a KASLR offset"), e.getMessage());
    }
    String words =
        "0,".repeat(CpuFeature.RETHUNK / 32) + (1L << CpuFeature.RETHUNK % 32) + ",0,0,0,0";
    String thunk = json(LongStream.of(slots(sites)), words, "\"returnThunk\": \"0x1000\", ");
    ImageException e = assertThrows(ImageException.class, () -> plan(sites, thunk));
    assertTrue(e.getMessage().contains("\"returnThunk\" is 0x1000"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 40})
  void whatIsNotCoveredStays(int known) {
    SiteMap sites = SiteMap.of(Kernels.image(KERNEL));
    Plan plan = plan(sites, json(LongStream.of(slots(sites)).limit(known), "0,0,0", ""));
    Set<String> covered = new HashSet<>();
    List<PvOps.Slot> all = sites.pvOps().orElseThrow().slots();
    all.subList(0, known).forEach(s -> covered.add(s.operation()));
    for (int i = 0; i < plan.size(); i++) {
      if (plan.changes(i) && plan.table(i).equals(".parainstructions")) {
        assertTrue(covered.contains(plan.operation(i)), plan.entry(i)::toString);
      }
    }
  }
}
