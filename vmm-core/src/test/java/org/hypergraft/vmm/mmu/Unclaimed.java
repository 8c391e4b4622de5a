package org.hypergraft.vmm.mmu;

import org.hypergraft.vmm.bus.MmioBus;

/** A bus without devices. */
enum Unclaimed implements MmioBus {
  BUS;

  @Override
  public long read(long gpa, int size) {
    return -1;
  }

  @Override
  public void write(long gpa, int size, long value) {}
}
