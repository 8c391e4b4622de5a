package org.hypergraft.vmm.mmu;

/** Told of processor writes to a watched range of RAM. */
@FunctionalInterface
public interface WriteWatcher {
  /**
   * A write of up to 8 bytes within one page is about to happen; memory still has the old bytes.
   *
   * @param gpa first byte
   * @param size 1, 2, 4 or 8
   * @param value new bytes, little-endian; those above {@code size} are undefined
   */
  void writing(long gpa, int size, long value);
}
