package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Op;

/** IN, OUT, INS and OUTS with IOPL and the TSS permission bitmap (SDM vol. 1 chapter 19). */
public final class PortIo {
  /** Iterations of a repeated instruction between looks at interrupts. */
  private static final int BATCH = 4096;

  private PortIo() {}

  private static void check(Cpu c, int port, int size) {
    if ((c.cr0 & Cpu.CR0_PE) == 0) {
      return;
    }
    boolean v8086 = (c.sysFlags & Flags.VM) != 0;
    if ((c.cpl > c.iopl() || v8086) && !TaskState.portsAllowed(c, port, size)) {
      throw Registers.gp();
    }
  }

  public static void inImmediate(Cpu c, Op op) {
    in(c, (int) op.imm & 0xff, op.size);
  }

  public static void inDx(Cpu c, Op op) {
    in(c, (int) c.r[Cpu.RDX] & 0xffff, op.size);
  }

  private static void in(Cpu c, int port, int size) {
    check(c, port, size);
    Registers.write(c, Cpu.RAX, size, c.ports.in(port, size));
    c.debug.port(port, size);
  }

  public static void outImmediate(Cpu c, Op op) {
    out(c, (int) op.imm & 0xff, op.size);
  }

  public static void outDx(Cpu c, Op op) {
    out(c, (int) c.r[Cpu.RDX] & 0xffff, op.size);
  }

  private static void out(Cpu c, int port, int size) {
    check(c, port, size);
    c.ports.out(port, size, cut(c.r[Cpu.RAX], size));
    c.debug.port(port, size);
  }

  private static int cut(long v, int size) {
    return (int) (size == 4 ? v : size == 2 ? v & 0xffff : v & 0xff);
  }

  /** INS; {@code aux} != 0 with a REP prefix. Progress is kept in the registers on a fault. */
  public static void ins(Cpu c, Op op) {
    int port = (int) c.r[Cpu.RDX] & 0xffff;
    check(c, port, op.size);
    for (int n = batch(c, op); n > 0; n--) {
      Access.checkType(c, Cpu.ES, true);
      long la = Access.linear(c, Cpu.ES, register(c, op, Cpu.RDI), op.size);
      // The device must not lose data to a page fault after the read.
      c.mmu.probeWrite(la, op.size);
      Registers.store(c, la, op.size, c.ports.in(port, op.size));
      c.debug.port(port, op.size);
      step(c, op, Cpu.RDI);
      if (c.debug.traps != 0) {
        break;
      }
    }
    repeat(c, op);
  }

  /** OUTS; {@code aux} != 0 with a REP prefix; the segment is in {@code seg}. */
  public static void outs(Cpu c, Op op) {
    int port = (int) c.r[Cpu.RDX] & 0xffff;
    check(c, port, op.size);
    for (int n = batch(c, op); n > 0; n--) {
      Access.checkType(c, op.seg, false);
      long la = Access.linear(c, op.seg, register(c, op, Cpu.RSI), op.size);
      c.ports.out(port, op.size, cut(Registers.read(c, la, op.size), op.size));
      c.debug.port(port, op.size);
      step(c, op, Cpu.RSI);
      if (c.debug.traps != 0) {
        break;
      }
    }
    repeat(c, op);
  }

  private static int batch(Cpu c, Op op) {
    if (op.aux == 0) {
      return 1;
    }
    long n = register(c, op, Cpu.RCX);
    return n < 0 || n > BATCH ? BATCH : (int) n;
  }

  /** Executes the instruction again if iterations are left, after a look at interrupts. */
  private static void repeat(Cpu c, Op op) {
    if (op.aux != 0 && register(c, op, Cpu.RCX) != 0) {
      c.rip = op.ip();
    }
  }

  private static long register(Cpu c, Op op, int reg) {
    long v = c.r[reg];
    return op.addrSize == 8 ? v : op.addrSize == 4 ? v & 0xffff_ffffL : v & 0xffff;
  }

  private static void step(Cpu c, Op op, int pointer) {
    int by = (c.sysFlags & Flags.DF) != 0 ? -op.size : op.size;
    Registers.write(c, pointer, op.addrSize, c.r[pointer] + by);
    if (op.aux != 0) {
      Registers.write(c, Cpu.RCX, op.addrSize, c.r[Cpu.RCX] - 1);
    }
  }
}
