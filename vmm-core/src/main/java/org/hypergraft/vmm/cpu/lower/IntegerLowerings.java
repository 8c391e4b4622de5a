package org.hypergraft.vmm.cpu.lower;

import java.util.function.Predicate;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.model.Feature;

/** The integer families. System and vector families are asked after them. */
public final class IntegerLowerings {
  private IntegerLowerings() {}

  /**
   * All integer families.
   *
   * @param features what the processor model has; other instructions are #UD, or what their
   *     encoding meant before
   */
  public static Lowering[] all(Predicate<Feature> features) {
    return new Lowering[] {
      new MoveLowering(features),
      new ArithmeticLowering(features),
      new ControlLowering(features),
      new BitManipulationLowering(features)
    };
  }
}
