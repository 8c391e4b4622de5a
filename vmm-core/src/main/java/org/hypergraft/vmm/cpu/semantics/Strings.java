package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;
import sun.misc.Unsafe;

/**
 * MOVS, STOS, LODS, SCAS, CMPS with and without a repeat prefix.
 *
 * <p>A repeated instruction retires once, or once per {@link #SLICE} elements begun: methods return
 * whether it is done. Registers advance with every element, so that a fault in the middle leaves it
 * restartable. Runs inside one page go straight through host memory.
 *
 * <p>{@link Op#aux} holds the repeat prefix; {@link Op#seg} the source segment; {@link Op#form} is
 * {@link Op#GENERAL} when segments have to be looked at.
 */
public final class Strings {
  public static final int ONCE = 0;

  /** REP, or REPE for comparisons. */
  public static final int REPEAT = 1;

  public static final int REPEAT_NOT_EQUAL = 2;

  /** Elements after which interrupts and the instruction budget are looked at. */
  private static final int SLICE = 1 << 22;

  private static final Unsafe U = GuestRam.U;

  private Strings() {}

  // ---- Pointers and counter at the address size

  private static long pointer(Cpu c, Op op, int reg) {
    return Access.cut(c.r[reg], op.addrSize);
  }

  private static void set(Cpu c, Op op, int reg, long v) {
    Registers.write(c, reg, op.addrSize, false, v);
  }

  private static long source(Cpu c, Op op) {
    long si = pointer(c, op, Cpu.RSI);
    if (op.form != Op.GENERAL) {
      return si;
    }
    Access.checkType(c, op.seg, false);
    return Access.linear(c, op.seg, si, op.size);
  }

  private static long destination(Cpu c, Op op, boolean write) {
    long di = pointer(c, op, Cpu.RDI);
    if (op.form != Op.GENERAL) {
      return di;
    }
    Access.checkType(c, Cpu.ES, write);
    return Access.linear(c, Cpu.ES, di, op.size);
  }

  private static int step(Cpu c, Op op) {
    return (c.sysFlags & Flags.DF) != 0 ? -op.size : op.size;
  }

  /** Elements from {@code la} upwards that end within its page. */
  private static long roomInPage(long la, int size) {
    return (4096 - (la & 4095)) / size;
  }

  /** What is left of a slice: nothing when a debug trap is due, which comes between elements. */
  private static long spend(Cpu c, long budget, long elements) {
    return c.debug.traps != 0 ? 0 : budget - elements;
  }

  // ---- MOVS

  public static boolean movs(Cpu c, Op op) {
    if (op.aux == ONCE) {
      moveOne(c, op);
      return true;
    }
    long budget = SLICE;
    long count;
    while ((count = pointer(c, op, Cpu.RCX)) != 0) {
      if (budget <= 0) {
        return false;
      }
      long n = 0;
      if ((c.sysFlags & Flags.DF) == 0 && op.form != Op.GENERAL && c.debug.traps == 0) {
        n = moveRun(c, op, count);
      }
      if (n == 0) {
        moveOne(c, op);
        n = 1;
      }
      set(c, op, Cpu.RCX, count - n);
      budget = spend(c, budget, n);
    }
    return true;
  }

  private static void moveOne(Cpu c, Op op) {
    Mmu m = c.mmu;
    long v = Registers.load(m, source(c, op), op.size);
    Registers.store(m, destination(c, op, true), op.size, v);
    int step = step(c, op);
    set(c, op, Cpu.RSI, c.r[Cpu.RSI] + step);
    set(c, op, Cpu.RDI, c.r[Cpu.RDI] + step);
  }

  /** Moves what lies within one source and one destination page; 0 if that is not possible. */
  private static long moveRun(Cpu c, Op op, long count) {
    int size = op.size;
    long si = pointer(c, op, Cpu.RSI);
    long di = pointer(c, op, Cpu.RDI);
    long n = Math.min(roomInPage(si, size), roomInPage(di, size));
    if (Long.compareUnsigned(count, n) < 0) {
      n = count;
    }
    if (n == 0) {
      return 0;
    }
    long from = c.mmu.hostRead(si);
    long to = from == 0 ? 0 : c.mmu.hostWrite(di);
    if (to == 0) {
      return 0;
    }
    long bytes = n * size;
    if (to > from && to < from + bytes) {
      moveOverlapping(from, to, n, size);
    } else {
      U.copyMemory(from, to, bytes);
    }
    set(c, op, Cpu.RSI, si + bytes);
    set(c, op, Cpu.RDI, di + bytes);
    return n;
  }

  /** Element by element upwards, so that a pattern propagates as the instruction defines. */
  private static void moveOverlapping(long from, long to, long n, int size) {
    for (long i = 0; i < n; i++) {
      switch (size) {
        case 1:
          U.putByte(to, U.getByte(from));
          break;
        case 2:
          U.putShort(to, U.getShort(from));
          break;
        case 4:
          U.putInt(to, U.getInt(from));
          break;
        default:
          U.putLong(to, U.getLong(from));
          break;
      }
      from += size;
      to += size;
    }
  }

  // ---- STOS

