package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.DebugState;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.MmioRestart;

/**
 * Runs vCPUs: the loop around the ops, interrupts, faults and the exact end of a time slice.
 *
 * <p>One engine serves all vCPUs of a machine, one at a time, on one thread.
 */
public final class Engine {
  /** Why {@link #run} returned. */
  public enum Exit {
    /** {@link Cpu#stopAt} is reached: a device event or the end of a slice. */
    COUNT,

    /** The processor is halted and nothing is pending for it. */
    HALTED,

    /** Triple fault. */
    SHUTDOWN,

    /** {@link Cpu#exitRequested} was set. */
    REQUESTED,

    /** {@link Cpu#rip} is a breakpoint; {@link #stepOver} gets past it. */
    BREAKPOINT,

    /** The first instruction at CPL 3 is next; see {@link #watchUser}. */
    USER
  }

  private final CodeCache cache;

  /** Exceptions delivered, by vector. */
  private final long[] exceptions = new long[32];

  private long interrupts;
  private boolean watchUser;
  private Tier1 tier1;

  /**
   * @param lowerings instruction families, asked in this order
   */
  public Engine(GuestRam ram, Lowering... lowerings) {
    cache = new CodeCache(ram, lowerings.clone());
  }

  /** Adds a compiler of hot blocks. To be called before anything runs. */
  public void tier1(Tier1 compiler) {
    tier1 = compiler;
    cache.tier1(compiler);
  }

  /** Runs {@code c} until something needs the machine. Counts are exact on return. */
  public Exit run(Cpu c) {
    cache.attach(c);
    for (; ; ) {
      if (c.shutdown) {
        return Exit.SHUTDOWN;
      }
      boolean debugging = (c.sysFlags & (Flags.TF | Flags.RF)) != 0 || c.debug.active();
      if (debugging && trapped(c)) {
        continue;
      }
      if (c.exitRequested) {
        c.exitRequested = false;
        boolean hit = cache.breakpointHit;
        cache.breakpointHit = false;
        return hit ? Exit.BREAKPOINT : Exit.REQUESTED;
      }
      if (watchUser && c.cpl == 3) {
        watchUser = false;
        if (tier1 != null) {
          tier1.userspace();
          cache.tier1(tier1);
        }
        return Exit.USER;
      }
      if (c.left <= 0) {
        return Exit.COUNT;
      }
      if (tier1 != null) {
        tier1.poll();
      }
      boolean step = false;
      if (c.nmiPending || (c.sysFlags & Flags.IF) != 0) {
        if (c.retired() < c.shadowEnd) {
          step = true;
        } else if (interrupted(c)) {
          continue;
        }
      }
      if (c.halted) {
        return Exit.HALTED;
      }
      if (debugging) {
        if (atBreakpoint(c)) {
          continue;
        }
        step |= (c.sysFlags & Flags.TF) != 0 || c.debug.traps != 0 || c.debug.inCodePage(c);
        c.sysFlags &= ~Flags.RF; // it has done its work; a fault's image has it set anyway
      }
      if (step) {
        if (!cache.breakpoints.isEmpty() && cache.breakpoints.contains(c.rip)) {
          return Exit.BREAKPOINT;
        }
        step(c);
      } else {
        execute(c);
      }
    }
  }

  /**
   * Sets a breakpoint at an instruction pointer, in whatever address space it is reached. It costs
   * nothing elsewhere: translated blocks end before it.
   */
  public void addBreakpoint(long address) {
    if (cache.breakpoints.add(address)) {
      cache.drop(address);
    }
  }

  public void removeBreakpoint(long address) {
    if (cache.breakpoints.remove(address)) {
      cache.drop(address);
    }
  }

  /** Executes the instruction at a breakpoint. */
  public void stepOver(Cpu c) {
    cache.attach(c);
    step(c);
  }

  /** Makes {@link #run} return once, before the next instruction at CPL 3. */
  public void watchUser() {
    watchUser = true;
  }

  /** Delivers an NMI or interrupt if one is waiting. */
  private boolean interrupted(Cpu c) {
    int vector;
    if (c.nmiPending && !c.nmiBlocked) {
      c.nmiPending = false;
      c.nmiBlocked = true;
      vector = GuestFault.NMI;
    } else if ((c.sysFlags & Flags.IF) != 0 && c.interrupts.pending()) {
      vector = c.interrupts.acknowledge();
    } else {
      return false;
    }
    c.halted = false;
    interrupts++;
    if (!c.delivery.interrupt(c, vector)) {
      c.shutdown = true;
    }
    return true;
  }

