package org.hypergraft.vmm.observe;

import java.io.PrintWriter;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.machine.Delivery;
import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.machine.Observer;
import org.hypergraft.vmm.machine.Outcome;
import org.hypergraft.vmm.machine.Stop;

/**
 * Writes a line per retired instruction, or per exception and interrupt, from a point of the run on
 * and up to a number of lines; the run goes on without.
 */
public final class Trace implements Observer {
  /** What gets a line. */
  public enum Subject {
    INSTRUCTIONS,
    EVENTS
  }

  /** Lines written by default. */
  public static final long DEFAULT_LIMIT = 100_000;

  private final Subject subject;
  private final PrintWriter out;
  private final Waypoint from;
  private final long fromCount;
  private final long limit;
  private GuestControl guest;
  private boolean active;
  private long arrivals;
  private long lines;

  /** Where the instruction about to run stands, for when it will have retired. */
  private Cpu pendingCpu;

  private long pendingCount;
  private InstructionText pending;

  /**
   * @param out gets the lines; flushed at the end
   * @param from where to begin, or null
   * @param fromCount count of retired instructions at which to begin, where {@code from} is null
   * @param limit lines after which it ends
   */
  public Trace(Subject subject, PrintWriter out, Waypoint from, long fromCount, long limit) {
    this.subject = subject;
    this.out = out;
    this.from = from;
    this.fromCount = fromCount;
    this.limit = limit;
  }

  @Override
  public boolean begin(GuestControl control) {
    guest = control;
    if (from != null) {
      from.address(guest).ifPresent(guest::addBreakpoint);
    } else {
      active = fromCount == 0;
    }
    return true;
  }

  @Override
  public long nextCount(int cpu) {
    if (!active) {
      return from == null && lines == 0 ? fromCount : Long.MAX_VALUE;
    }
    if (subject == Subject.EVENTS || lines >= limit) {
      return Long.MAX_VALUE;
    }
    pendingCpu = guest.cpu(cpu);
    pendingCount = guest.retired();
    pending = InstructionText.at(guest, pendingCpu);
    return pendingCount + 1;
  }

  @Override
  public boolean stopped(Stop why) {
    if (why instanceof Stop.Breakpoint here) {
      if (++arrivals == from.arrival()) {
        active = true;
        guest.removeBreakpoint(here.address());
      }
    } else if (!active) {
      active = true;
    } else {
      writePending();
    }
    return true;
  }

  private void writePending() {
    if (pending != null && guest.retired() > pendingCount) {
      line(pendingCount, pendingCpu.index, pending.toString());
      pending = null;
    }
  }

  @Override
  public void delivered(Delivery event) {
    if (!active) {
      return;
    }
    if (subject == Subject.EVENTS) {
      line(event.retired(), event.cpu(), event.describe(guest::describe));
    } else if (lines < limit) {
      // what was about to run does not retire, or not yet
      pending = null;
      guest.requestStop();
    }
  }

  private void line(long count, int cpu, String text) {
    if (lines < limit) {
      lines++;
      out.print(count);
      out.print(' ');
      out.print(cpu);
      out.print(' ');
      out.println(text);
      if (lines == limit) {
        out.printf("the limit of %d lines is reached%n", limit);
        out.flush();
      }
    }
  }

  @Override
  public void ended(Outcome outcome, String reason) {
    writePending();
    out.flush();
  }

  /** Lines written so far. */
  public long lines() {
    return lines;
  }
}