  public static boolean stos(Cpu c, Op op) {
    if (op.aux == ONCE) {
      storeOne(c, op);
      return true;
    }
    long budget = SLICE;
    long count;
    while ((count = pointer(c, op, Cpu.RCX)) != 0) {
      if (budget <= 0) {
        return false;
      }
      long n = 0;
      if ((c.sysFlags & Flags.DF) == 0 && op.form != Op.GENERAL && c.debug.traps == 0) {
        n = storeRun(c, op, count);
      }
      if (n == 0) {
        storeOne(c, op);
        n = 1;
      }
      set(c, op, Cpu.RCX, count - n);
      budget = spend(c, budget, n);
    }
    return true;
  }

  private static void storeOne(Cpu c, Op op) {
    Registers.store(c.mmu, destination(c, op, true), op.size, c.r[Cpu.RAX]);
    set(c, op, Cpu.RDI, c.r[Cpu.RDI] + step(c, op));
  }

  private static long storeRun(Cpu c, Op op, long count) {
    int size = op.size;
    long di = pointer(c, op, Cpu.RDI);
    long n = roomInPage(di, size);
    if (Long.compareUnsigned(count, n) < 0) {
      n = count;
    }
    if (n == 0) {
      return 0;
    }
    long to = c.mmu.hostWrite(di);
    if (to == 0) {
      return 0;
    }
    fill(to, n, size, c.r[Cpu.RAX]);
    set(c, op, Cpu.RDI, di + n * size);
    return n;
  }

  private static void fill(long to, long n, int size, long v) {
    long bytes = n * size;
    long pattern =
        size == 1
            ? (v & 0xff) * 0x0101_0101_0101_0101L
            : size == 2
                ? (v & 0xffff) * 0x0001_0001_0001_0001L
                : size == 4 ? (v & 0xffff_ffffL) * 0x0000_0001_0000_0001L : v;
    if (pattern == (pattern & 0xff) * 0x0101_0101_0101_0101L) {
      U.setMemory(to, bytes, (byte) pattern);
      return;
    }
    long end = to + bytes;
    for (; to + 8 <= end; to += 8) {
      U.putLong(to, pattern);
    }
    for (; to < end; to += size) {
      if (size == 2) {
        U.putShort(to, (short) pattern);
      } else {
        U.putInt(to, (int) pattern);
      }
    }
  }

  // ---- LODS

  public static boolean lods(Cpu c, Op op) {
    if (op.aux == ONCE) {
      loadOne(c, op);
      return true;
    }
    long budget = SLICE;
    long count;
    while ((count = pointer(c, op, Cpu.RCX)) != 0) {
      if (budget <= 0) {
        return false;
      }
      loadOne(c, op);
      set(c, op, Cpu.RCX, count - 1);
      budget = spend(c, budget, 1);
    }
    return true;
  }

  private static void loadOne(Cpu c, Op op) {
    long v = Registers.load(c.mmu, source(c, op), op.size);
    Registers.write(c, Cpu.RAX, op.size, false, v);
    set(c, op, Cpu.RSI, c.r[Cpu.RSI] + step(c, op));
  }

  // ---- SCAS and CMPS

  /** One element of a comparison: compares and moves the pointers. */
  private interface Element {
    void compare(Cpu c, Op op);
  }

  private static final Element SCAN = Strings::scanOne;
  private static final Element COMPARE = Strings::compareOne;

  public static boolean scas(Cpu c, Op op) {
    return compareRepeated(c, op, SCAN);
  }

  public static boolean cmps(Cpu c, Op op) {
    return compareRepeated(c, op, COMPARE);
  }

  private static boolean compareRepeated(Cpu c, Op op, Element element) {
    if (op.aux == ONCE) {
      element.compare(c, op);
      return true;
    }
    long budget = SLICE;
    long count;
    while ((count = pointer(c, op, Cpu.RCX)) != 0) {
      if (budget <= 0) {
        return false;
      }
      element.compare(c, op);
      set(c, op, Cpu.RCX, count - 1);
      budget = spend(c, budget, 1);
      if (Flags.zero(c) == (op.aux == REPEAT_NOT_EQUAL)) {
        return true;
      }
    }
    return true;
  }

  private static void scanOne(Cpu c, Op op) {
    long v = Registers.load(c.mmu, destination(c, op, false), op.size);
    compare(c, op.size, c.r[Cpu.RAX], v);
    set(c, op, Cpu.RDI, c.r[Cpu.RDI] + step(c, op));
  }

  private static void compareOne(Cpu c, Op op) {
    Mmu m = c.mmu;
    // of two faults that of the destination comes first
    long b = Registers.load(m, destination(c, op, false), op.size);
    long a = Registers.load(m, source(c, op), op.size);
    compare(c, op.size, a, b);
    int step = step(c, op);
    set(c, op, Cpu.RSI, c.r[Cpu.RSI] + step);
    set(c, op, Cpu.RDI, c.r[Cpu.RDI] + step);
  }

  private static void compare(Cpu c, int size, long a, long b) {
    switch (size) {
      case 1:
        Alu.cmp8(c, a, b);
        break;
      case 2:
        Alu.cmp16(c, a, b);
        break;
      case 4:
        Alu.cmp32(c, a, b);
        break;
      default:
        Alu.cmp64(c, a, b);
        break;
    }
  }
}
