package org.hypergraft.vmm.device;

import org.hypergraft.vmm.bus.PortDevice;

/**
 * The place of PCI's configuration address register in a machine without PCI: it keeps nothing and
 * reads as all ones. It takes wide accesses as a whole, because only single bytes written to the
 * second of its ports are meant for the reset control register there (Intel ICH data sheets,
 * 0xcf9).
 */
public final class NoPci implements PortDevice {
  /** CONFIG_ADDRESS (PCI Local Bus Specification 3.0, section 3.2.2.3.2). */
  public static final int ADDRESS_PORT = 0xcf8;

  @Override
  public int in(int port, int size) {
    return -1;
  }

  @Override
  public void out(int port, int size, int value) {}
}
