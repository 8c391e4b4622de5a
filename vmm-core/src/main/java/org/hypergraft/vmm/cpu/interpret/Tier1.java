package org.hypergraft.vmm.cpu.interpret;

/** The compiler of hot blocks, as tier 0 sees it. Called on the thread that runs the guest. */
public interface Tier1 {
  /** Entries of a block after which {@link #hot} is called. */
  int threshold();

  /** A block has been entered {@link #threshold} times. */
  void hot(Block entry);

  /** A safe point between blocks: finished work may be installed. */
  void poll();
}
