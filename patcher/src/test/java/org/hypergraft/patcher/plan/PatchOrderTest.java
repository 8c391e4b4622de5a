package org.hypergraft.patcher.plan;

import static org.hypergraft.patcher.plan.Stage.ALTERNATIVES;
import static org.hypergraft.patcher.plan.Stage.CALLS;
import static org.hypergraft.patcher.plan.Stage.ENDBR;
import static org.hypergraft.patcher.plan.Stage.LOCKS;
import static org.hypergraft.patcher.plan.Stage.PARAVIRT;
import static org.hypergraft.patcher.plan.Stage.RETPOLINES;
import static org.hypergraft.patcher.plan.Stage.RETURNS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.Stream;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.site.SiteMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Kernels tell themselves in which order they apply their tables. */
class PatchOrderTest {
  static Stream<Arguments> kernels() {
    List<Stage> v5 = List.of(RETPOLINES, RETURNS, ALTERNATIVES, LOCKS, PARAVIRT);
    List<Stage> v6 = List.of(PARAVIRT, RETPOLINES, RETURNS, ALTERNATIVES, LOCKS);
    List<Stage> narrow = List.of(PARAVIRT, ALTERNATIVES, LOCKS);
    return Stream.of(
        Arguments.of("5.10.223 cloud", PatchOrder.PARAVIRT_LAST, v5),
        Arguments.of("5.10.262 cloud", PatchOrder.PARAVIRT_LAST, v5),
        Arguments.of("6.1 cloud", PatchOrder.PARAVIRT_FIRST, v6),
        Arguments.of("6.1 amd64", PatchOrder.PARAVIRT_FIRST, v6),
        Arguments.of("6.1 686", PatchOrder.PARAVIRT_FIRST, narrow),
        Arguments.of("6.1 686-pae", PatchOrder.PARAVIRT_FIRST, narrow),
        Arguments.of(
            "6.12 cloud",
            PatchOrder.PARAVIRT_FIRST,
            List.of(RETPOLINES, RETURNS, ALTERNATIVES, CALLS, ENDBR, LOCKS)),
        Arguments.of(
            "7.2 cloud",
            PatchOrder.CALLS_FIRST,
            List.of(RETPOLINES, RETURNS, CALLS, ALTERNATIVES, ENDBR, LOCKS)));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void isReadFromTheKernelsOwnCode(String kernel, PatchOrder order, List<Stage> code) {
    SiteMap sites = SiteMap.of(Kernels.image(kernel));
    assertEquals(code, PatchOrder.observed(sites));
    assertEquals(order, PatchOrder.of(sites));
  }

  @Test
  void anOrderThatNobodyHasSeenIsRefused() {
    // Exchange the tables that the calls for returns and for alternatives get.
    GuestImage image = Kernels.image("6.1 cloud");
    byte[] bytes = image.payload().clone();
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    List<PatchingCode.Step> steps = PatchingCode.read(SiteMap.of(image));
    int returns = steps.get(2).endField();
    int alternatives = steps.get(3).endField();
    assertEquals(RETURNS, steps.get(2).stage());
    // movq $end,%rsi; movq $start,%rdi: two instructions of 7 bytes, constants last.
    for (int field : new int[] {0, 7}) {
      int one = b.getInt(returns + field);
      b.putInt(returns + field, b.getInt(alternatives + field));
      b.putInt(alternatives + field, one);
    }
    SiteMap sites = SiteMap.of(GuestImage.parse(bytes, "exchanged"));
    ImageException e = assertThrows(ImageException.class, () -> PatchOrder.of(sites));
    assertTrue(
        e.getMessage().endsWith("paravirt, retpolines, alternatives, returns, locks"),
        e.getMessage());
  }
}
