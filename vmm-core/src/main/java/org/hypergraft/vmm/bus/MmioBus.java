package org.hypergraft.vmm.bus;

/** Guest-physical accesses that do not hit RAM. Sizes are 1, 2, 4 or 8 bytes. */
public interface MmioBus {
  /** Reads; unclaimed addresses read as all ones. */
  long read(long gpa, int size);

  void write(long gpa, int size, long value);
}
