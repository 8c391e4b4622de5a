package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;

/**
 * Shifts, rotates and double shifts. A masked count of zero changes no flag.
 *
 * <p>Where the manuals leave a flag undefined this follows what processors do: OF is computed for
 * every count by the rule given for a count of one, AF is cleared by shifts and double shifts.
 */
public final class Shift {
  private Shift() {}

  private static void shifted(Cpu c, long result, boolean carry, boolean overflow) {
    Flags.explicit(c, (carry ? Flags.CF : 0) | (overflow ? Flags.OF : 0), result);
  }

  private static void rotated(Cpu c, boolean carry, boolean overflow) {
    Flags.setCarryOverflow(c, (carry ? Flags.CF : 0) | (overflow ? Flags.OF : 0));
  }

  public static long shl8(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xff;
    }
    long v = (a & 0xff) << n;
    long r = (byte) v;
    boolean carry = (v >>> 8 & 1) != 0;
    shifted(c, r, carry, r < 0 != carry);
    return r & 0xff;
  }

  public static long shr8(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xff;
    }
    long v = (a & 0xff) >>> (n - 1);
    long r = v >>> 1;
    shifted(c, r, (v & 1) != 0, (r >>> 6 & 1) != 0);
    return r;
  }

  public static long sar8(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xff;
    }
    long v = (byte) a >> (n - 1);
    long r = v >> 1;
    shifted(c, r, (v & 1) != 0, false);
    return r & 0xff;
  }

  public static long rol8(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xff;
    }
    long v = a & 0xff;
    long r = (v << (n & 7) | v >>> (8 - (n & 7))) & 0xff;
    rotated(c, (r & 1) != 0, ((r >>> 7 ^ r) & 1) != 0);
    return r;
  }

  public static long ror8(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xff;
    }
    long v = a & 0xff;
    long r = (v >>> (n & 7) | v << (8 - (n & 7))) & 0xff;
    rotated(c, (r >>> 7 & 1) != 0, ((r >>> 7 ^ r >>> 6) & 1) != 0);
    return r;
  }

  public static long rcl8(Cpu c, long a, long count) {
    int n = ((int) count & 31) % 9;
    if (n == 0) {
      return a & 0xff;
    }
    // rotate the 9 bits CF:operand
    long v = (a & 0xff) | (Flags.carry(c) ? 1L << 8 : 0);
    long r = v << n | v >>> (9 - n);
    boolean carry = (r >>> 8 & 1) != 0;
    rotated(c, carry, (r >>> 7 & 1) != 0 != carry);
    return r & 0xff;
  }

  public static long rcr8(Cpu c, long a, long count) {
    int n = ((int) count & 31) % 9;
    if (n == 0) {
      return a & 0xff;
    }
    long v = (a & 0xff) | (Flags.carry(c) ? 1L << 8 : 0);
    long r = v >>> n | v << (9 - n);
    rotated(c, (r >>> 8 & 1) != 0, ((r >>> 7 ^ r >>> 6) & 1) != 0);
    return r & 0xff;
  }

  public static long shl16(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff;
    }
    long v = (a & 0xffff) << n;
    long r = (short) v;
    boolean carry = (v >>> 16 & 1) != 0;
    shifted(c, r, carry, r < 0 != carry);
    return r & 0xffff;
  }

  public static long shr16(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff;
    }
    long v = (a & 0xffff) >>> (n - 1);
    long r = v >>> 1;
    shifted(c, r, (v & 1) != 0, (r >>> 14 & 1) != 0);
    return r;
  }

  public static long sar16(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff;
    }
    long v = (short) a >> (n - 1);
    long r = v >> 1;
    shifted(c, r, (v & 1) != 0, false);
    return r & 0xffff;
  }

  public static long rol16(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff;
    }
    long v = a & 0xffff;
    long r = (v << (n & 15) | v >>> (16 - (n & 15))) & 0xffff;
    rotated(c, (r & 1) != 0, ((r >>> 15 ^ r) & 1) != 0);
    return r;
  }

  public static long ror16(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff;
    }
    long v = a & 0xffff;
    long r = (v >>> (n & 15) | v << (16 - (n & 15))) & 0xffff;
    rotated(c, (r >>> 15 & 1) != 0, ((r >>> 15 ^ r >>> 14) & 1) != 0);
    return r;
  }

  public static long rcl16(Cpu c, long a, long count) {
    int n = ((int) count & 31) % 17;
    if (n == 0) {
      return a & 0xffff;
    }
    // rotate the 17 bits CF:operand
    long v = (a & 0xffff) | (Flags.carry(c) ? 1L << 16 : 0);
    long r = v << n | v >>> (17 - n);
    boolean carry = (r >>> 16 & 1) != 0;
    rotated(c, carry, (r >>> 15 & 1) != 0 != carry);
    return r & 0xffff;
  }

  public static long rcr16(Cpu c, long a, long count) {
    int n = ((int) count & 31) % 17;
    if (n == 0) {
      return a & 0xffff;
    }
    long v = (a & 0xffff) | (Flags.carry(c) ? 1L << 16 : 0);
    long r = v >>> n | v << (17 - n);
    rotated(c, (r >>> 16 & 1) != 0, ((r >>> 15 ^ r >>> 14) & 1) != 0);
    return r & 0xffff;
  }

  public static long shl32(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    long v = (a & 0xffff_ffffL) << n;
    long r = (int) v;
    boolean carry = (v >>> 32 & 1) != 0;
    shifted(c, r, carry, r < 0 != carry);
    return r & 0xffff_ffffL;
  }

  public static long shr32(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    long v = (a & 0xffff_ffffL) >>> (n - 1);
    long r = v >>> 1;
    shifted(c, r, (v & 1) != 0, (r >>> 30 & 1) != 0);
    return r;
  }

  public static long sar32(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    long v = (int) a >> (n - 1);
    long r = v >> 1;
    shifted(c, r, (v & 1) != 0, false);
    return r & 0xffff_ffffL;
  }

  public static long rol32(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    long r = Integer.rotateLeft((int) a, n) & 0xffff_ffffL;
    rotated(c, (r & 1) != 0, ((r >>> 31 ^ r) & 1) != 0);
    return r;
  }

  public static long ror32(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    long r = Integer.rotateRight((int) a, n) & 0xffff_ffffL;
    rotated(c, (r >>> 31 & 1) != 0, ((r >>> 31 ^ r >>> 30) & 1) != 0);
    return r;
  }

  public static long rcl32(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    // rotate the 33 bits CF:operand
    long v = (a & 0xffff_ffffL) | (Flags.carry(c) ? 1L << 32 : 0);
    long r = v << n | v >>> (33 - n);
    boolean carry = (r >>> 32 & 1) != 0;
    rotated(c, carry, (r >>> 31 & 1) != 0 != carry);
    return r & 0xffff_ffffL;
  }

  public static long rcr32(Cpu c, long a, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    long v = (a & 0xffff_ffffL) | (Flags.carry(c) ? 1L << 32 : 0);
    long r = v >>> n | v << (33 - n);
    rotated(c, (r >>> 32 & 1) != 0, ((r >>> 31 ^ r >>> 30) & 1) != 0);
    return r & 0xffff_ffffL;
  }

  public static long shl64(Cpu c, long a, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long r = a << n;
    boolean carry = (a >>> (64 - n) & 1) != 0;
    shifted(c, r, carry, r < 0 != carry);
    return r;
  }

  public static long shr64(Cpu c, long a, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long v = a >>> (n - 1);
    long r = v >>> 1;
    shifted(c, r, (v & 1) != 0, (r >>> 62 & 1) != 0);
    return r;
  }

  public static long sar64(Cpu c, long a, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long v = a >> (n - 1);
    long r = v >> 1;
    shifted(c, r, (v & 1) != 0, false);
    return r;
  }

  public static long rol64(Cpu c, long a, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long r = Long.rotateLeft(a, n);
    rotated(c, (r & 1) != 0, ((r >>> 63 ^ r) & 1) != 0);
    return r;
  }

  public static long ror64(Cpu c, long a, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long r = Long.rotateRight(a, n);
    rotated(c, (r >>> 63 & 1) != 0, ((r >>> 63 ^ r >>> 62) & 1) != 0);
    return r;
  }

  public static long rcl64(Cpu c, long a, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long carryIn = Flags.carry(c) ? 1 : 0;
    // two steps, for a shift by 64 would be a shift by 0
    long r = a << n | carryIn << (n - 1) | a >>> 1 >>> (64 - n);
    boolean carry = (a >>> (64 - n) & 1) != 0;
    rotated(c, carry, r < 0 != carry);
    return r;
  }

  public static long rcr64(Cpu c, long a, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long carryIn = Flags.carry(c) ? 1 : 0;
    long r = a >>> n | carryIn << (64 - n) | a << 1 << (64 - n);
    rotated(c, (a >>> (n - 1) & 1) != 0, ((r >>> 63 ^ r >>> 62) & 1) != 0);
    return r;
  }

  /** 16-bit double shifts by more than 16 bring in the destination again, as processors do. */
  public static long shld16(Cpu c, long a, long b, long count) {
    int n = (int) count & 31;
    long x = a & 0xffff;
    if (n == 0) {
      return x;
    }
    long v = (x << 32 | (b & 0xffff) << 16 | x) << n;
    long r = (short) (v >>> 32);
    boolean carry = (v >>> 48 & 1) != 0;
    shifted(c, r, carry, r < 0 != carry);
    return r & 0xffff;
  }

  public static long shrd16(Cpu c, long a, long b, long count) {
    int n = (int) count & 31;
    long x = a & 0xffff;
    if (n == 0) {
      return x;
    }
    long v = x << 32 | (b & 0xffff) << 16 | x;
    long r = (short) (v >>> n);
    shifted(c, r, (v >>> (n - 1) & 1) != 0, ((r ^ r << 1) & 0x8000) != 0);
    return r & 0xffff;
  }

  public static long shld32(Cpu c, long a, long b, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    int x = (int) a;
    int r = x << n | (int) b >>> (32 - n);
    boolean carry = (x >>> (32 - n) & 1) != 0;
    shifted(c, r, carry, r < 0 != carry);
    return r & 0xffff_ffffL;
  }

  public static long shrd32(Cpu c, long a, long b, long count) {
    int n = (int) count & 31;
    if (n == 0) {
      return a & 0xffff_ffffL;
    }
    int x = (int) a;
    int r = x >>> n | (int) b << (32 - n);
    shifted(c, r, (x >>> (n - 1) & 1) != 0, (r ^ r << 1) < 0);
    return r & 0xffff_ffffL;
  }

  public static long shld64(Cpu c, long a, long b, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long r = a << n | b >>> (64 - n);
    boolean carry = (a >>> (64 - n) & 1) != 0;
    shifted(c, r, carry, r < 0 != carry);
    return r;
  }

  public static long shrd64(Cpu c, long a, long b, long count) {
    int n = (int) count & 63;
    if (n == 0) {
      return a;
    }
    long r = a >>> n | b << (64 - n);
    shifted(c, r, (a >>> (n - 1) & 1) != 0, (r ^ r << 1) < 0);
    return r;
  }
}
