package org.hypergraft.vmm.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.vmm.bus.DeterministicClock;
import org.junit.jupiter.api.Test;

class Pit8254Test {
  /** 1,193,182 ticks are a second. */
  private static final long SECOND = 1_000_000_000;

  private final DeterministicClock clock = new DeterministicClock(() -> 0);
  private int edges;
  private boolean level;
  private final Pit8254 pit =
      new Pit8254(
          clock,
          high -> {
            if (high && !level) {
              edges++;
            }
            level = high;
          });
  private final SystemControl port61 = new SystemControl(pit, clock);

  private void out(int port, int value) {
    pit.out(port, 1, value);
  }

  private int count(int channel) {
    int low = pit.in(0x40 + channel, 1);
    return low | pit.in(0x40 + channel, 1) << 8;
  }

  private void pass(long ns) {
    long end = clock.now() + ns;
    while (clock.nextDeadline() <= end) {
      clock.skipToNext();
    }
    clock.advance(end - clock.now());
  }

  @Test
  void rateGeneratorTicksAtItsPeriod() {
    out(0x43, 0x34); // channel 0, both bytes, mode 2
    out(0x40, 4772 & 0xff); // 250 Hz
    out(0x40, 4772 >> 8);
    edges = 0;
    pass(SECOND);
    assertEquals(1_193_182 / 4772, edges);
    pass(9 * SECOND);
    assertEquals(11_931_820 / 4772, edges);
  }

  @Test
  void squareWaveIsHighForHalfThePeriod() {
    out(0x43, 0xb6); // channel 2, mode 3
    out(0x42, 0xe8);
    out(0x42, 0x03); // 1,000 ticks
    pit.gate(2, true);
    assertTrue(pit.output(2));
    pass(600 * SECOND / 1_193_182);
    assertFalse(pit.output(2));
    pass(500 * SECOND / 1_193_182);
    assertTrue(pit.output(2));
  }

  @Test
  void interruptOnTerminalCountFiresOnce() {
    out(0x43, 0x30);
    out(0x40, 0);
    out(0x40, 0x10);
    assertFalse(level);
    pass(0x1000 * SECOND / 1_193_182 - 1000);
    assertEquals(0, edges);
    pass(2000);
    assertEquals(1, edges);
    pass(SECOND);
    assertEquals(1, edges);
  }

  @Test
  void softwareStrobeServesAsOneShot() {
    out(0x43, 0x38);
    out(0x40, 0x00);
    out(0x40, 0x01);
    edges = 0;
    pass(SECOND);
    assertEquals(1, edges);
    out(0x40, 0x00);
    out(0x40, 0x01);
    pass(SECOND);
    assertEquals(2, edges);
  }

  @Test
  void gateHoldsChannelTwoAndPort61ShowsItsOutput() {
    port61.out(0x61, 1, 0x00);
    out(0x43, 0xb0); // channel 2, mode 0
    out(0x42, 0x00);
    out(0x42, 0x02);
    pass(SECOND / 100);
    assertEquals(0x200, count(2), "no gate, no counting");
    port61.out(0x61, 1, 0x01);
    pass(100 * SECOND / 1_193_182 + 100);
    assertEquals(0x200 - 100, count(2));
    assertEquals(0, port61.in(0x61, 1) & 0x20);
    pass(SECOND / 100);
    assertEquals(0x21, port61.in(0x61, 1) & 0x21);
  }

  @Test
  void latchFreezesTheCountUntilBothBytesAreRead() {
    out(0x43, 0x34);
    out(0x40, 0x00);
    out(0x40, 0x00); // 65,536
    pass(1000 * SECOND / 1_193_182 + 100);
    out(0x43, 0x00);
    pass(1000 * SECOND / 1_193_182);
    assertEquals(65_536 - 1000, count(0));
    assertEquals(65_536 - 2000, count(0), 1);
  }

  @Test
  void readBackGivesStatusThenCount() {
    out(0x43, 0x34);
    out(0x40, 0x10);
    out(0x43, 0xc2); // latch count and status of channel 0
    assertEquals(0x80 | 0x40 | 0x34, pit.in(0x40, 1), "null count: not loaded yet");
    pit.in(0x40, 1);
    pit.in(0x40, 1);
    out(0x40, 0x00);
    out(0x43, 0xe2); // status only
    assertEquals(0x80 | 0x34, pit.in(0x40, 1));
  }

  @Test
  void countsInDecimalWhenAsked() {
    out(0x43, 0x35);
    out(0x40, 0x00);
    out(0x40, 0x01); // 100
    pass(30 * SECOND / 1_193_182 + 100);
    assertEquals(0x70, count(0));
  }

  @Test
  void refreshBitToggles() {
    int first = port61.in(0x61, 1) & 0x10;
    pass(15_085);
    assertEquals(first ^ 0x10, port61.in(0x61, 1) & 0x10);
  }
}
