package org.hypergraft.vmm.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.vmm.bus.DeterministicClock;
import org.junit.jupiter.api.Test;

class AcpiPmTest {
  private final DeterministicClock clock = new DeterministicClock(() -> 0);
  private boolean sci;
  private boolean off;
  private final AcpiPm pm = new AcpiPm(clock, asserted -> sci = asserted, () -> off = true);

  @Test
  void timerCountsAtItsFrequency() {
    clock.advance(1_000_000_000);
    assertEquals(3_579_545, pm.in(0x608, 4));
    assertEquals(3_579_545 & 0xffff, pm.in(0x608, 2));
    assertEquals(3_579_545 >> 16, pm.in(0x60a, 2));
  }

  @Test
  void sciEnableIsFixedAndOnlySoftOffPowersOff() {
    assertEquals(1, pm.in(0x604, 2));
    pm.out(0x604, 2, 1 << 10 | 1 << 13);
    assertFalse(off, "S1 is not a state of this machine");
    pm.out(0x604, 2, 5 << 10);
    assertFalse(off, "no SLP_EN");
    assertEquals(5 << 10 | 1, pm.in(0x604, 2));
    pm.out(0x604, 2, 5 << 10 | 1 << 13);
    assertTrue(off);
    assertEquals(5 << 10 | 1, pm.in(0x604, 2), "SLP_EN is write-only");
  }

  @Test
  void timerCarrySetsStatusAndRaisesTheEnabledInterrupt() {
    pm.out(0x602, 2, 1);
    assertFalse(sci);
    assertTrue(clock.skipToNext());
    assertEquals(1L << 31, clock.now() * 3_579_545L / 1_000_000_000L, 4);
    assertTrue(sci);
    assertEquals(1, pm.in(0x600, 2));
    pm.out(0x600, 2, 1);
    assertFalse(sci);
    assertEquals(0, pm.in(0x600, 2));
    assertEquals(1, pm.in(0x602, 2));
  }

  @Test
  void resetPortsResetAndTheKeyboardControllerIsAbsent() {
    int[] resets = new int[1];
    ResetControl reset = new ResetControl(() -> resets[0]++);
    assertEquals(0xff, reset.in(0x64, 1));
    reset.out(0x64, 1, 0xd1);
    reset.out(0xcf9, 1, 0x02);
    assertEquals(0, resets[0]);
    assertEquals(0x02, reset.in(0xcf9, 1));
    reset.out(0xcf9, 1, 0x06);
    reset.out(0x64, 1, 0xfe);
    reset.out(0x92, 1, 0x01);
    assertEquals(3, resets[0]);
  }
}
