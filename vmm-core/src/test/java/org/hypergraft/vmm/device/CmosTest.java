package org.hypergraft.vmm.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.hypergraft.vmm.bus.DeterministicClock;
import org.junit.jupiter.api.Test;

class CmosTest {
  private static final long SECOND = 1_000_000_000;

  private final DeterministicClock clock = new DeterministicClock(() -> 0);
  private final Cmos cmos = new Cmos(clock);

  private int read(int index) {
    cmos.out(0x70, 1, index);
    return cmos.in(0x71, 1);
  }

  private void write(int index, int value) {
    cmos.out(0x70, 1, index);
    cmos.out(0x71, 1, value);
  }

  private String date() {
    return String.format(
        "%02x%02x-%02x-%02x %02x:%02x:%02x",
        read(0x32), read(9), read(8), read(7), read(4), read(2), read(0));
  }

  @Test
  void startsAtAFixedDateAndRunsOnVirtualTime() {
    assertEquals("2026-01-01 00:00:00", date());
    assertEquals(5, read(6), "a Thursday");
    clock.advance((86_400 + 3_600 + 61) * SECOND);
    assertEquals("2026-01-02 01:01:01", date());
  }

  @Test
  void statusRegistersSayBatteryGoodAndUpdateCycle() {
    assertEquals(0x26, read(10));
    assertEquals(0x02, read(11));
    assertEquals(0x00, read(12));
    assertEquals(0x80, read(13));
    clock.advance(SECOND - 100_000);
    assertEquals(0xa6, read(10));
  }

  @Test
  void binaryAndTwelveHourModes() {
    clock.advance((13 * 3_600 + 45 * 60) * SECOND);
    write(11, 0x06);
    assertEquals(13, read(4));
    assertEquals(45, read(2));
    write(11, 0x04);
    assertEquals(0x81, read(4));
    write(11, 0x00);
    assertEquals(0x81, read(4));
    assertEquals(0x45, read(2));
  }

  @Test
  void settingTheDateStopsAndRestartsTheClock() {
    write(11, 0x82);
    write(0, 0x30);
    write(2, 0x59);
    write(4, 0x23);
    write(7, 0x28);
    write(8, 0x02);
    write(9, 0x28);
    write(0x32, 0x20);
    clock.advance(5 * SECOND);
    assertEquals("2028-02-28 23:59:30", date(), "stopped while SET is on");
    write(11, 0x02);
    clock.advance(30 * SECOND);
    assertEquals("2028-02-29 00:00:00", date(), "leap year");
  }

  @Test
  void memoryKeepsItsBytes() {
    write(0x40, 0x5a);
    write(0x7f, 0xa5);
    assertEquals(0x5a, read(0x40));
    assertEquals(0xa5, read(0xff), "bit 7 of the index only masks NMI");
  }
}