  /** Delivers a debug trap if one is due and not held back. */
  private boolean trapped(Cpu c) {
    int traps = c.debug.traps;
    if (traps == 0 || c.retired() < c.debug.heldUntil) {
      return false;
    }
    c.halted = false;
    debugException(c, traps);
    return true;
  }

  /** Raises the fault of an instruction breakpoint at the current instruction. */
  private boolean atBreakpoint(Cpu c) {
    if ((c.sysFlags & Flags.RF) != 0 || c.retired() < c.debug.heldUntil) {
      return false;
    }
    int hits = c.debug.atInstruction(c);
    if (hits != 0) {
      debugException(c, hits);
    }
    return hits != 0;
  }

  /** Bits 0-3 tell of this exception, the others gather until the guest clears them. */
  private void debugException(Cpu c, int dr6) {
    c.debug.traps = 0;
    c.dr[6] = c.dr[6] & ~DebugState.BREAKPOINTS | dr6;
    raise(c, GuestFault.DB, GuestFault.NO_ERROR_CODE, 0);
  }

  /** Runs blocks until one of them leaves. */
  private void execute(Cpu c) {
    Op op = null;
    try {
      Block b = cache.find(c, false);
      if (b.n > c.left) {
        b = cache.find(c, true);
      }
      c.left -= b.n;
      op = b.first;
      while (op != null) {
        op = op.exec(c);
      }
    } catch (GuestFault f) {
      fault(c, op, f);
    } catch (MmioRestart r) {
      rewind(c, op);
      exactly(c);
    }
  }

  /** Runs one instruction, with a trap after it if TF was set before it. */
  private void step(Cpu c) {
    if ((c.sysFlags & Flags.TF) != 0) {
      c.debug.traps |= DebugState.BS; // what clears TF for a handler takes it back
    }
    c.sysFlags &= ~Flags.RF;
    exactly(c);
    if (c.retired() < c.debug.heldUntil) {
      c.debug.traps &= ~DebugState.BS; // that of MOV SS is lost, not late
    }
  }

  /** Runs one instruction with the clock exact, so that it may touch devices. */
  private void exactly(Cpu c) {
    Op op = null;
    c.mmu.exact = true;
    try {
      Block b = cache.find(c, true);
      c.left -= b.n;
      op = b.first;
      while (op != null) {
        op = op.exec(c);
      }
    } catch (GuestFault f) {
      fault(c, op, f);
    } finally {
      c.mmu.exact = false;
    }
  }

  /** Puts the count and RIP back to before the instruction of {@code op}, which did not retire. */
  private static void rewind(Cpu c, Op op) {
    c.left += op.rem;
    c.rip = op.block.cut(op.ip());
  }

  private void fault(Cpu c, Op op, GuestFault f) {
    int vector = f.vector;
    if (op != null) {
      rewind(c, op);
      if (f.nonCanonical && op.seg == Cpu.SS) {
        vector = GuestFault.SS; // Intel SDM vol. 3, 6.15, interrupt 12
      }
    }
    c.mmu.exact = false;
    c.debug.traps = 0; // the instruction has not been completed
    raise(c, vector, f.errorCode, f.address);
  }

  /** Delivers an exception; {@link Cpu#rip} is the address to push. */
  private void raise(Cpu c, int vector, int errorCode, long address) {
    exceptions[vector & 31]++;
    c.shadowEnd = 0;
    if (!c.delivery.exception(c, vector, errorCode, address)) {
      c.shutdown = true;
    }
  }

  /** Exceptions delivered so far with a vector below 32. */
  public long exceptions(int vector) {
    return exceptions[vector];
  }

  public long interrupts() {
    return interrupts;
  }

  /** Blocks translated so far. */
  public long blocksBuilt() {
    return cache.built;
  }

  /** Blocks dropped because their bytes were written. */
  public long blocksKilled() {
    return cache.killed;
  }

  /** Op classes defined in this process. */
  public static int opClasses() {
    return OpFactory.classes();
  }
}
