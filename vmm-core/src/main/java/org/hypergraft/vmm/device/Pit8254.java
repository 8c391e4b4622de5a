package org.hypergraft.vmm.device;

import org.hypergraft.vmm.bus.InterruptLine;
import org.hypergraft.vmm.bus.PortDevice;
import org.hypergraft.vmm.bus.VirtualClock;

/**
 * The programmable interval timer (Intel 8254 data sheet), ports 0x40-0x43. Channel 0 drives IRQ 0,
 * channel 2 is gated by port 0x61; counters are computed from the clock when they are read.
 */
public final class Pit8254 implements PortDevice {
  /** First port. */
  public static final int BASE = 0x40;

  /** Input clock: a third of the NTSC colour subcarrier, Hz. */
  public static final long HZ = 1_193_182;

  private static final int CONTROL = 3;
  private static final int RW_LATCH = 0;
  private static final int RW_LOW = 1;
  private static final int RW_HIGH = 2;
  private static final int RW_BOTH = 3;

  private final VirtualClock clock;
  private final Channel[] channels;

  /**
   * @param irq0 output of channel 0
   */
  public Pit8254(VirtualClock clock, InterruptLine irq0) {
    this.clock = clock;
    channels = new Channel[] {new Channel(irq0), new Channel(null), new Channel(null)};
    channels[2].gate = false;
  }

  /** Level of a channel's OUT pin now. */
  public boolean output(int channel) {
    return channels[channel].output();
  }

  /** Drives a channel's GATE pin. */
  public void gate(int channel, boolean high) {
    channels[channel].setGate(high);
  }

  @Override
  public int in(int port, int size) {
    int index = port - BASE;
    return index == CONTROL ? 0xff : channels[index].read();
  }

  @Override
  public void out(int port, int size, int value) {
    int index = port - BASE;
    if (index != CONTROL) {
      channels[index].write(value);
    } else if (value >>> 6 != 3) {
      channels[value >>> 6].control(value);
    } else {
      readBack(value);
    }
  }

  private void readBack(int command) {
    for (int i = 0; i < channels.length; i++) {
      if ((command & 2 << i) != 0) {
        if ((command & 0x10) == 0) {
          channels[i].latchStatus();
        }
        if ((command & 0x20) == 0) {
          channels[i].latchCount();
        }
      }
    }
  }

  private final class Channel {
    private final InterruptLine line;
    private VirtualClock.Timer timer;
    private int mode;
    private int access = RW_BOTH;
    private boolean bcd;
    boolean gate = true;

    /** Programmed count; 0 stands for the largest. */
    private int reload;

    private boolean loaded;
    private boolean triggered;

    /** Tick at which counting began, or, while the gate holds it, ticks counted so far. */
    private long start;

    private boolean held;
    private int writeLow = -1;
    private boolean readHighNext;
    private int latchedCount = -1;
    private int latchedStatus = -1;

    Channel(InterruptLine line) {
      this.line = line;
    }

    void control(int value) {
      if ((value >>> 4 & 3) == RW_LATCH) {
        latchCount();
        return;
      }
      access = value >>> 4 & 3;
      mode = value >>> 1 & 7;
      if (mode > 5) {
        mode -= 4; // bit 2 is ignored for modes 2 and 3
      }
      bcd = (value & 1) != 0;
      loaded = false;
      triggered = false;
      writeLow = -1;
      readHighNext = false;
      latchedCount = -1;
      latchedStatus = -1;
      disarm();
      if (line != null) {
        line.set(output());
      }
    }

    void write(int value) {
      switch (access) {
        case RW_LOW:
          load(value);
          break;
        case RW_HIGH:
          load(value << 8);
          break;
        default:
          if (writeLow < 0) {
            writeLow = value;
          } else {
            load(value << 8 | writeLow);
            writeLow = -1;
          }
          break;
      }
    }

    private void load(int value) {
      // Modes 2 and 3 take a new count at the end of the running period; starting it at once
      // differs by less than a period and only when a kernel reprograms without a control word.
      reload = value;
      loaded = true;
      if (mode != 1 && mode != 5) {
        restart();
      }
    }

