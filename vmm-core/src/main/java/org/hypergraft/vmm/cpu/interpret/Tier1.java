package org.hypergraft.vmm.cpu.interpret;

/** The compiler of hot blocks, as tier 0 sees it. Called on the thread that runs the guest. */
public interface Tier1 {
  /** Entries of a block after which {@link #hot} is called. */
  int threshold();

  /**
   * The guest is about to execute its first instruction at CPL 3: it has booted, and from now on
   * what repeats goes on repeating. The threshold may be another one afterwards.
   */
  void userspace();

  /**
   * A block has been entered {@link #threshold} times, or twice as often as when this was last
   * asked.
   */
  void hot(Block entry);

  /** A safe point between blocks: finished work may be installed. */
  void poll();
}
