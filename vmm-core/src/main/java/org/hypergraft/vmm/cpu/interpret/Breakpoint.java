package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;

/** The only op of a block that begins at a breakpoint: leaves with nothing executed. */
final class Breakpoint extends Op {
  Breakpoint(Block block) {
    this.block = block;
  }

  @Override
  public Op exec(Cpu c) {
    c.rip = block.va;
    if (c.left > 0) { // else an event is due first
      c.exitRequested = true;
      block.cache.breakpointHit = true;
    }
    return null;
  }

  @Override
  protected Op fresh() {
    throw new AssertionError("made by hand only");
  }
}
