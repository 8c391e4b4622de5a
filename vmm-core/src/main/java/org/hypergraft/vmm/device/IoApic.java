package org.hypergraft.vmm.device;

import java.util.Arrays;
import org.hypergraft.vmm.bus.MmioDevice;

/**
 * The I/O APIC (Intel 82093AA data sheet, with the EOI register of version 0x20): 24 inputs, each
 * redirected to local APICs by its table entry.
 */
public final class IoApic implements MmioDevice {
  /** Where PCs have it. */
  public static final long BASE = 0xfec00000L;

  /** Bytes claimed from {@link #BASE}. */
  public static final long LENGTH = 0x1000;

  /** Inputs. */
  public static final int PINS = 24;

  /** Input of the timer: ISA IRQ 0 arrives at 2, as the MADT override says. */
  public static final int TIMER_PIN = 2;

  private static final int SELECT = 0x00;
  private static final int WINDOW = 0x10;
  private static final int EOI = 0x40;
  private static final int REG_ID = 0;
  private static final int REG_VERSION = 1;
  private static final int REG_ARBITRATION = 2;
  private static final int REG_TABLE = 0x10;
  private static final int VERSION = 0x20;
  private static final long MASKED = 1 << 16;
  private static final long LEVEL = 1 << 15;
  private static final long REMOTE_IRR = 1 << 14;
  private static final long LOGICAL = 1 << 11;
  private static final long READ_ONLY = REMOTE_IRR | 1 << 12;
  private static final long ENTRY_BITS = 0xff00_0000_0001_ffffL;

  private final ApicBus bus;
  private final long[] table = new long[PINS];
  private int asserted;
  private int select;
  private int id;

  /**
   * @param id the APIC id that the MADT gives it
   */
  public IoApic(ApicBus bus, int id) {
    this.bus = bus;
    this.id = id;
    Arrays.fill(table, MASKED);
    bus.attach(this);
  }

  /** Asserts or releases an input. Assertion is logical: polarity is the board's wiring. */
  public void set(int pin, boolean assertion) {
    int bit = 1 << pin;
    boolean rising = assertion && (asserted & bit) == 0;
    asserted = assertion ? asserted | bit : asserted & ~bit;
    if (rising || (table[pin] & LEVEL) != 0) {
      service(pin, rising);
    }
  }

  /** End of interrupt for a vector, broadcast by a local APIC or written to the EOI register. */
  void endOfInterrupt(int vector) {
    for (int pin = 0; pin < PINS; pin++) {
      if ((table[pin] & 0xff) == vector && (table[pin] & LEVEL) != 0) {
        table[pin] &= ~REMOTE_IRR;
        service(pin, false);
      }
    }
  }

  @Override
  public long read(long offset, int size) {
    if ((offset & ~0xffL) != 0) {
      return 0;
    }
    switch ((int) offset) {
      case SELECT:
        return select;
      case WINDOW:
        return readRegister() & 0xffffffffL;
      default:
        return 0;
    }
  }

  @Override
  public void write(long offset, int size, long value) {
    if ((offset & ~0xffL) != 0) {
      return;
    }
    switch ((int) offset) {
      case SELECT:
        select = (int) value & 0xff;
        break;
      case WINDOW:
        writeRegister((int) value);
        break;
      case EOI:
        endOfInterrupt((int) value & 0xff);
        break;
      default:
        break;
    }
  }

  private int readRegister() {
    int entry = select - REG_TABLE >> 1;
    if (select >= REG_TABLE && entry < PINS) {
      return (int) (table[entry] >>> ((select & 1) != 0 ? 32 : 0));
    }
    switch (select) {
      case REG_ID:
      case REG_ARBITRATION:
        return id << 24;
      case REG_VERSION:
        return PINS - 1 << 16 | VERSION;
      default:
        return 0;
    }
  }

  private void writeRegister(int value) {
    int pin = select - REG_TABLE >> 1;
    if (select == REG_ID) {
      id = value >>> 24 & 0xf;
      return;
    }
    if (select < REG_TABLE || pin >= PINS) {
      return;
    }
    long old = table[pin];
    long bits =
        (select & 1) != 0
            ? (long) value << 32 | old & 0xffffffffL
            : old & 0xffffffff_00000000L | value & 0xffffffffL;
    long entry = bits & ENTRY_BITS & ~READ_ONLY | old & READ_ONLY;
    if ((entry & LEVEL) == 0) {
      entry &= ~REMOTE_IRR; // switching to edge and back is how old kernels acknowledge
    }
    table[pin] = entry;
    if ((entry & LEVEL) != 0) {
      service(pin, false);
    }
  }

  /** Sends the interrupt of a pin whose level is active or which just had its edge. */
  private void service(int pin, boolean edge) {
    long entry = table[pin];
    if ((entry & MASKED) != 0) {
      return;
    }
    boolean level = (entry & LEVEL) != 0;
    if (level) {
      boolean active = (asserted & 1 << pin) != 0;
      if (!active || (entry & REMOTE_IRR) != 0) {
        return;
      }
      table[pin] = entry | REMOTE_IRR;
    } else if (!edge) {
      return;
    }
    int mode = (int) (entry >>> 8 & 7);
    bus.deliver((int) (entry >>> 56), (entry & LOGICAL) != 0, mode, (int) entry & 0xff, level);
  }
}
