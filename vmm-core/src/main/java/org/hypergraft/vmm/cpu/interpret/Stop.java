package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;

/** Put after an op of a block whose bytes have changed: leaves to the run loop right there. */
final class Stop extends Op {
  /** Stands where {@code following} stood. */
  Stop(Op following) {
    block = following.block;
    at = following.at;
    rem = following.rem;
  }

  @Override
  public Op exec(Cpu c) {
    c.left += rem;
    c.rip = block.cut(ip());
    return null;
  }

  @Override
  protected Op fresh() {
    throw new AssertionError("made by hand only");
  }
}
