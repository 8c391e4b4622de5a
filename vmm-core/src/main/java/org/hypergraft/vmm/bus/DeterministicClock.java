package org.hypergraft.vmm.bus;

import java.util.PriorityQueue;
import java.util.function.LongSupplier;

/**
 * The machine's clock: {@code now = retired * NS_PER_INSTRUCTION + offset}. The offset grows when
 * idle processors jump to the next event and when a slow access adds time, so the clock is a pure
 * function of what the guest executed. Events with equal deadlines run in the order in which they
 * were scheduled.
 *
 * <p>Events run only in {@link #runDue} and {@link #skipToNext}, which the run loop calls between
 * instructions; {@link #stopAt} tells it when.
 */
public final class DeterministicClock implements VirtualClock {
  /**
   * Virtual duration of an instruction, ns. Part of the machine's contract: consoles and counts
   * depend on it. It is longer than on real processors so that a guest's timed busy-waiting costs
   * few instructions.
   */
  public static final long NS_PER_INSTRUCTION = 10;

  /** Time-stamp counter ticks per second: one per ns of virtual time. */
  public static final long TSC_HZ = 1_000_000_000;

  /** {@link #stopAt} and {@link #nextDeadline} when nothing is scheduled. */
  public static final long NEVER = Long.MAX_VALUE;

  private final class Event implements Timer, Comparable<Event> {
    final long deadline;
    final long order;
    final Runnable action;

    Event(long deadline, long order, Runnable action) {
      this.deadline = deadline;
      this.order = order;
      this.action = action;
    }

    @Override
    public void cancel() {
      events.remove(this);
      onChange.run();
    }

    @Override
    public int compareTo(Event other) {
      int byDeadline = Long.compare(deadline, other.deadline);
      return byDeadline != 0 ? byDeadline : Long.compare(order, other.order);
    }
  }

  private final LongSupplier retired;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private Runnable onChange = () -> {};
  private long offset;
  private long skipped;
  private long scheduled;

  /**
   * @param retired instructions retired since power-on by all processors together
   */
  public DeterministicClock(LongSupplier retired) {
    this.retired = retired;
  }

  /** Says what to run whenever {@link #stopAt} may have changed; it must not schedule anything. */
  public void onChange(Runnable action) {
    onChange = action;
  }

  @Override
  public long now() {
    return retired.getAsLong() * NS_PER_INSTRUCTION + offset;
  }

  /** Nanoseconds that were skipped because the processors were idle. */
  public long skipped() {
    return skipped;
  }

  @Override
  public Timer schedule(long deadline, Runnable event) {
    Event e = new Event(deadline, scheduled++, event);
    events.add(e);
    onChange.run();
    return e;
  }

  @Override
  public void advance(long ns) {
    offset += ns;
    onChange.run();
  }

  /** Absolute time of the next event, ns, or {@link #NEVER}. */
  public long nextDeadline() {
    Event next = events.peek();
    return next == null ? NEVER : next.deadline;
  }

  /** The count of retired instructions at which the next event is due, or {@link #NEVER}. */
  public long stopAt() {
    long deadline = nextDeadline();
    if (deadline == NEVER) {
      return NEVER;
    }
    return Math.floorDiv(deadline - offset + NS_PER_INSTRUCTION - 1, NS_PER_INSTRUCTION);
  }

  /** Runs every event whose time has come. An event may schedule others. */
  public void runDue() {
    long now = now();
    while (!events.isEmpty() && events.peek().deadline <= now) {
      events.poll().action.run();
    }
  }

  /**
   * Jumps to the next event and runs what is due then.
   *
   * @return false when nothing is scheduled, so that time would never pass
   */
  public boolean skipToNext() {
    long deadline = nextDeadline();
    if (deadline == NEVER) {
      return false;
    }
    long ns = deadline - now();
    if (ns > 0) {
      offset += ns;
      skipped += ns;
    }
    runDue();
    return true;
  }
}
