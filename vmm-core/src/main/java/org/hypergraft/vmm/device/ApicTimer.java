package org.hypergraft.vmm.device;

import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.hypergraft.vmm.bus.VirtualClock;

/**
 * The timer of a local APIC (Intel SDM vol. 3, 11.5.4): counts down once or periodically, or waits
 * for a value of the time-stamp counter. Counts are computed from the clock when they are read.
 */
final class ApicTimer {
  /** Bits of the timer's LVT entry. */
  private static final int MASKED = 1 << 16;

  private static final int MODE = 3 << 17;
  private static final int PERIODIC = 1 << 17;
  private static final int DEADLINE = 2 << 17;

  /** Writable bits of the divide configuration register. */
  private static final int DIVIDE_BITS = 0xb;

  private final VirtualClock clock;
  private final LongSupplier tscAdjust;
  private final IntSupplier entry;
  private final Runnable expired;
  private int divide;
  private int initialCount;
  private long countStart;
  private long deadline;
  private VirtualClock.Timer timer;

  /**
   * @param tscAdjust guest time-stamp counter less the clock's
   * @param entry the timer's LVT entry
   * @param expired runs when the timer expires, masked or not
   */
  ApicTimer(VirtualClock clock, LongSupplier tscAdjust, IntSupplier entry, Runnable expired) {
    this.clock = clock;
    this.tscAdjust = tscAdjust;
    this.entry = entry;
    this.expired = expired;
  }

  void reset() {
    divide = 0;
    initialCount = 0;
    deadline = 0;
    disarm();
  }

  /** Takes note of a change of the LVT entry. */
  void entryChanged(int old) {
    int now = entry.getAsInt();
    if (((old ^ now) & MODE) != 0 && ((old | now) & DEADLINE) != 0) {
      // Entering or leaving deadline mode disarms the timer, SDM 11.5.4.1.
      initialCount = 0;
      deadline = 0;
    }
    arm();
  }

  /** What IA32_TSC_DEADLINE reads as: 0 outside its mode. */
  long deadline() {
    return mode() == DEADLINE ? deadline : 0;
  }

  /** Sets IA32_TSC_DEADLINE, which is ignored outside its mode. */
  void setDeadline(long tsc) {
    if (mode() == DEADLINE) {
      deadline = tsc;
      arm();
    }
  }

  int initialCount() {
    return initialCount;
  }

  /** Starts a count, which is ignored in deadline mode. */
  void setInitialCount(int count) {
    if (mode() != DEADLINE) {
      initialCount = count;
      countStart = clock.now();
      arm();
    }
  }

  int currentCount() {
    if (initialCount == 0 || mode() == DEADLINE) {
      return 0;
    }
    long elapsed = clock.now() - countStart;
    long left = mode() == PERIODIC ? period() - elapsed % period() : period() - elapsed;
    return left <= 0 ? 0 : (int) ((left + divisor() - 1) / divisor());
  }

  /** The divide configuration register. */
  int divide() {
    return divide;
  }

  /** Changes the divider; the count goes on at the new rate from where it is. */
  void setDivide(int value) {
    int count = currentCount();
    divide = value & DIVIDE_BITS;
    if (count != 0) {
      countStart = clock.now() - (period() - (count & 0xffffffffL) * divisor());
      arm();
    }
  }

  private int mode() {
    return entry.getAsInt() & MODE;
  }

  private int divisor() {
    // Bits 0, 1 and 3 encode 2, 4, ... 128, then 1.
    int code = divide & 3 | divide >>> 1 & 4;
    return code == 7 ? 1 : 2 << code;
  }

  /** Nanoseconds from a start of the count to zero. */
  private long period() {
    return (initialCount & 0xffffffffL) * divisor();
  }

  private void arm() {
    disarm();
    if (mode() == DEADLINE) {
      if (deadline != 0) {
        timer = clock.schedule(deadline - tscAdjust.getAsLong(), this::expire);
      }
      return;
    }
    if (initialCount == 0 || (entry.getAsInt() & MASKED) != 0) {
      return;
    }
    long elapsed = clock.now() - countStart;
    long next = period();
    if (elapsed >= next) {
      if (mode() != PERIODIC) {
        return;
      }
      next = (elapsed / next + 1) * next;
    }
    timer = clock.schedule(countStart + next, this::expire);
  }

  private void disarm() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private void expire() {
    timer = null;
    deadline = 0;
    expired.run();
    if (mode() == PERIODIC) {
      arm();
    }
  }
}
