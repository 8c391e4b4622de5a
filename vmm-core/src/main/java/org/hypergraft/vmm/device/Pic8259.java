package org.hypergraft.vmm.device;

import org.hypergraft.vmm.bus.InterruptLine;
import org.hypergraft.vmm.bus.PortDevice;

/**
 * The pair of 8259A interrupt controllers of a PC (Intel 8259A data sheet), the second cascaded
 * into input 2 of the first, with the edge/level control registers of later chipsets.
 */
public final class Pic8259 {
  private static final int CASCADE = 2;
  private static final int SPURIOUS = 7;

  private final Chip master;
  private final Chip slave;
  private final InterruptLine output;

  /**
   * @param output the INTR wire of the processor (through LINT0 of the local APIC)
   */
  public Pic8259(InterruptLine output) {
    this.output = output;
    master = new Chip(0xf8);
    slave = new Chip(0xde);
  }

  /** Ports 0x20-0x21. */
  public PortDevice masterPorts() {
    return master;
  }

  /** Ports 0xa0-0xa1. */
  public PortDevice slavePorts() {
    return slave;
  }

  /** Edge/level control, ports 0x4d0 (inputs 0-7) and 0x4d1 (inputs 8-15). */
  public PortDevice triggerPorts() {
    return new PortDevice() {
      @Override
      public int in(int port, int size) {
        return chip(port).level;
      }

      @Override
      public void out(int port, int size, int value) {
        Chip chip = chip(port);
        chip.level = value & chip.levelMask;
        update();
      }

      private Chip chip(int port) {
        return (port & 1) == 0 ? master : slave;
      }
    };
  }

  /** Drives input 0-15. */
  public void set(int input, boolean asserted) {
    (input < 8 ? master : slave).drive(input & 7, asserted);
    update();
  }

  /** Whether the pair asks for the processor. */
  public boolean pending() {
    return master.highest() >= 0;
  }

  /** The two INTA cycles: returns the vector of the interrupt that is now in service. */
  public int acknowledge() {
    int input = master.highest();
    int vector;
    if (input < 0) {
      vector = master.base | SPURIOUS;
    } else {
      master.serve(input);
      vector = master.base | input;
      if (input == CASCADE) {
        int second = slave.highest();
        if (second >= 0) {
          slave.serve(second);
        }
        vector = slave.base | (second < 0 ? SPURIOUS : second);
      }
    }
    update();
    return vector;
  }

  private void update() {
    master.drive(CASCADE, slave.highest() >= 0);
    output.set(pending());
  }

  private final class Chip implements PortDevice {
    /** Inputs that may be made level triggered: all but timer, keyboard, cascade, RTC, FPU. */
    final int levelMask;

    int level;
    int base;
    private int lines;
    private int irr;
    private int isr;
    private int imr;
    private int lowestPriority = 7;
    private int initStep;
    private boolean expectIcw4;
    private boolean single;
    private boolean autoEoi;
    private boolean rotateOnAutoEoi;
    private boolean readIsr;
    private boolean poll;
    private boolean specialMask;
    private boolean fullyNested;

    Chip(int levelMask) {
      this.levelMask = levelMask;
    }

    void drive(int input, boolean asserted) {
      int bit = 1 << input;
      if (asserted) {
        if ((lines & bit) == 0 || (level & bit) != 0) {
          irr |= bit;
        }
        lines |= bit;
      } else {
        lines &= ~bit;
        // An 8259 input must stay high until acknowledged, even in edge mode.
        irr &= ~bit;
      }
    }

    /** The requesting input of highest priority above those in service, or -1. */
    int highest() {
      int requests = irr & ~imr;
      if (requests == 0) {
        return -1;
      }
      int serving = specialMask ? isr & ~imr : isr;
      boolean nested = fullyNested && this == master;
      for (int i = 1; i <= 8; i++) {
        int input = lowestPriority + i & 7;
        int bit = 1 << input;
        if ((serving & bit) != 0 && !(nested && input == CASCADE && (requests & bit) != 0)) {
          if (!specialMask) {
            return -1;
          }
          continue;
        }
        if ((requests & bit) != 0) {
          return input;
        }
      }
      return -1;
    }

    void serve(int input) {
      int bit = 1 << input;
      if (autoEoi) {
        if (rotateOnAutoEoi) {
          lowestPriority = input;
        }
      } else {
        isr |= bit;
      }
      if ((level & bit) == 0) {
        irr &= ~bit;
      }
    }

    @Override
    public int in(int port, int size) {
      if (poll) {
        poll = false;
        int input = highest();
        if (input >= 0) {
          serve(input);
          update();
          return 0x80 | input;
        }
        return 0;
      }
      return (port & 1) != 0 ? imr : readIsr ? isr : irr;
    }

    @Override
    public void out(int port, int size, int value) {
      if ((port & 1) != 0) {
        writeData(value);
      } else if ((value & 0x10) != 0) {
        beginInitialisation(value);
      } else if ((value & 0x08) != 0) {
        writeOcw3(value);
      } else {
        writeOcw2(value);
      }
      update();
    }

    private void beginInitialisation(int icw1) {
      isr = 0;
      imr = 0;
      lowestPriority = 7;
      autoEoi = false;
      rotateOnAutoEoi = false;
      readIsr = false;
      specialMask = false;
      fullyNested = false;
      // An edge that happened before is forgotten, a level is not.
      irr = lines & level;
      single = (icw1 & 2) != 0;
      expectIcw4 = (icw1 & 1) != 0;
      initStep = 2;
    }

    private void writeData(int value) {
      switch (initStep) {
        case 2:
          base = value & 0xf8;
          initStep = single ? (expectIcw4 ? 4 : 0) : 3;
          break;
        case 3: // ICW3, the wiring of the cascade, is fixed on a PC
          initStep = expectIcw4 ? 4 : 0;
          break;
        case 4:
          autoEoi = (value & 2) != 0;
          fullyNested = (value & 0x10) != 0;
          initStep = 0;
          break;
        default:
          imr = value;
          break;
      }
    }

    private void writeOcw3(int value) {
      if ((value & 4) != 0) {
        poll = true;
      }
      if ((value & 2) != 0) {
        readIsr = (value & 1) != 0;
      }
      if ((value & 0x40) != 0) {
        specialMask = (value & 0x20) != 0;
      }
    }

    private void writeOcw2(int value) {
      int input = value & 7;
      switch (value >>> 5) {
        case 0: // rotate in automatic EOI mode: clear
          rotateOnAutoEoi = false;
          break;
        case 4: // and set
          rotateOnAutoEoi = true;
          break;
        case 1: // non-specific EOI
          endHighest(false);
          break;
        case 5: // rotate on non-specific EOI
          endHighest(true);
          break;
        case 3: // specific EOI
          isr &= ~(1 << input);
          break;
        case 7: // rotate on specific EOI
          isr &= ~(1 << input);
          lowestPriority = input;
          break;
        case 6: // set priority
          lowestPriority = input;
          break;
        default:
          break;
      }
    }

    private void endHighest(boolean rotate) {
      for (int i = 1; i <= 8; i++) {
        int input = lowestPriority + i & 7;
        if ((isr & 1 << input) != 0) {
          isr &= ~(1 << input);
          if (rotate) {
            lowestPriority = input;
          }
          return;
        }
      }
    }
  }
}
