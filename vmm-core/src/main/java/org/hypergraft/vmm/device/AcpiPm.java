package org.hypergraft.vmm.device;

import org.hypergraft.vmm.bus.InterruptLine;
import org.hypergraft.vmm.bus.PortDevice;
import org.hypergraft.vmm.bus.VirtualClock;

/**
 * The fixed ACPI hardware (ACPI specification, chapter 4.8): PM1a event and control blocks and the
 * power-management timer. The machine is always in ACPI mode: SCI_EN reads as one and there is no
 * SMI command port. The only sleep state is S5.
 */
public final class AcpiPm implements PortDevice {
  /** First port of the block. */
  public static final int BASE = 0x600;

  /** Ports from {@link #BASE}. */
  public static final int PORTS = 12;

  /** Offset of the event block: status and enable, 2 bytes each. */
  public static final int EVENT = 0;

  /** Offset of the control block, 2 bytes. */
  public static final int CONTROL = 4;

  /** Offset of the timer, 4 bytes. */
  public static final int TIMER = 8;

  /** Frequency of the timer, ACPI 4.8.2.1, Hz. */
  public static final long TIMER_HZ = 3_579_545;

  /** SLP_TYP value that the \_S5_ object names for soft-off. */
  public static final int SLEEP_TYPE_S5 = 5;

  /** Interrupt of power-management events. */
  public static final int SCI = 9;

  private static final int TIMER_STATUS = 1;
  private static final int SCI_ENABLE = 1;
  private static final int SLEEP_ENABLE = 1 << 13;

  private final VirtualClock clock;
  private final InterruptLine sci;
  private final Runnable powerOff;
  private VirtualClock.Timer carry;
  private int status;
  private int enable;
  private int control = SCI_ENABLE;

  /** Multiples of 2^31 ticks that {@link #status} has seen. */
  private long carriesSeen;

  public AcpiPm(VirtualClock clock, InterruptLine sci, Runnable powerOff) {
    this.clock = clock;
    this.sci = sci;
    this.powerOff = powerOff;
  }

  @Override
  public int in(int port, int size) {
    int offset = port - BASE;
    if (offset >= TIMER) {
      return field((int) clock.ticks(TIMER_HZ), offset - TIMER, size);
    }
    if (offset >= CONTROL) {
      return field(control, offset - CONTROL, size);
    }
    updateStatus();
    return field(enable << 16 | status, offset, size);
  }

  @Override
  public void out(int port, int size, int value) {
    int offset = port - BASE;
    if (offset >= TIMER) {
      return;
    }
    if (offset >= CONTROL) {
      control = merge(control, offset - CONTROL, size, value) & ~SLEEP_ENABLE | SCI_ENABLE;
      boolean sleep = (merge(0, offset - CONTROL, size, value) & SLEEP_ENABLE) != 0;
      if (sleep && (control >>> 10 & 7) == SLEEP_TYPE_S5) {
        powerOff.run();
      }
      return;
    }
    updateStatus();
    int cleared = merge(0, offset, size, value) & 0xffff;
    status &= ~cleared;
    enable = merge(enable << 16, offset, size, value) >>> 16;
    updateStatus();
  }

  /** TMR_STS is set whenever the top bit of the 32-bit timer changes. */
  private void updateStatus() {
    long carries = clock.ticks(TIMER_HZ) >>> 31;
    if (carries != carriesSeen) {
      carriesSeen = carries;
      status |= TIMER_STATUS;
    }
    sci.set((status & enable) != 0);
    boolean wanted = (enable & ~status & TIMER_STATUS) != 0;
    if (carry != null) {
      carry.cancel();
      carry = null;
    }
    if (wanted) {
      long next = VirtualClock.whenTicks(carries + 1 << 31, TIMER_HZ);
      carry = clock.schedule(next, this::updateStatus);
    }
  }

  private static int field(int register, int offset, int size) {
    int value = register >>> 8 * offset;
    return size == 4 ? value : value & (1 << 8 * size) - 1;
  }

  private static int merge(int register, int offset, int size, int value) {
    int mask = (size == 4 ? -1 : (1 << 8 * size) - 1) << 8 * offset;
    return register & ~mask | value << 8 * offset & mask;
  }
}
