package org.hypergraft.vmm.device;

import java.util.Arrays;
import java.util.function.LongSupplier;
import org.hypergraft.vmm.bus.ApicMsrs;
import org.hypergraft.vmm.bus.CpuPins;
import org.hypergraft.vmm.bus.InterruptSource;
import org.hypergraft.vmm.bus.VirtualClock;

/**
 * A local APIC (Intel SDM vol. 3, chapter 11), reached through its page in xAPIC mode or through
 * MSRs in x2APIC mode. One per vCPU. The bootstrap processor's starts as firmware leaves it, in
 * virtual wire mode: the 8259 pair interrupts through LINT0.
 */
public final class LocalApic implements InterruptSource, ApicMsrs {
  /** Physical address of the page. Relocating it is not supported. */
  public static final long BASE = 0xfee00000L;

  /** Bytes claimed from {@link #BASE}; message-signalled interrupts would be written above. */
  public static final long LENGTH = 0x1000;

  /** Timer input clock before its divider, Hz: one count per ns of virtual time. */
  public static final long TIMER_HZ = 1_000_000_000;

  // Registers, as offset / 16 in the page, which is also the MSR number less 0x800.
  private static final int ID = 0x02;
  private static final int VERSION = 0x03;
  private static final int TPR = 0x08;
  private static final int APR = 0x09;
  private static final int PPR = 0x0a;
  private static final int EOI = 0x0b;
  private static final int LDR = 0x0d;
  private static final int DFR = 0x0e;
  private static final int SVR = 0x0f;
  private static final int ISR = 0x10;
  private static final int TMR = 0x18;
  private static final int IRR = 0x20;
  private static final int ESR = 0x28;
  private static final int ICR_LOW = 0x30;
  private static final int ICR_HIGH = 0x31;
  private static final int LVT_TIMER = 0x32;
  private static final int LVT_LINT0 = 0x35;
  private static final int LVT_LINT1 = 0x36;
  private static final int LVT_ERROR = 0x37;
  private static final int INITIAL_COUNT = 0x38;
  private static final int CURRENT_COUNT = 0x39;
  private static final int DIVIDE = 0x3e;
  private static final int SELF_IPI = 0x3f;

  private static final int VERSION_VALUE = 5 << 16 | 0x14;
  private static final int SVR_ENABLE = 1 << 8;
  private static final int SVR_BITS = 0x3ff;
  private static final int LVT_MASKED = 1 << 16;
  private static final int LVT_MODE = 7 << 8;
  private static final int MODE_EXT_INT = ApicBus.EXT_INT << 8;
  private static final int MODE_NMI = ApicBus.NMI << 8;
  private static final int ERROR_SEND_VECTOR = 1 << 5;
  private static final int ERROR_RECEIVE_VECTOR = 1 << 6;
  private static final int ERROR_REGISTER = 1 << 7;
  private static final long BASE_BSP = 1 << 8;
  private static final long BASE_X2APIC = 1 << 10;
  private static final long BASE_ENABLE = 1 << 11;

  /** Writable bits of the LVT entries from timer to error. */
  private static final int[] LVT_BITS = {0x710ff, 0x117ff, 0x117ff, 0x1b7ff, 0x1b7ff, 0x110ff};

  private static final int LOWEST_VECTOR = 16;

  private final ApicBus bus;
  private final CpuPins pins;
  private final Pic8259 pic;
  private final int apicId;
  private final boolean bootstrap;

  private long base;
  private int tpr;
  private int ldr;
  private int dfr;
  private int svr;
  private int esr;
  private int errors;
  private long icr;
  private final int[] lvt = new int[LVT_BITS.length];
  private final VectorSet irr = new VectorSet();
  private final VectorSet isr = new VectorSet();
  private final VectorSet tmr = new VectorSet();
  private final ApicTimer timer;

  /** Highest requested vector that the priority lets through, or -1. */
  private int deliverable = -1;

