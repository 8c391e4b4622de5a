package org.hypergraft.vmm.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.lower.IntegerLowerings;
import org.hypergraft.vmm.cpu.model.Feature;
import org.hypergraft.vmm.cpu.simd.SimdLowering;
import org.hypergraft.vmm.cpu.system.SystemLowering;
import org.hypergraft.vmm.cpu.x87.FpuLowering;

/** The instruction families of the processor, most frequent first. */
final class InstructionSet {
  private InstructionSet() {}

  /**
   * @param features what the CPU model has
   */
  static Lowering[] of(Predicate<Feature> features) {
    List<Lowering> families = new ArrayList<>(List.of(IntegerLowerings.all(features)));
    families.add(new SystemLowering(features));
    families.add(new FpuLowering(features));
    families.add(new SimdLowering(features));
    return families.toArray(Lowering[]::new);
  }
}
