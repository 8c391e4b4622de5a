package org.hypergraft.vmm.cpu.jit;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Block;
import org.hypergraft.vmm.cpu.interpret.BlockLinks;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Stands as the first op of a block at which a region may be entered. */
final class RegionEntry extends Op {
  private final Region region;
  private final int number;

  /**
   * @param own the block's own first op, whose place in the block this one has too
   */
  RegionEntry(Region region, int number, Op own) {
    this.region = region;
    this.number = number;
    block = own.block;
    at = own.at;
    rem = own.rem;
  }

  /** Whether a region may be entered at the block. */
  static boolean at(Block b) {
    return BlockLinks.first(b) instanceof RegionEntry;
  }

  boolean of(Region r) {
    return region == r;
  }

  @Override
  public Op exec(Cpu c) {
    Op op = region.run(c, number);
    // from region to region without the run loop
    while (op instanceof RegionEntry e) {
      op = e.region.run(c, e.number);
    }
    return op;
  }

  @Override
  public Op fresh() {
    throw new AssertionError("entries belong to one region");
  }
}