  /**
   * @param apicId its id; the first attached is the bootstrap processor's
   * @param pic the 8259 pair on LINT0, or null
   * @param tscAdjust guest time-stamp counter less the clock's
   */
  public LocalApic(
      ApicBus bus,
      VirtualClock clock,
      int apicId,
      CpuPins pins,
      Pic8259 pic,
      LongSupplier tscAdjust) {
    this.bus = bus;
    this.apicId = apicId;
    this.pins = pins;
    this.pic = pic;
    timer = new ApicTimer(clock, tscAdjust, () -> lvt[0], this::timerExpired);
    bootstrap = bus.apics().isEmpty();
    base = BASE | BASE_ENABLE | (bootstrap ? BASE_BSP : 0);
    reset();
    if (bootstrap) {
      svr |= SVR_ENABLE;
      lvt[LVT_LINT0 - LVT_TIMER] = MODE_EXT_INT;
      lvt[LVT_LINT1 - LVT_TIMER] = MODE_NMI;
    }
    bus.attach(this);
  }

  /** State after INIT, SDM 11.4.7.3: all but the id and the base address. */
  public void reset() {
    tpr = 0;
    ldr = x2apic() ? x2apicLogicalId() : 0;
    dfr = -1;
    svr = 0xff;
    esr = 0;
    errors = 0;
    icr = 0;
    Arrays.fill(lvt, LVT_MASKED);
    irr.clear();
    isr.clear();
    tmr.clear();
    timer.reset();
    update();
  }

  @Override
  public boolean pending() {
    return deliverable >= 0 || (pic != null && pic.pending() && acceptsExtInt());
  }

  @Override
  public int acknowledge() {
    if (deliverable < 0) {
      return pic.acknowledge();
    }
    int vector = deliverable;
    irr.remove(vector);
    isr.add(vector);
    update();
    return vector;
  }

  /** Task priority class, what CR8 reads. */
  public int taskPriorityClass() {
    return tpr >>> 4;
  }

  /** Writes the task priority through CR8. */
  public void setTaskPriorityClass(int cr8) {
    tpr = cr8 << 4;
    update();
  }

  // ---- registers through the page

  long read(long offset, int size) {
    if (!enabled() || x2apic()) {
      return size == 8 ? -1L : (1L << 8 * size) - 1;
    }
    // Only aligned 32-bit accesses are architectural; parts of a register read as that part.
    int value = (offset & 0xc) == 0 ? register((int) offset >>> 4) : 0;
    long shifted = (value & 0xffffffffL) >>> 8 * (offset & 3);
    return size >= 4 ? shifted : shifted & (1L << 8 * size) - 1;
  }

  void write(long offset, int size, long value) {
    if (enabled() && !x2apic() && (offset & 0xf) == 0 && size >= 4) {
      int register = (int) offset >>> 4;
      if (register == ICR_LOW) {
        icr = icr & 0xffffffff_00000000L | value & 0xffffffffL;
        sendIpi();
      } else if (register == ICR_HIGH) {
        icr = icr & 0xffffffffL | value << 32;
      } else {
        setRegister(register, (int) value);
      }
    }
  }

  // ---- registers through MSRs

  @Override
  public boolean canReadMsr(int msr) {
    if (msr == MSR_BASE || msr == MSR_TSC_DEADLINE) {
      return true;
    }
    int register = msr - MSR_X2APIC;
    return x2apic()
        && (register == ID
            || register == VERSION
            || register == TPR
            || register == PPR
            || register == LDR
            || register == SVR
            || (register >= ISR && register < IRR + 8)
            || register == ESR
            || register == ICR_LOW
            || (register >= LVT_TIMER && register <= CURRENT_COUNT)
            || register == DIVIDE);
  }

  @Override
  public long readMsr(int msr) {
    switch (msr) {
      case MSR_BASE:
        return base;
      case MSR_TSC_DEADLINE:
        return timer.deadline();
      case MSR_X2APIC + ICR_LOW:
        return icr;
      default:
        return register(msr - MSR_X2APIC) & 0xffffffffL;
    }
  }

  @Override
  public boolean writeMsr(int msr, long value) {
    if (msr == MSR_BASE) {
      return writeBase(value);
    }
    if (msr == MSR_TSC_DEADLINE) {
      timer.setDeadline(value);
      return true;
    }
    if (!x2apic()) {
      return false;
    }
    int register = msr - MSR_X2APIC;
    if (register == ICR_LOW) {
      icr = value;
      sendIpi();
      return true;
    }
    if (value >>> 32 != 0) {
      return false;
    }
    switch (register) {
      case EOI:
      case ESR:
        if (value != 0) {
          return false;
        }
        break;
      case TPR:
        if (value >>> 8 != 0) {
          return false;
        }
        break;
      case SELF_IPI:
        if (value >>> 8 != 0) {
          return false;
        }
        if (value < LOWEST_VECTOR) {
          error(ERROR_SEND_VECTOR);
        } else {
          receive(ApicBus.FIXED, (int) value, false);
        }
        return true;
      case SVR:
      case INITIAL_COUNT:
      case DIVIDE:
        break;
      default:
        if (register < LVT_TIMER || register > LVT_ERROR) {
          return false;
        }
        break;
    }
    setRegister(register, (int) value);
    return true;
  }

