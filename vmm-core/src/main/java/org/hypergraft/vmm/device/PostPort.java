package org.hypergraft.vmm.device;

import org.hypergraft.vmm.bus.PortDevice;

/** Port 0x80, the power-on self-test code, which kernels write to wait a microsecond. */
public final class PostPort implements PortDevice {
  /** The port. */
  public static final int PORT = 0x80;

  private int last;

  @Override
  public int in(int port, int size) {
    return last;
  }

  @Override
  public void out(int port, int size, int value) {
    last = value;
  }
}
