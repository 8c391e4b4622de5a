package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/** Decimal adjustment, outside 64-bit mode only, and BOUND. Rules: Intel SDM vol. 2. */
public final class Decimal {
  private Decimal() {}

  private static int al(Cpu c) {
    return (int) c.r[Cpu.RAX] & 0xff;
  }

  private static void setAx(Cpu c, int v) {
    c.r[Cpu.RAX] = (c.r[Cpu.RAX] & ~0xffffL) | (v & 0xffff);
  }

  private static void setAl(Cpu c, int v) {
    c.r[Cpu.RAX] = (c.r[Cpu.RAX] & ~0xffL) | (v & 0xff);
  }

  private static void flags(Cpu c, boolean carry, boolean adjust, int result) {
    Flags.explicit(c, (carry ? Flags.CF : 0) | (adjust ? Flags.AF : 0), (byte) result);
  }

  public static void daa(Cpu c, Op op) {
    int old = al(c);
    boolean adjust = (old & 15) > 9 || Flags.adjust(c);
    boolean carry = old > 0x99 || Flags.carry(c);
    setAl(c, old + (adjust ? 6 : 0) + (carry ? 0x60 : 0));
    flags(c, carry, adjust, al(c));
  }

  public static void das(Cpu c, Op op) {
    int old = al(c);
    boolean adjust = (old & 15) > 9 || Flags.adjust(c);
    boolean carry = old > 0x99 || Flags.carry(c);
    boolean borrow = carry || (adjust && old < 6);
    setAl(c, old - (adjust ? 6 : 0) - (carry ? 0x60 : 0));
    flags(c, borrow, adjust, al(c));
  }

  public static void aaa(Cpu c, Op op) {
    boolean adjust = (al(c) & 15) > 9 || Flags.adjust(c);
    setAx(c, ((int) c.r[Cpu.RAX] + (adjust ? 0x106 : 0)) & 0xff0f);
    flags(c, adjust, adjust, al(c));
  }

  public static void aas(Cpu c, Op op) {
    boolean adjust = (al(c) & 15) > 9 || Flags.adjust(c);
    setAx(c, ((int) c.r[Cpu.RAX] - (adjust ? 0x106 : 0)) & 0xff0f);
    flags(c, adjust, adjust, al(c));
  }

  public static void aam(Cpu c, Op op) {
    int base = (int) op.imm & 0xff;
    if (base == 0) {
      throw GuestFault.of(GuestFault.DE);
    }
    int v = al(c);
    setAx(c, v / base << 8 | v % base);
    flags(c, false, false, al(c));
  }

  public static void aad(Cpu c, Op op) {
    int ax = (int) c.r[Cpu.RAX];
    setAx(c, ((ax & 0xff) + (ax >>> 8 & 0xff) * ((int) op.imm & 0xff)) & 0xff);
    flags(c, false, false, al(c));
  }

  /** BOUND: #BR unless lower <= index <= upper, all signed. */
  public static void bound(Cpu c, Op op) {
    long index;
    long lower;
    long upper;
    if (op.size == 2) {
      index = (short) c.r[op.d];
      lower = (short) c.mmu.read16(op.address(c));
      upper = (short) c.mmu.read16(op.addressPlus(c, 2));
    } else {
      index = (int) c.r[op.d];
      lower = (int) c.mmu.read32(op.address(c));
      upper = (int) c.mmu.read32(op.addressPlus(c, 4));
    }
    if (index < lower || index > upper) {
      throw GuestFault.of(GuestFault.BR);
    }
  }
}