  /** Mode changes of SDM 11.12.5: x2APIC is left only through disabled. */
  private boolean writeBase(long value) {
    long mode = value & (BASE_ENABLE | BASE_X2APIC);
    boolean illegal =
        (value & ~(BASE_ENABLE | BASE_X2APIC | BASE_BSP)) != BASE
            || mode == BASE_X2APIC
            || (x2apic() && mode == BASE_ENABLE)
            || (!enabled() && mode == (BASE_ENABLE | BASE_X2APIC));
    if (illegal) {
      return false;
    }
    boolean wasX2 = x2apic();
    boolean wasEnabled = enabled();
    base = BASE | mode | (bootstrap ? BASE_BSP : 0);
    if (x2apic() && !wasX2) {
      // The logical id is derived and cannot be written.
      ldr = x2apicLogicalId();
      icr &= 0xffffffffL;
    }
    if (wasEnabled && !enabled()) {
      reset();
    }
    update();
    return true;
  }

  // ---- messages

  int id() {
    return apicId;
  }

  int priority() {
    return processorPriority();
  }

  /** Logical destination match, SDM 11.6.2.2 (flat and cluster) and 11.12.10.2 (x2APIC). */
  boolean matchesLogical(int destination) {
    if (x2apic()) {
      return destination == -1
          || (destination >>> 16 == ldr >>> 16 && (destination & ldr & 0xffff) != 0);
    }
    int logical = ldr >>> 24;
    int message = destination & 0xff;
    if (message == 0xff) {
      return true;
    }
    if (dfr >>> 28 == 0xf) {
      return (logical & message) != 0;
    }
    return logical >>> 4 == message >>> 4 && (logical & message & 0xf) != 0;
  }

  /** Takes a message from the bus, this APIC's own LVT included. */
  void receive(int mode, int vector, boolean level) {
    switch (mode) {
      case ApicBus.FIXED:
      case ApicBus.LOWEST_PRIORITY:
        if (!enabled() || (svr & SVR_ENABLE) == 0) {
          return;
        }
        if (vector < LOWEST_VECTOR) {
          error(ERROR_RECEIVE_VECTOR);
          return;
        }
        irr.add(vector);
        if (level) {
          tmr.add(vector);
        } else {
          tmr.remove(vector);
        }
        update();
        break;
      case ApicBus.SMI:
        pins.smi();
        break;
      case ApicBus.NMI:
        pins.nmi();
        break;
      case ApicBus.INIT:
        reset();
        pins.init();
        break;
      case ApicBus.START_UP:
        pins.startUp(vector);
        break;
      default: // ExtINT arrives over the INTR wire
        break;
    }
  }

  private void sendIpi() {
    int low = (int) icr;
    int mode = low >>> 8 & 7;
    int vector = low & 0xff;
    boolean level = (low & 1 << 15) != 0;
    boolean assertLevel = (low & 1 << 14) != 0;
    if (mode == ApicBus.INIT && level && !assertLevel) {
      return; // INIT level de-assert only synchronised arbitration ids of old processors
    }
    if (mode <= ApicBus.LOWEST_PRIORITY && vector < LOWEST_VECTOR) {
      error(ERROR_SEND_VECTOR);
      return;
    }
    int shorthand = low >>> 18 & 3;
    if (shorthand == 1) {
      receive(mode, vector, false);
    } else if (shorthand == 0) {
      int destination = (int) (x2apic() ? icr >>> 32 : icr >>> 56);
      bus.deliver(destination, (low & 1 << 11) != 0, mode, vector, false);
    } else {
      for (LocalApic apic : bus.apics()) {
        if (shorthand == 2 || apic != this) {
          apic.receive(mode, vector, false);
        }
      }
    }
  }

  private boolean acceptsExtInt() {
    int lint0 = lvt[LVT_LINT0 - LVT_TIMER];
    return bootstrap && (!enabled() || (lint0 & (LVT_MASKED | LVT_MODE)) == MODE_EXT_INT);
  }

