package org.hypergraft.vmm.bus;

import java.util.HashMap;
import java.util.Map;

/**
 * The 65,536 I/O ports. An access wider than its device's registers is split into consecutive
 * narrower ones, low part first, as the chipset does; nobody's ports read as all ones.
 */
public final class PortSpace implements PortBus {
  /** Virtual time of one port access, ns: about what a legacy device costs on real hardware. */
  public static final long ACCESS_NS = 1000;

  private record Claim(String name, int width, PortDevice device) {}

  private final Map<Integer, Claim> claims = new HashMap<>();
  private final VirtualClock clock;
  private BusObserver observer = BusObserver.NONE;

  public PortSpace(VirtualClock clock) {
    this.clock = clock;
  }

  public void observe(BusObserver newObserver) {
    observer = newObserver;
  }

  /**
   * Gives {@code count} ports from {@code first} to a device.
   *
   * @param width widest access in bytes that the device takes (1, 2 or 4)
   * @throws IllegalArgumentException when a port is out of range or taken
   */
  public void claim(String name, int first, int count, int width, PortDevice device) {
    Claim claim = new Claim(name, width, device);
    for (int port = first; port < first + count; port++) {
      if (port < 0 || port > 0xffff) {
        throw new IllegalArgumentException(name + ": no such port 0x" + Integer.toHexString(port));
      }
      Claim other = claims.putIfAbsent(port, claim);
      if (other != null) {
        throw new IllegalArgumentException(
            name + ": port 0x" + Integer.toHexString(port) + " belongs to " + other.name);
      }
    }
  }

  @Override
  public int in(int port, int size) {
    observer.port(port, size, false);
    clock.advance(ACCESS_NS);
    return read(port & 0xffff, size);
  }

  @Override
  public void out(int port, int size, int value) {
    observer.port(port, size, true);
    clock.advance(ACCESS_NS);
    write(port & 0xffff, size, value);
  }

  private int read(int port, int size) {
    Claim claim = claims.get(port);
    if (size == 1 || (claim != null && size <= claim.width)) {
      int value = claim == null ? -1 : claim.device.in(port, size);
      return size == 4 ? value : value & ((1 << (8 * size)) - 1);
    }
    int half = size / 2;
    return read(port, half) | read((port + half) & 0xffff, half) << (8 * half);
  }

  private void write(int port, int size, int value) {
    Claim claim = claims.get(port);
    if (size == 1 || (claim != null && size <= claim.width)) {
      if (claim != null) {
        claim.device.out(port, size, size == 4 ? value : value & ((1 << (8 * size)) - 1));
      }
      return;
    }
    int half = size / 2;
    write(port, half, value);
    write((port + half) & 0xffff, half, value >>> (8 * half));
  }
}
