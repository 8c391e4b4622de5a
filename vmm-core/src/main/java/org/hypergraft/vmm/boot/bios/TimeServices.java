package org.hypergraft.vmm.boot.bios;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.hypergraft.vmm.bus.VirtualClock;
import org.hypergraft.vmm.device.Cmos;

/** Time services (INT 1Ah): timer ticks since midnight, and the real-time clock in BCD. */
final class TimeServices {
  /** Timer ticks in a day, from 1,193,182 Hz / 65,536. */
  private static final long TICKS_PER_DAY = 0x1800b0;

  private static final long NS_PER_DAY = 86_400_000_000_000L;

  private final VirtualClock clock;

  TimeServices(VirtualClock clock) {
    this.clock = clock;
  }

  void serve(Caller c) {
    LocalDateTime now =
        LocalDateTime.ofInstant(Cmos.POWER_ON.plusNanos(clock.now()), ZoneOffset.UTC);
    switch (c.ah()) {
      case 0x00 -> {
        // Less than a millionth off the product in higher precision, which needs more than 64 bits.
        long ticks = now.toLocalTime().toNanoOfDay() / (NS_PER_DAY / TICKS_PER_DAY);
        c.ax(0); // midnight has not passed unnoticed
        c.cx((int) (ticks >> 16));
        c.dx((int) ticks & 0xffff);
      }
      case 0x02 -> {
        c.cx(bcd(now.getHour()) << 8 | bcd(now.getMinute()));
        c.dx(bcd(now.getSecond()) << 8);
        c.carry(false);
      }
      case 0x04 -> {
        c.cx(bcd(now.getYear() / 100) << 8 | bcd(now.getYear() % 100));
        c.dx(bcd(now.getMonthValue()) << 8 | bcd(now.getDayOfMonth()));
        c.carry(false);
      }
      default -> c.carry(true);
    }
  }

  private static int bcd(int v) {
    return v / 10 << 4 | v % 10;
  }
}
