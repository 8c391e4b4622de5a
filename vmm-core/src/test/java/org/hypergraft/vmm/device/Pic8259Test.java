package org.hypergraft.vmm.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class Pic8259Test {
  private boolean intr;
  private final Pic8259 pic = new Pic8259(asserted -> intr = asserted);

  private void master(int port, int value) {
    pic.masterPorts().out(0x20 + port, 1, value);
  }

  private void slave(int port, int value) {
    pic.slavePorts().out(0xa0 + port, 1, value);
  }

  @BeforeEach
  void initialiseAsAPcDoes() {
    master(0, 0x11);
    master(1, 0x30);
    master(1, 0x04);
    master(1, 0x01);
    slave(0, 0x11);
    slave(1, 0x38);
    slave(1, 0x02);
    slave(1, 0x01);
  }

  @Test
  void deliversAnEdgeOnceAndNeedsEoi() {
    pic.set(0, true);
    assertTrue(intr);
    assertEquals(0x30, pic.acknowledge());
    assertFalse(intr);
    pic.set(0, false);
    pic.set(0, true);
    assertFalse(intr, "still in service");
    master(0, 0x20);
    assertTrue(intr);
    assertEquals(0x30, pic.acknowledge());
    master(0, 0x60); // specific EOI of input 0
    assertFalse(intr, "the level is still high, but there was no new edge");
  }

  @Test
  void higherPriorityInterruptsLower() {
    pic.set(4, true);
    assertEquals(0x34, pic.acknowledge());
    pic.set(5, true);
    assertFalse(intr);
    pic.set(1, true);
    assertTrue(intr);
    assertEquals(0x31, pic.acknowledge());
    master(0, 0x20);
    assertFalse(intr);
    master(0, 0x20);
    assertEquals(0x35, pic.acknowledge());
  }

  @Test
  void slaveComesThroughInputTwo() {
    pic.set(8, true);
    assertTrue(intr);
    assertEquals(0x38, pic.acknowledge());
    slave(0, 0x20);
    master(0, 0x20);
    slave(0, 0x0b); // read ISR
    assertEquals(0, pic.slavePorts().in(0xa0, 1));
  }

  @Test
  void maskHoldsRequestsBack() {
    master(1, 0xff);
    pic.set(3, true);
    assertFalse(intr);
    assertEquals(0xff, pic.masterPorts().in(0x21, 1));
    master(0, 0x0a);
    assertEquals(0x08, pic.masterPorts().in(0x20, 1), "visible in IRR");
    master(1, 0xf7);
    assertTrue(intr);
  }

  @Test
  void aRequestThatWentAwayIsSpurious() {
    pic.set(4, true);
    pic.set(4, false);
    assertFalse(intr);
    assertEquals(0x37, pic.acknowledge());
  }

  @Test
  void levelInputsRequestAgainWhileHigh() {
    pic.triggerPorts().out(0x4d1, 1, 0xff);
    assertEquals(0xde, pic.triggerPorts().in(0x4d1, 1), "inputs 8 and 13 stay edge triggered");
    pic.set(10, true);
    assertEquals(0x3a, pic.acknowledge());
    slave(0, 0x20);
    master(0, 0x20);
    assertTrue(intr);
    pic.set(10, false);
    assertFalse(intr);
  }

  @Test
  void automaticEoiLeavesNothingInService() {
    master(0, 0x11);
    master(1, 0x30);
    master(1, 0x04);
    master(1, 0x03);
    pic.set(1, true);
    assertEquals(0x31, pic.acknowledge());
    master(0, 0x0b);
    assertEquals(0, pic.masterPorts().in(0x20, 1));
  }

  @Test
  void rotationMakesTheServedInputLowest() {
    pic.set(0, true);
    pic.acknowledge();
    master(0, 0xa0); // rotate on non-specific EOI
    pic.set(0, false);
    pic.set(0, true);
    pic.set(5, true);
    assertEquals(0x35, pic.acknowledge());
  }
}
