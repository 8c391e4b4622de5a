package org.hypergraft.vmm.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class Uart16550Test {
  private static final int DATA = 0x3f8;
  private static final int IER = 0x3f9;
  private static final int IIR = 0x3fa;
  private static final int FCR = 0x3fa;
  private static final int LCR = 0x3fb;
  private static final int MCR = 0x3fc;
  private static final int LSR = 0x3fd;
  private static final int MSR = 0x3fe;
  private static final int SCR = 0x3ff;

  private final StringBuilder sent = new StringBuilder();
  private boolean irq;
  private final Uart16550 uart =
      new Uart16550(DATA, b -> sent.append((char) b), asserted -> irq = asserted);

  private int in(int port) {
    return uart.in(port, 1);
  }

  private void out(int port, int value) {
    uart.out(port, 1, value);
  }

  @Test
  void transmitsAndIsAlwaysReadyForMore() {
    out(DATA, 'o');
    out(DATA, 'k');
    assertEquals("ok", sent.toString());
    assertEquals(0x60, in(LSR));
  }

  @Test
  void divisorLatchHidesDataAndEnableRegisters() {
    out(LCR, 0x83);
    out(DATA, 0x01);
    out(IER, 0x02);
    assertEquals(0x01, in(DATA));
    assertEquals(0x02, in(IER));
    out(LCR, 0x03);
    assertEquals(0, in(IER));
    assertEquals("", sent.toString());
  }

  @Test
  void identifiesAs16550aByItsFifoBits() {
    assertEquals(0x01, in(IIR));
    out(FCR, 1);
    assertEquals(0xc1, in(IIR));
    out(FCR, 0);
    assertEquals(0x01, in(IIR));
    out(SCR, 0xa5);
    assertEquals(0xa5, in(SCR));
    out(IER, 0xff);
    assertEquals(0x0f, in(IER));
  }

  @Test
  void enablingTheTransmitInterruptRaisesItUntilIdentified() {
    out(MCR, 0x08);
    out(IER, 0x02);
    assertTrue(irq);
    assertEquals(0x02, in(IIR));
    assertFalse(irq);
    assertEquals(0x01, in(IIR));
    out(IER, 0);
    out(IER, 0x02);
    assertEquals(0x02, in(IIR));
    out(DATA, 'x');
    assertTrue(irq);
  }

  @Test
  void interruptsReachTheWireOnlyThroughOut2() {
    out(IER, 0x02);
    assertFalse(irq);
    out(MCR, 0x08);
    assertTrue(irq);
  }

  @Test
  void receivesWithTriggerLevelAndTimeout() {
    out(FCR, 0x81); // trigger at 8
    out(MCR, 0x0a);
    out(IER, 0x01);
    uart.receive(new byte[] {'a', 'b'});
    assertTrue(irq);
    assertEquals(0xcc, in(IIR), "below the trigger level: character timeout");
    uart.receive(new byte[8]);
    assertEquals(0xc4, in(IIR));
    assertEquals(0x61, in(LSR));
    assertEquals('a', in(DATA));
    assertEquals('b', in(DATA));
    for (int i = 0; i < 8; i++) {
      assertEquals(0, in(DATA));
    }
    assertEquals(0x60, in(LSR));
    assertFalse(irq);
  }

  @Test
  void senderWaitsForRequestToSend() {
    uart.receive("a longer line than fits".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    assertEquals(0x60, in(LSR), "not asked for yet");
    out(FCR, 0x07);
    out(MCR, 0x02);
    StringBuilder got = new StringBuilder();
    while ((in(LSR) & 1) != 0) {
      got.append((char) in(DATA));
    }
    assertEquals("a longer line than fits", got.toString());
  }

  @Test
  void receiveOutranksTransmit() {
    out(IER, 0x03);
    out(MCR, 0x02);
    uart.receive(new byte[] {1});
    assertEquals(0x04, in(IIR));
    in(DATA);
    assertEquals(0x02, in(IIR));
  }

  @Test
  void loopBackMirrorsControlLinesAndData() {
    assertEquals(0xb0, in(MSR));
    out(MCR, 0x1a); // loop, OUT2, RTS: the probe of Linux's 8250 driver
    assertEquals(0x90, in(MSR) & 0xf0);
    out(DATA, 0x5a);
    assertEquals("", sent.toString());
    assertEquals(0x5a, in(DATA));
    out(DATA, 1);
    out(DATA, 2);
    assertEquals(0x63, in(LSR), "overrun without FIFO");
    assertEquals(0x61, in(LSR), "and cleared by reading");
  }

  @Test
  void modemChangesAreReportedOnce() {
    out(MCR, 0x10);
    in(MSR);
    out(MCR, 0x11); // DTR becomes DSR
    assertEquals(0x22, in(MSR));
    assertEquals(0x20, in(MSR));
  }
}