  private void endOfInterrupt() {
    int vector = isr.highest();
    if (vector < 0) {
      return;
    }
    isr.remove(vector);
    boolean level = tmr.contains(vector);
    update();
    if (level) {
      bus.endOfInterrupt(vector);
    }
  }

  private void timerExpired() {
    if ((lvt[0] & LVT_MASKED) == 0) {
      receive(ApicBus.FIXED, lvt[0] & 0xff, false);
    }
  }

  // ---- register file

  private int register(int index) {
    if (index >= ISR && index < TMR) {
      return isr.word(index - ISR);
    }
    if (index >= TMR && index < IRR) {
      return tmr.word(index - TMR);
    }
    if (index >= IRR && index < ESR) {
      return irr.word(index - IRR);
    }
    if (index >= LVT_TIMER && index <= LVT_ERROR) {
      return lvt[index - LVT_TIMER];
    }
    switch (index) {
      case ID:
        return x2apic() ? apicId : apicId << 24;
      case VERSION:
        return VERSION_VALUE;
      case TPR:
        return tpr;
      case APR:
      case PPR:
        return processorPriority();
      case LDR:
        return ldr;
      case DFR:
        return dfr;
      case SVR:
        return svr;
      case ESR:
        return esr;
      case ICR_LOW:
        return (int) icr;
      case ICR_HIGH:
        return (int) (icr >>> 32);
      case INITIAL_COUNT:
        return timer.initialCount();
      case CURRENT_COUNT:
        return timer.currentCount();
      case DIVIDE:
        return timer.divide();
      case EOI:
        return 0;
      default:
        error(ERROR_REGISTER);
        return 0;
    }
  }

  private void setRegister(int index, int value) {
    if (index >= LVT_TIMER && index <= LVT_ERROR) {
      writeLvt(index - LVT_TIMER, value);
      return;
    }
    switch (index) {
      case TPR:
        tpr = value & 0xff;
        update();
        break;
      case EOI:
        endOfInterrupt();
        break;
      case LDR:
        ldr = value & 0xff000000;
        break;
      case DFR:
        dfr = value | 0x0fffffff;
        break;
      case SVR:
        svr = value & SVR_BITS;
        if ((svr & SVR_ENABLE) == 0) {
          for (int i = 0; i < lvt.length; i++) {
            setLvt(i, lvt[i] | LVT_MASKED);
          }
        }
        break;
      case ESR:
        esr = errors;
        errors = 0;
        break;
      case INITIAL_COUNT:
        timer.setInitialCount(value);
        break;
      case DIVIDE:
        timer.setDivide(value);
        break;
      case ID: // read-only here: the MADT and the boot protocol already name it
      case APR:
      case PPR:
      case VERSION:
      case CURRENT_COUNT:
        break;
      default:
        error(ERROR_REGISTER);
        break;
    }
  }

  private void writeLvt(int entry, int value) {
    int bits = value & LVT_BITS[entry];
    if ((svr & SVR_ENABLE) == 0) {
      bits |= LVT_MASKED;
    }
    setLvt(entry, bits);
  }

  private void setLvt(int entry, int bits) {
    int old = lvt[entry];
    lvt[entry] = bits;
    if (entry == 0) {
      timer.entryChanged(old);
    }
  }

  private void error(int bit) {
    errors |= bit;
    int entry = lvt[LVT_ERROR - LVT_TIMER];
    int vector = entry & 0xff;
    if ((entry & LVT_MASKED) == 0 && vector >= LOWEST_VECTOR) {
      receive(ApicBus.FIXED, vector, false);
    }
  }

  private boolean enabled() {
    return (base & BASE_ENABLE) != 0;
  }

  private boolean x2apic() {
    return (base & BASE_X2APIC) != 0;
  }

  /** SDM 11.12.10.2: cluster in the high half, one bit of sixteen in the low one. */
  private int x2apicLogicalId() {
    return apicId >>> 4 << 16 | 1 << (apicId & 0xf);
  }

  /** SDM 11.8.3.1: the higher of task priority and the class of the vector in service. */
  private int processorPriority() {
    int serving = Math.max(isr.highest(), 0);
    return tpr >>> 4 >= serving >>> 4 ? tpr : serving & 0xf0;
  }

  private void update() {
    int requested = irr.highest();
    deliverable = requested >= 0 && requested >>> 4 > processorPriority() >>> 4 ? requested : -1;
  }
}
