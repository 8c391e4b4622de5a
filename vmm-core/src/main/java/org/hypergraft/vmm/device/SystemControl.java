package org.hypergraft.vmm.device;

import org.hypergraft.vmm.bus.PortDevice;
import org.hypergraft.vmm.bus.VirtualClock;

/**
 * System control port B, 0x61 (IBM PC/AT technical reference): gate of timer channel 2, speaker
 * enable, refresh toggle and the channel's output.
 */
public final class SystemControl implements PortDevice {
  /** The port. */
  public static final int PORT = 0x61;

  private static final int GATE = 1;
  private static final int SPEAKER = 1 << 1;
  private static final int REFRESH = 1 << 4;
  private static final int OUTPUT = 1 << 5;

  /** Half a period of the DRAM refresh request of a PC/AT, ns. */
  private static final long REFRESH_NS = 15_085;

  private final Pit8254 pit;
  private final VirtualClock clock;
  private int control;

  public SystemControl(Pit8254 pit, VirtualClock clock) {
    this.pit = pit;
    this.clock = clock;
  }

  @Override
  public int in(int port, int size) {
    int refresh = (clock.now() / REFRESH_NS & 1) != 0 ? REFRESH : 0;
    return control | refresh | (pit.output(2) ? OUTPUT : 0);
  }

  @Override
  public void out(int port, int size, int value) {
    control = value & (GATE | SPEAKER);
    pit.gate(2, (value & GATE) != 0);
  }
}
