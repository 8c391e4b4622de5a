package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.isa.Mnemonic;

/** The order of a region's code: each block after one that falls into it where possible. */
final class FlowOrder {
  private FlowOrder() {}

  /** The blocks with the first one first, and fewer jumps. */
  static List<RegionBlock> of(List<RegionBlock> blocks) {
    Map<Long, RegionBlock> rest = new LinkedHashMap<>();
    for (RegionBlock b : blocks) {
      rest.put(b.va(), b);
    }
    List<RegionBlock> order = new ArrayList<>();
    for (RegionBlock first : blocks) {
      for (RegionBlock b = rest.remove(first.va()); b != null; b = rest.remove(next(b))) {
        order.add(b);
      }
    }
    return List.copyOf(order);
  }

  private static long next(RegionBlock b) {
    Mnemonic m = b.last().mnemonic;
    return (m == Mnemonic.JMP || m == Mnemonic.CALL) && b.direct() ? b.target() : b.end();
  }
}
