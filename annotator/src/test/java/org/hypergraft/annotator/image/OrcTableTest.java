package org.hypergraft.annotator.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumMap;
import java.util.Map;
import org.hypergraft.annotator.image.OrcTable.Base;
import org.hypergraft.annotator.image.OrcTable.Kind;
import org.hypergraft.annotator.image.OrcTable.Row;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** All three numberings of the table's fields. */
class OrcTableTest {
  @ParameterizedTest
  @ValueSource(strings = {"5.10.223 cloud", "6.1 cloud", "6.12 cloud", "7.2 cloud"})
  void functionsAreEnteredByCalls(String kernel) {
    GuestImage image = Kernels.image(kernel);
    OrcTable table = OrcTable.of(image).orElseThrow();
    for (String function : new String[] {"start_kernel", "do_timer", "panic", "schedule"}) {
      Row row = row(table, image.symbols().addressOf(function));
      assertEquals(Kind.CALL, row.kind(), function);
      assertEquals(Base.SP, row.frame(), function);
      assertEquals(8, row.frameOffset(), function);
      assertEquals(Base.NONE, row.rbp(), function);
    }
    Map<Kind, Integer> kinds = new EnumMap<>(Kind.class);
    Map<Base, Integer> bases = new EnumMap<>(Base.class);
    long before = 0;
    for (int i = 0; i < table.size(); i++) {
      Row row = table.row(i);
      assertTrue(Long.compareUnsigned(row.address(), before) >= 0, "ascending");
      before = row.address();
      kinds.merge(row.kind(), 1, Integer::sum);
      bases.merge(row.frame(), 1, Integer::sum);
    }
    assertTrue(kinds.get(Kind.CALL) > 200_000, kinds::toString);
    assertTrue(kinds.get(Kind.REGISTERS) > 100, kinds::toString);
    assertTrue(kinds.get(Kind.INTERRUPT) > 500, kinds::toString);
    assertTrue(kinds.get(Kind.END) > 10, kinds::toString);
    assertTrue(bases.get(Base.BP) > 1_000, bases::toString);
    assertTrue(bases.get(Base.BP_INDIRECT) > 50, bases::toString);
  }

  /** The entry in force at an address. */
  private static Row row(OrcTable table, long address) {
    int low = 0;
    int high = table.size();
    while (high - low > 1) {
      int mid = (low + high) >>> 1;
      if (Long.compareUnsigned(table.row(mid).address(), address) <= 0) {
        low = mid;
      } else {
        high = mid;
      }
    }
    return table.row(low);
  }

  @Test
  void a32BitKernelHasNone() {
    assertTrue(OrcTable.of(Kernels.image("6.1 686")).isEmpty());
  }
}
