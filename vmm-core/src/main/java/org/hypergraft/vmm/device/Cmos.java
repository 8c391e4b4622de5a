package org.hypergraft.vmm.device;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.hypergraft.vmm.bus.PortDevice;
import org.hypergraft.vmm.bus.VirtualClock;

/**
 * The real-time clock and its battery-backed memory (Motorola MC146818A data sheet), ports 0x70 and
 * 0x71. The date is a constant at power-on and advances with the virtual clock. Alarms are stored
 * but raise no interrupt.
 */
public final class Cmos implements PortDevice {
  /** Index port; data is the next one. */
  public static final int BASE = 0x70;

  /** The date at power-on, the same in every run. */
  public static final Instant POWER_ON = Instant.parse("2026-01-01T00:00:00Z");

  private static final int SECONDS = 0;
  private static final int MINUTES = 2;
  private static final int HOURS = 4;
  private static final int WEEKDAY = 6;
  private static final int DAY = 7;
  private static final int MONTH = 8;
  private static final int YEAR = 9;
  private static final int STATUS_A = 10;
  private static final int STATUS_B = 11;
  private static final int STATUS_C = 12;
  private static final int STATUS_D = 13;

  /** Century byte; the FADT points here. */
  public static final int CENTURY = 0x32;

  private static final int A_UPDATE_IN_PROGRESS = 1 << 7;
  private static final int B_SET = 1 << 7;
  private static final int B_BINARY = 1 << 2;
  private static final int B_24_HOURS = 1 << 1;
  private static final int D_BATTERY_GOOD = 1 << 7;

  /** Length of the update cycle at the end of each second, data sheet table 5. */
  private static final long UPDATE_NS = 244_000;

  private final VirtualClock clock;
  private final byte[] memory = new byte[128];

  /** Seconds between the guest's idea of the date and the clock's. */
  private long adjust;

  private int index;

  public Cmos(VirtualClock clock) {
    this.clock = clock;
    memory[STATUS_A] = 0x26; // 32.768 kHz time base, 1,024 Hz periodic rate
    memory[STATUS_B] = B_24_HOURS;
  }

  @Override
  public int in(int port, int size) {
    if (port == BASE) {
      return 0xff; // the index is write-only
    }
    switch (index) {
      case STATUS_A:
        boolean updating =
            clock.now() % VirtualClock.NS_PER_SECOND >= VirtualClock.NS_PER_SECOND - UPDATE_NS;
        return memory[STATUS_A] & 0xff | (updating && !stopped() ? A_UPDATE_IN_PROGRESS : 0);
      case STATUS_C:
        return 0; // no interrupt has happened
      case STATUS_D:
        return D_BATTERY_GOOD;
      default:
        return isDate(index) && !stopped() ? date(index) : memory[index] & 0xff;
    }
  }

  @Override
  public void out(int port, int size, int value) {
    if (port == BASE) {
      index = value & 0x7f; // bit 7 masks NMI
      return;
    }
    if (index == STATUS_C || index == STATUS_D) {
      return;
    }
    if (index == STATUS_B) {
      writeStatusB(value);
    } else if (index == STATUS_A) {
      memory[STATUS_A] = (byte) (value & ~A_UPDATE_IN_PROGRESS);
    } else if (isDate(index)) {
      if (!stopped()) {
        freeze();
      }
      memory[index] = (byte) value;
      if (!stopped()) {
        resume();
      }
    } else {
      memory[index] = (byte) value;
    }
  }

  private void writeStatusB(int value) {
    boolean wasStopped = stopped();
    if (!wasStopped && (value & B_SET) != 0) {
      freeze();
    }
    memory[STATUS_B] = (byte) value;
    if (wasStopped && (value & B_SET) == 0) {
      resume();
    }
  }

  private boolean stopped() {
    return (memory[STATUS_B] & B_SET) != 0;
  }

  private static boolean isDate(int i) {
    return i == SECONDS
        || i == MINUTES
        || i == HOURS
        || (i >= WEEKDAY && i <= YEAR)
        || i == CENTURY;
  }

  private int date(int field) {
    LocalDateTime t =
        LocalDateTime.ofEpochSecond(
            POWER_ON.getEpochSecond() + adjust + clock.now() / VirtualClock.NS_PER_SECOND,
            0,
            ZoneOffset.UTC);
    switch (field) {
      case SECONDS:
        return encode(t.getSecond());
      case MINUTES:
        return encode(t.getMinute());
      case HOURS:
        if ((memory[STATUS_B] & B_24_HOURS) != 0) {
          return encode(t.getHour());
        }
        int hour = t.getHour() % 12;
        return encode(hour == 0 ? 12 : hour) | (t.getHour() >= 12 ? 0x80 : 0);
      case WEEKDAY:
        return encode(t.getDayOfWeek().getValue() % 7 + 1); // Sunday is 1
      case DAY:
        return encode(t.getDayOfMonth());
      case MONTH:
        return encode(t.getMonthValue());
      case YEAR:
        return encode(t.getYear() % 100);
      default:
        return encode(t.getYear() / 100);
    }
  }

  /** Copies the running date into memory, where the guest changes it field by field. */
  private void freeze() {
    for (int i = 0; i < memory.length; i++) {
      if (isDate(i)) {
        memory[i] = (byte) date(i);
      }
    }
  }

  /** Lets the clock run on from the date in memory; an impossible date is ignored. */
  private void resume() {
    int hour = memory[HOURS] & 0xff;
    if ((memory[STATUS_B] & B_24_HOURS) != 0) {
      hour = decode(hour);
    } else {
      hour = decode(hour & 0x7f) % 12 + ((hour & 0x80) != 0 ? 12 : 0);
    }
    try {
      LocalDateTime t =
          LocalDateTime.of(
              decode(memory[CENTURY] & 0xff) * 100 + decode(memory[YEAR] & 0xff),
              decode(memory[MONTH] & 0xff),
              decode(memory[DAY] & 0xff),
              hour,
              decode(memory[MINUTES] & 0xff),
              decode(memory[SECONDS] & 0xff));
      adjust =
          t.toEpochSecond(ZoneOffset.UTC)
              - POWER_ON.getEpochSecond()
              - clock.now() / VirtualClock.NS_PER_SECOND;
    } catch (DateTimeException e) {
      // keep the previous date
    }
  }

  private int encode(int v) {
    return (memory[STATUS_B] & B_BINARY) != 0 ? v : v / 10 << 4 | v % 10;
  }

  private int decode(int v) {
    return (memory[STATUS_B] & B_BINARY) != 0 ? v : (v >>> 4) * 10 + (v & 15);
  }
}
