package org.hypergraft.vmm.conformance;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.lower.IntegerLowerings;
import org.hypergraft.vmm.cpu.simd.SimdLowering;
import org.hypergraft.vmm.cpu.system.SystemLowering;
import org.hypergraft.vmm.cpu.x87.FpuLowering;

/** The instruction families under test. */
final class Lowerings {
  private Lowerings() {}

  static Lowering[] all() {
    List<Lowering> all = new ArrayList<>(List.of(IntegerLowerings.all(feature -> true)));
    all.add(new SystemLowering(feature -> true));
    all.add(new SimdLowering(feature -> true));
    all.add(new FpuLowering(feature -> true));
    return all.toArray(new Lowering[0]);
  }
}
