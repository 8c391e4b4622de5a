package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;

/**
 * Pushes and pops in every mode. RSP changes only after the memory access succeeded.
 *
 * <p>{@code push64} and {@code pop64} are for 64-bit code, {@code pushFlat32} and {@code popFlat32}
 * for flat 32-bit code on a 32-bit stack; the others take any stack segment.
 */
public final class Stack {
  /** Stack disciplines by index, as {@link Access} packs them. */
  static final String[] NAMES = {"64", "64by16", "Flat32", "General16", "General32"};

  static final int LONG = 0;
  static final int LONG_BY_16 = 1;
  static final int FLAT32 = 2;
  static final int GENERAL16 = 3;
  static final int GENERAL32 = 4;

  private static final long MASK32 = 0xffff_ffffL;

  private Stack() {}

  /** The discipline for operand size {@code size} (2, 4, 8) in a mode. */
  static int discipline(int modeKey, int size) {
    if ((modeKey & Cpu.MODE_SIZE) == 2) {
      return size == 2 ? LONG_BY_16 : LONG;
    }
    boolean flat =
        (modeKey & (Cpu.MODE_FLAT | Cpu.MODE_STACK32)) == (Cpu.MODE_FLAT | Cpu.MODE_STACK32);
    return size == 2 ? GENERAL16 : flat ? FLAT32 : GENERAL32;
  }

  public static void push64(Cpu c, long v) {
    long sp = c.r[Cpu.RSP] - 8;
    c.mmu.write64(sp, v);
    c.r[Cpu.RSP] = sp;
  }

  public static long pop64(Cpu c) {
    long sp = c.r[Cpu.RSP];
    long v = c.mmu.read64(sp);
    c.r[Cpu.RSP] = sp + 8;
    return v;
  }

  public static void push64by16(Cpu c, long v) {
    long sp = c.r[Cpu.RSP] - 2;
    c.mmu.write16(sp, v);
    c.r[Cpu.RSP] = sp;
  }

  public static long pop64by16(Cpu c) {
    long sp = c.r[Cpu.RSP];
    long v = c.mmu.read16(sp);
    c.r[Cpu.RSP] = sp + 2;
    return v;
  }

  public static void pushFlat32(Cpu c, long v) {
    long sp = (c.r[Cpu.RSP] - 4) & MASK32;
    c.mmu.write32(sp, v);
    c.r[Cpu.RSP] = sp;
  }

  public static long popFlat32(Cpu c) {
    long sp = c.r[Cpu.RSP];
    long v = c.mmu.read32(sp & MASK32);
    c.r[Cpu.RSP] = (sp + 4) & MASK32;
    return v;
  }

  public static void pushGeneral16(Cpu c, long v) {
    long sp = moved(c, -2);
    c.mmu.write16(Access.linear(c, Cpu.SS, sp, 2), v);
    set(c, sp);
  }

  public static long popGeneral16(Cpu c) {
    long v = c.mmu.read16(Access.linear(c, Cpu.SS, moved(c, 0), 2));
    set(c, moved(c, 2));
    return v;
  }

  public static void pushGeneral32(Cpu c, long v) {
    long sp = moved(c, -4);
    c.mmu.write32(Access.linear(c, Cpu.SS, sp, 4), v);
    set(c, sp);
  }

  public static long popGeneral32(Cpu c) {
    long v = c.mmu.read32(Access.linear(c, Cpu.SS, moved(c, 0), 4));
    set(c, moved(c, 4));
    return v;
  }

  /** Pushes {@code size} bytes (2, 4, 8) in whatever mode the processor is in. */
  public static void push(Cpu c, int size, long v) {
    if (c.code64()) {
      if (size == 2) {
        push64by16(c, v);
      } else {
        push64(c, v);
      }
    } else if (size == 2) {
      pushGeneral16(c, v);
    } else {
      pushGeneral32(c, v);
    }
  }

  public static long pop(Cpu c, int size) {
    if (c.code64()) {
      return size == 2 ? pop64by16(c) : pop64(c);
    }
    return size == 2 ? popGeneral16(c) : popGeneral32(c);
  }

  /** Linear address of {@code size} bytes at {@code offset} above the stack top, limits checked. */
  public static long at(Cpu c, long offset, int size) {
    return Access.linear(c, Cpu.SS, moved(c, offset), size);
  }

  /** The stack pointer moved by {@code by}, cut to the stack's width. */
  public static long moved(Cpu c, long by) {
    long sp = c.r[Cpu.RSP] + by;
    if (c.code64()) {
      return sp;
    }
    return (c.segAttr[Cpu.SS] & Cpu.ATTR_DB) != 0 ? sp & MASK32 : sp & 0xffff;
  }

  /** Writes the stack pointer at the stack's width. */
  public static void set(Cpu c, long sp) {
    if (c.code64()) {
      c.r[Cpu.RSP] = sp;
    } else if ((c.segAttr[Cpu.SS] & Cpu.ATTR_DB) != 0) {
      c.r[Cpu.RSP] = sp & MASK32;
    } else {
      c.r[Cpu.RSP] = (c.r[Cpu.RSP] & ~0xffffL) | (sp & 0xffff);
    }
  }
}
