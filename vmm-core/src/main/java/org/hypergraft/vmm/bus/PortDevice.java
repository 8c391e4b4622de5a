package org.hypergraft.vmm.bus;

/** A device on the I/O port space. It sees accesses no wider than it claimed its ports with. */
public interface PortDevice {
  /** Reads the port; the value is zero-extended from {@code size} bytes (1, 2 or 4). */
  int in(int port, int size);

  void out(int port, int size, int value);
}
