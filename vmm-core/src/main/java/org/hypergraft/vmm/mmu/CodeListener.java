package org.hypergraft.vmm.mmu;

/** Told when bytes that were translated change. */
@FunctionalInterface
public interface CodeListener {
  /**
   * Bytes in at least one line marked as code were written; called after the write.
   *
   * @param gpa first byte written
   * @param length bytes written, within one 4 KiB page
   */
  void written(long gpa, int length);
}