    private void restart() {
      held = !gate && mode != 1 && mode != 5;
      start = held ? 0 : clock.ticks(HZ);
      arm();
    }

    void setGate(boolean high) {
      boolean rising = high && !gate;
      boolean falling = !high && gate;
      if (mode == 0 || mode == 4) {
        if (loaded && rising && held) {
          start = clock.ticks(HZ) - start;
          held = false;
        } else if (loaded && falling && !held) {
          start = clock.ticks(HZ) - start;
          held = true;
        }
        gate = high;
        arm();
        return;
      }
      gate = high;
      if (mode == 1 || mode == 5) {
        if (loaded && rising) {
          triggered = true;
          restart();
        }
      } else if (loaded && rising) {
        restart();
      } else if (falling) {
        held = true;
        start = 0;
        disarm();
      }
    }

    private long period() {
      int n = bcd ? fromBcd(reload) : reload;
      return n != 0 ? n : bcd ? 10_000 : 65_536;
    }

    private long elapsed() {
      return held ? start : clock.ticks(HZ) - start;
    }

    boolean output() {
      if (!loaded) {
        return mode != 0;
      }
      long n = period();
      long e = elapsed();
      switch (mode) {
        case 0:
          return e >= n;
        case 1:
          return !triggered || e >= n;
        case 2:
          return held || e % n != n - 1;
        case 3:
          return held || e % n < (n + 1) / 2;
        case 4:
          return e != n;
        default:
          return !triggered || e != n;
      }
    }

    private int count() {
      if (!loaded) {
        return 0;
      }
      long n = period();
      long e = elapsed();
      long wrap = bcd ? 10_000 : 65_536;
      long value;
      switch (mode) {
        case 2:
          value = n - e % n;
          break;
        case 3:
          value = n - 2 * e % n & ~1L;
          break;
        default:
          value = Math.floorMod(n - e, wrap);
          break;
      }
      int count = (int) (value % wrap);
      return bcd ? toBcd(count) : count;
    }

    void latchCount() {
      if (latchedCount < 0) {
        latchedCount = count();
      }
    }

    void latchStatus() {
      if (latchedStatus < 0) {
        latchedStatus =
            (output() ? 0x80 : 0) | (loaded ? 0 : 0x40) | access << 4 | mode << 1 | (bcd ? 1 : 0);
      }
    }

    int read() {
      if (latchedStatus >= 0) {
        int status = latchedStatus;
        latchedStatus = -1;
        return status;
      }
      int value = latchedCount >= 0 ? latchedCount : count();
      boolean high = access == RW_HIGH || (access == RW_BOTH && readHighNext);
      boolean last = access != RW_BOTH || readHighNext;
      readHighNext = access == RW_BOTH && !readHighNext;
      if (last) {
        latchedCount = -1;
      }
      return high ? value >>> 8 & 0xff : value & 0xff;
    }

    /** Schedules the next rising edge of the output, if anybody listens. */
    private void arm() {
      disarm();
      if (line == null || !loaded || held) {
        return;
      }
      long n = period();
      long e = elapsed();
      long next;
      switch (mode) {
        case 0:
        case 1:
          next = n;
          break;
        case 2:
        case 3:
          next = (e / n + 1) * n;
          break;
        default:
          next = n + 1;
          break;
      }
      if (next > e) {
        timer = clock.schedule(VirtualClock.whenTicks(start + next, HZ), this::risingEdge);
      }
    }

    private void disarm() {
      if (timer != null) {
        timer.cancel();
        timer = null;
      }
    }

    private void risingEdge() {
      // The low phase before it can be as short as one tick: pulse the line.
      line.set(false);
      line.set(true);
      timer = null;
      arm();
    }
  }

  private static int fromBcd(int v) {
    return (v >>> 12) * 1000 + (v >>> 8 & 15) * 100 + (v >>> 4 & 15) * 10 + (v & 15);
  }

  private static int toBcd(int v) {
    return v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
  }
}
