package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * How the operands of one op form are read and written, packed into an int so that forms can be
 * looked up without allocating. The static methods are what the templates' holes are filled with.
 */
public final class Access {
  // register sources: one bit each
  static final int S_HIGH = 1;
  static final int T_HIGH = 1 << 1;

  // destination register, 3 bits
  static final int PUT_SHIFT = 2;
  static final int WIDE = 0;
  static final int CUT32 = 1;
  static final int LOW16 = 2;
  static final int LOW8 = 3;
  static final int HIGH8 = 4;

  // address, 3 bits
  static final int ADDRESS_SHIFT = 5;
  static final int BASE = 0;
  static final int PLAIN = 1;
  static final int CUT = 2;
  static final int BASED = 3;
  static final int GENERAL = 4;

  /** The effective address itself, as LEA wants it: cut to the address size, no segment. */
  static final int OFFSET = 5;

  /** log2 of the memory operand's size, 2 bits. */
  static final int MEMORY_SHIFT = 8;

  /** Stack discipline, 3 bits: an index into the methods of Stack. */
  static final int STACK_SHIFT = 10;

  /** Bits used. */
  static final int BITS = 13;

  private static final String[] PUT = {"wide", "cut32", "low16", "low8", "high8"};
  private static final String[] ADDRESS = {"base", "plain", "cut", "based", "general", "offset"};

  private Access() {}

  /** Access of a register read as {@link Op#s}. */
  public static int s(Insn in, int operand) {
    return in.kind[operand] == Insn.GPR_HIGH ? S_HIGH : 0;
  }

  /** Access of a register read as {@link Op#t}. */
  public static int t(Insn in, int operand) {
    return in.kind[operand] == Insn.GPR_HIGH ? T_HIGH : 0;
  }

  /** Access of a register written with a result zero-extended from the operand size. */
  public static int d(Insn in, int operand) {
    if (in.kind[operand] == Insn.GPR_HIGH) {
      return HIGH8 << PUT_SHIFT;
    }
    return put(in.size[operand]);
  }

  /** Access of a low register written with a zero-extended result of {@code size} bytes. */
  public static int put(int size) {
    return (size == 1 ? LOW8 : size == 2 ? LOW16 : WIDE) << PUT_SHIFT;
  }

  /** Access of a register written with a value whose high bits are to be cut. */
  public static int dCut(Insn in, int operand) {
    return in.size[operand] == 4 ? CUT32 << PUT_SHIFT : d(in, operand);
  }

  /** Access of a memory operand of 1, 2, 4 or 8 bytes. */
  public static int memory(int size) {
    return log2(size) << MEMORY_SHIFT;
  }

  /** Access of the stack at operand size 2, 4 or 8 in a mode. */
  public static int stack(int modeKey, int size) {
    return Stack.discipline(modeKey, size) << STACK_SHIFT;
  }

  /** log2 of a size in bytes. */
  public static int log2(int size) {
    return Integer.numberOfTrailingZeros(size);
  }

  static String method(String hole, int access) {
    switch (hole) {
      case "getS":
        return (access & S_HIGH) != 0 ? "fromHigh" : "fromLow";
      case "getT":
        return (access & T_HIGH) != 0 ? "fromHigh" : "fromLow";
      case "put":
        return PUT[access >> PUT_SHIFT & 7];
      case "address":
        return ADDRESS[access >> ADDRESS_SHIFT & 7];
      case "load":
      case "loadForUpdate":
      case "store":
        return hole + (8 << (access >> MEMORY_SHIFT & 3));
      default:
        throw new IllegalArgumentException("no such hole: " + hole);
    }
  }

  public static long fromLow(long[] r, int n) {
    return r[n];
  }

  public static long fromHigh(long[] r, int n) {
    return r[n] >>> 8;
  }

  public static void wide(long[] r, int n, long v) {
    r[n] = v;
  }

  public static void cut32(long[] r, int n, long v) {
    r[n] = v & 0xffff_ffffL;
  }

  public static void low16(long[] r, int n, long v) {
    r[n] = (r[n] & ~0xffffL) | (v & 0xffff);
  }

  public static void low8(long[] r, int n, long v) {
    r[n] = (r[n] & ~0xffL) | (v & 0xff);
  }

  public static void high8(long[] r, int n, long v) {
    r[n] = (r[n] & ~0xff00L) | (v & 0xff) << 8;
  }

  public static long base(Cpu c, Op op) {
    return c.r[op.b] + op.disp;
  }

