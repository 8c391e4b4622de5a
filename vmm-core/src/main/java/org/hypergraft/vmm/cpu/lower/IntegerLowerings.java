package org.hypergraft.vmm.cpu.lower;

import org.hypergraft.vmm.cpu.interpret.Lowering;

/** The integer families, in the order the engine should ask them. */
public final class IntegerLowerings {
  private IntegerLowerings() {}

  public static Lowering[] all() {
    return new Lowering[] {new MoveLowering(), new ArithmeticLowering(), new ControlLowering()};
  }
}
