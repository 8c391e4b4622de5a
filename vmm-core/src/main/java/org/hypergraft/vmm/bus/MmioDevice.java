package org.hypergraft.vmm.bus;

/** A device in the physical address space. Offsets count from the start of its region. */
public interface MmioDevice {
  /** Reads {@code size} bytes (1, 2, 4 or 8), zero-extended. */
  long read(long offset, int size);

  void write(long offset, int size, long value);
}
