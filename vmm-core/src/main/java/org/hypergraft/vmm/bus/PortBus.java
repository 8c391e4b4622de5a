package org.hypergraft.vmm.bus;

/** The I/O port space as the processor sees it. Sizes are 1, 2 or 4 bytes. */
public interface PortBus {
  /** Reads a port; an unclaimed one reads as all ones. */
  int in(int port, int size);

  void out(int port, int size, int value);
}