  public static long plain(Cpu c, Op op) {
    long[] r = c.r;
    return r[op.b] + (r[op.x] << op.sc) + op.disp;
  }

  public static long cut(Cpu c, Op op) {
    return plain(c, op) & 0xffff_ffffL;
  }

  public static long based(Cpu c, Op op) {
    return plain(c, op) + c.segBase[op.seg];
  }

  public static long general(Cpu c, Op op) {
    checkType(c, op.seg, op.writes);
    return linear(c, op.seg, cut(plain(c, op), op.addrSize), op.span);
  }

  public static long offset(Cpu c, Op op) {
    return cut(plain(c, op), op.addrSize);
  }

  public static long load8(Mmu m, long la) {
    return m.read8(la);
  }

  public static long load16(Mmu m, long la) {
    return m.read16(la);
  }

  public static long load32(Mmu m, long la) {
    return m.read32(la);
  }

  public static long load64(Mmu m, long la) {
    return m.read64(la);
  }

  public static long loadForUpdate8(Mmu m, long la) {
    return m.rmw8(la);
  }

  public static long loadForUpdate16(Mmu m, long la) {
    return m.rmw16(la);
  }

  public static long loadForUpdate32(Mmu m, long la) {
    return m.rmw32(la);
  }

  public static long loadForUpdate64(Mmu m, long la) {
    return m.rmw64(la);
  }

  public static void store8(Mmu m, long la, long v) {
    m.write8(la, v);
  }

  public static void store16(Mmu m, long la, long v) {
    m.write16(la, v);
  }

  public static void store32(Mmu m, long la, long v) {
    m.write32(la, v);
  }

  public static void store64(Mmu m, long la, long v) {
    m.write64(la, v);
  }

  private static final long MASK32 = 0xffff_ffffL;

  /** Cuts an effective address to the address size (bytes). */
  public static long cut(long ea, int addrSize) {
    return addrSize == 8 ? ea : addrSize == 4 ? ea & MASK32 : ea & 0xffff;
  }

  /** Linear address of {@code op}'s memory operand, for ops whose form is decided at run time. */
  static long of(Cpu c, Op op, long ea) {
    switch (op.form) {
      case Op.PLAIN:
        return ea;
      case Op.CUT32:
        return ea & MASK32;
      case Op.BASED:
        return ea + c.segBase[op.seg];
      default:
        checkType(c, op.seg, op.writes);
        return linear(c, op.seg, cut(ea, op.addrSize), Math.max(op.size, 1));
    }
  }

  /** Attribute bits that are {@link #WRITABLE} in a data segment that may be read and written. */
  private static final int DATA_TYPE = 0xa;

  private static final int WRITABLE = 2;

  /**
   * In protected mode: code and read-only data cannot be written, execute-only code cannot be read
   * (Intel SDM vol. 3, 5.5). A null selector is found out by {@link #linear}.
   */
  public static void checkType(Cpu c, int seg, boolean write) {
    int attr = c.segAttr[seg];
    if ((attr & DATA_TYPE) == WRITABLE || c.code64() || c.realSegments()) {
      return;
    }
    boolean readable = (attr & DATA_TYPE) != 8;
    if (write || !readable) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
  }

  /**
   * Linear address of {@code size} bytes at an offset in a segment, in any mode. Outside 64-bit
   * mode checks the limit.
   *
   * @throws GuestFault #SS(0) for the stack segment, else #GP(0)
   */
  public static long linear(Cpu c, int seg, long offset, int size) {
    if (c.code64()) {
      return seg >= Cpu.FS ? offset + c.segBase[seg] : offset;
    }
    int attr = c.segAttr[seg];
    long limit = c.segLimit[seg] & MASK32;
    boolean ok;
    if ((attr & Cpu.ATTR_UNUSABLE) != 0) {
      ok = false;
    } else if ((attr & 0xc) == 4 && (attr & Cpu.ATTR_S) != 0) {
      // expand-down data: valid offsets lie above the limit
      long top = (attr & Cpu.ATTR_DB) != 0 ? MASK32 : 0xffff;
      ok = offset > limit && offset + size - 1 <= top;
    } else {
      // whether an access may wrap around a 4 GiB segment is left open (SDM vol. 3, 5.3)
      ok = limit == MASK32 || offset + size - 1 <= limit;
    }
    if (!ok) {
      throw GuestFault.of(seg == Cpu.SS ? GuestFault.SS : GuestFault.GP, 0);
    }
    return (c.segBase[seg] + offset) & MASK32;
  }
}
