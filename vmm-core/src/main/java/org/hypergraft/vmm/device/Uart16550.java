package org.hypergraft.vmm.device;

import java.util.ArrayDeque;
import java.util.function.IntConsumer;
import org.hypergraft.vmm.bus.InterruptLine;
import org.hypergraft.vmm.bus.PortDevice;

/**
 * A 16550A serial port (National Semiconductor PC16550D data sheet). A transmitted byte reaches the
 * sink at once, so the transmitter is always empty. Whoever sends to the guest heeds the RTS line:
 * bytes wait outside until the guest asserts it and the FIFO has room, so none is lost.
 */
public final class Uart16550 implements PortDevice {
  /** Ports that the chip occupies. */
  public static final int PORTS = 8;

  private static final int IER_RECEIVE = 1;
  private static final int IER_TRANSMIT = 1 << 1;
  private static final int IER_LINE = 1 << 2;
  private static final int IER_MODEM = 1 << 3;
  private static final int IIR_MODEM = 0x0;
  private static final int IIR_NONE = 0x1;
  private static final int IIR_TRANSMIT = 0x2;
  private static final int IIR_RECEIVE = 0x4;
  private static final int IIR_LINE = 0x6;
  private static final int IIR_TIMEOUT = 0xc;
  private static final int IIR_FIFO = 0xc0;
  private static final int FCR_ENABLE = 1;
  private static final int FCR_CLEAR_RECEIVE = 1 << 1;
  private static final int LCR_DIVISOR_LATCH = 1 << 7;
  private static final int MCR_RTS = 1 << 1;
  private static final int MCR_OUT2 = 1 << 3;
  private static final int MCR_LOOP = 1 << 4;
  private static final int LSR_DATA_READY = 1;
  private static final int LSR_OVERRUN = 1 << 1;
  private static final int LSR_TRANSMITTER_EMPTY = 0x60;

  /** CTS, DSR and DCD asserted: somebody listens. */
  private static final int MSR_CONNECTED = 0xb0;

  private static final int FIFO_SIZE = 16;
  private static final int[] TRIGGER_LEVELS = {1, 4, 8, 14};

  private final int base;
  private final IntConsumer sink;
  private final InterruptLine irq;

  /** Bytes on their way to the guest. */
  private final ArrayDeque<Byte> incoming = new ArrayDeque<>();

  private final ArrayDeque<Byte> received = new ArrayDeque<>();

  private int divisor = 12;
  private int ier;
  private int fcr;
  private int lcr;
  private int mcr;
  private int lsrErrors;
  private int msrDelta;
  private int scratch;
  private boolean transmitPending;

  /**
   * @param base first port, 0x3f8 for the first PC serial port
   * @param sink gets every transmitted byte
   */
  public Uart16550(int base, IntConsumer sink, InterruptLine irq) {
    this.base = base;
    this.sink = sink;
    this.irq = irq;
  }

  /** Sends bytes to the guest, as fast as it takes them. */
  public void receive(byte[] bytes) {
    for (byte b : bytes) {
      incoming.add(b);
    }
    update();
  }

  @Override
  public int in(int port, int size) {
    switch (port - base) {
      case 0:
        return (lcr & LCR_DIVISOR_LATCH) != 0 ? divisor & 0xff : readData();
      case 1:
        return (lcr & LCR_DIVISOR_LATCH) != 0 ? divisor >>> 8 : ier;
      case 2:
        return readInterruptIdentification();
      case 3:
        return lcr;
      case 4:
        return mcr;
      case 5:
        int lsr = LSR_TRANSMITTER_EMPTY | lsrErrors | (received.isEmpty() ? 0 : LSR_DATA_READY);
        lsrErrors = 0;
        update();
        return lsr;
      case 6:
        int msr = modemLines() | msrDelta;
        msrDelta = 0;
        update();
        return msr;
      default:
        return scratch;
    }
  }

  @Override
  public void out(int port, int size, int value) {
    switch (port - base) {
      case 0:
        if ((lcr & LCR_DIVISOR_LATCH) != 0) {
          divisor = divisor & 0xff00 | value;
        } else {
          transmit(value);
        }
        break;
      case 1:
        if ((lcr & LCR_DIVISOR_LATCH) != 0) {
          divisor = divisor & 0xff | value << 8;
        } else {
          // Enabling the interrupt while the holding register is empty raises it.
          if ((value & ~ier & IER_TRANSMIT) != 0) {
            transmitPending = true;
          }
          ier = value & 0xf;
        }
        break;
      case 2:
        if (((fcr ^ value) & FCR_ENABLE) != 0 || (value & FCR_CLEAR_RECEIVE) != 0) {
          received.clear();
        }
        fcr = (value & FCR_ENABLE) != 0 ? value : 0;
        break;
      case 3:
        lcr = value;
        break;
      case 4:
        int before = modemLines();
        mcr = value & 0x1f;
        noteModemChange(before);
        break;
      case 7:
        scratch = value;
        break;
      default:
        break; // LSR and MSR are read-only
    }
    update();
  }

  private int readData() {
    Byte b = received.poll();
    update();
    return b == null ? 0 : b & 0xff;
  }

  private void transmit(int value) {
    transmitPending = true;
    if ((mcr & MCR_LOOP) == 0) {
      sink.accept(value);
    } else if (received.size() < capacity()) {
      received.add((byte) value);
    } else {
      lsrErrors |= LSR_OVERRUN;
    }
  }

  /** Bytes that the receiver holds. */
  private int capacity() {
    return (fcr & FCR_ENABLE) != 0 ? FIFO_SIZE : 1;
  }

  private int readInterruptIdentification() {
    int id = identify();
    if (id == IIR_TRANSMIT) {
      transmitPending = false;
      update();
    }
    return id | ((fcr & FCR_ENABLE) != 0 ? IIR_FIFO : 0);
  }

  /** The enabled interrupt of highest priority, PC16550D table 5. */
  private int identify() {
    if ((ier & IER_LINE) != 0 && lsrErrors != 0) {
      return IIR_LINE;
    }
    if ((ier & IER_RECEIVE) != 0 && !received.isEmpty()) {
      boolean enough = (fcr & FCR_ENABLE) == 0 || received.size() >= TRIGGER_LEVELS[fcr >>> 6 & 3];
      return enough ? IIR_RECEIVE : IIR_TIMEOUT;
    }
    if ((ier & IER_TRANSMIT) != 0 && transmitPending) {
      return IIR_TRANSMIT;
    }
    if ((ier & IER_MODEM) != 0 && msrDelta != 0) {
      return IIR_MODEM;
    }
    return IIR_NONE;
  }

  /** Bits 4-7 of the modem status register; in loop-back they mirror the control outputs. */
  private int modemLines() {
    if ((mcr & MCR_LOOP) == 0) {
      return MSR_CONNECTED;
    }
    return (mcr & 2) << 3 | (mcr & 1) << 5 | (mcr & 0xc) << 4;
  }

  private void noteModemChange(int before) {
    int after = modemLines();
    int changed = (before ^ after) >>> 4;
    int ringEnded = (before & ~after) >>> 4 & 4;
    msrDelta |= changed & 0xb | ringEnded;
  }

  private void update() {
    if ((mcr & (MCR_RTS | MCR_LOOP)) == MCR_RTS) {
      while (!incoming.isEmpty() && received.size() < capacity()) {
        received.add(incoming.poll());
      }
    }
    // On a PC, OUT2 gates the interrupt line.
    irq.set((mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 && identify() != IIR_NONE);
  }
}
