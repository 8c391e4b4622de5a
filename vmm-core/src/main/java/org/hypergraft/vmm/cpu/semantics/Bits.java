package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;

/**
 * Bit tests, scans, counts, BMI1/BMI2 and CRC32.
 *
 * <p>Binary scans take the old destination first: BSF and BSR of zero leave it unchanged (AMD APM
 * vol. 3; Intel processors do the same).
 */
public final class Bits {
  private Bits() {}

  private static boolean bit(long a, int n) {
    return (a >>> n & 1) != 0;
  }

  public static void bt16(Cpu c, long a, long n) {
    Flags.setCarry(c, bit(a, (int) n & 15));
  }

  public static void bt32(Cpu c, long a, long n) {
    Flags.setCarry(c, bit(a, (int) n & 31));
  }

  public static void bt64(Cpu c, long a, long n) {
    Flags.setCarry(c, bit(a, (int) n & 63));
  }

  public static long bts16(Cpu c, long a, long n) {
    bt16(c, a, n);
    return (a | 1L << (n & 15)) & 0xffff;
  }

  public static long bts32(Cpu c, long a, long n) {
    bt32(c, a, n);
    return (a | 1L << (n & 31)) & 0xffff_ffffL;
  }

  public static long bts64(Cpu c, long a, long n) {
    bt64(c, a, n);
    return a | 1L << n;
  }

  public static long btr16(Cpu c, long a, long n) {
    bt16(c, a, n);
    return a & ~(1L << (n & 15)) & 0xffff;
  }

  public static long btr32(Cpu c, long a, long n) {
    bt32(c, a, n);
    return a & ~(1L << (n & 31)) & 0xffff_ffffL;
  }

  public static long btr64(Cpu c, long a, long n) {
    bt64(c, a, n);
    return a & ~(1L << n);
  }

  public static long btc16(Cpu c, long a, long n) {
    bt16(c, a, n);
    return (a ^ 1L << (n & 15)) & 0xffff;
  }

  public static long btc32(Cpu c, long a, long n) {
    bt32(c, a, n);
    return (a ^ 1L << (n & 31)) & 0xffff_ffffL;
  }

  public static long btc64(Cpu c, long a, long n) {
    bt64(c, a, n);
    return a ^ 1L << n;
  }

  private static long scanned(Cpu c, long old, long source, long index) {
    if (source == 0) {
      Flags.explicit(c, 0, 0);
      return old;
    }
    // ZF is clear even for index 0; the other flags are undefined
    Flags.setStatus(c, 0);
    return index;
  }

  public static long bsf16(Cpu c, long old, long b) {
    return scanned(c, old & 0xffff, b & 0xffff, Long.numberOfTrailingZeros(b));
  }

  public static long bsf32(Cpu c, long old, long b) {
    return scanned(c, old & 0xffff_ffffL, (int) b, Long.numberOfTrailingZeros(b));
  }

  public static long bsf64(Cpu c, long old, long b) {
    return scanned(c, old, b, Long.numberOfTrailingZeros(b));
  }

  public static long bsr16(Cpu c, long old, long b) {
    return scanned(c, old & 0xffff, b & 0xffff, 63 - Long.numberOfLeadingZeros(b & 0xffff));
  }

  public static long bsr32(Cpu c, long old, long b) {
    return scanned(c, old & 0xffff_ffffL, (int) b, 31 - Integer.numberOfLeadingZeros((int) b));
  }

  public static long bsr64(Cpu c, long old, long b) {
    return scanned(c, old, b, 63 - Long.numberOfLeadingZeros(b));
  }

  /** CF = source is zero, ZF = result is zero. */
  private static long counted(Cpu c, boolean zeroSource, long n) {
    Flags.setStatus(c, (zeroSource ? Flags.CF : 0) | (n == 0 ? Flags.ZF : 0));
    return n;
  }

  public static long tzcnt16(Cpu c, long a) {
    int n = Long.numberOfTrailingZeros(a | 1L << 16);
    return counted(c, n == 16, n);
  }

  public static long tzcnt32(Cpu c, long a) {
    int n = Integer.numberOfTrailingZeros((int) a);
    return counted(c, n == 32, n);
  }

  public static long tzcnt64(Cpu c, long a) {
    int n = Long.numberOfTrailingZeros(a);
    return counted(c, n == 64, n);
  }

  public static long lzcnt16(Cpu c, long a) {
    int n = Integer.numberOfLeadingZeros((int) a & 0xffff) - 16;
    return counted(c, n == 16, n);
  }

  public static long lzcnt32(Cpu c, long a) {
    int n = Integer.numberOfLeadingZeros((int) a);
    return counted(c, n == 32, n);
  }

  public static long lzcnt64(Cpu c, long a) {
    int n = Long.numberOfLeadingZeros(a);
    return counted(c, n == 64, n);
  }

  private static long population(Cpu c, long n) {
    Flags.setStatus(c, n == 0 ? Flags.ZF : 0);
    return n;
  }

  public static long popcnt16(Cpu c, long a) {
    return population(c, Long.bitCount(a & 0xffff));
  }

  public static long popcnt32(Cpu c, long a) {
    return population(c, Integer.bitCount((int) a));
  }

  public static long popcnt64(Cpu c, long a) {
    return population(c, Long.bitCount(a));
  }

  public static long andn32(Cpu c, long a, long b) {
    int r = ~(int) a & (int) b;
    Flags.logic(c, r);
    return r & 0xffff_ffffL;
  }

  public static long andn64(Cpu c, long a, long b) {
    long r = ~a & b;
    Flags.logic(c, r);
    return r;
  }

  /** BEXTR: start in bits 0-7 of the control, length in bits 8-15. */
  private static long extract(long a, long control) {
    int start = (int) control & 0xff;
    int length = (int) (control >>> 8) & 0xff;
    long v = start > 63 ? 0 : a >>> start;
    return length > 63 ? v : v & ((1L << length) - 1);
  }

  public static long bextr32(Cpu c, long a, long control) {
    long r = extract(a & 0xffff_ffffL, control);
    Flags.explicit(c, 0, (int) r);
    return r;
  }

  public static long bextr64(Cpu c, long a, long control) {
    long r = extract(a, control);
    Flags.explicit(c, 0, r);
    return r;
  }

  public static long blsr32(Cpu c, long a) {
    int x = (int) a;
    int r = x & (x - 1);
    Flags.explicit(c, x == 0 ? Flags.CF : 0, r);
    return r & 0xffff_ffffL;
  }

  public static long blsr64(Cpu c, long a) {
    long r = a & (a - 1);
    Flags.explicit(c, a == 0 ? Flags.CF : 0, r);
    return r;
  }

  public static long blsmsk32(Cpu c, long a) {
    int x = (int) a;
    int r = x ^ (x - 1);
    Flags.explicit(c, x == 0 ? Flags.CF : 0, r);
    return r & 0xffff_ffffL;
  }

  public static long blsmsk64(Cpu c, long a) {
    long r = a ^ (a - 1);
    Flags.explicit(c, a == 0 ? Flags.CF : 0, r);
    return r;
  }

  public static long blsi32(Cpu c, long a) {
    int x = (int) a;
    int r = x & -x;
    Flags.explicit(c, x != 0 ? Flags.CF : 0, r);
    return r & 0xffff_ffffL;
  }

  public static long blsi64(Cpu c, long a) {
    long r = a & -a;
    Flags.explicit(c, a != 0 ? Flags.CF : 0, r);
    return r;
  }

  public static long bzhi32(Cpu c, long a, long index) {
    int n = (int) index & 0xff;
    int r = n > 31 ? (int) a : (int) a & ((1 << n) - 1);
    Flags.explicit(c, n > 31 ? Flags.CF : 0, r);
    return r & 0xffff_ffffL;
  }

  public static long bzhi64(Cpu c, long a, long index) {
    int n = (int) index & 0xff;
    long r = n > 63 ? a : a & ((1L << n) - 1);
    Flags.explicit(c, n > 63 ? Flags.CF : 0, r);
    return r;
  }

  private static long deposit(long a, long mask) {
    long r = 0;
    for (long m = mask; m != 0; m &= m - 1) {
      if ((a & 1) != 0) {
        r |= Long.lowestOneBit(m);
      }
      a >>>= 1;
    }
    return r;
  }

  private static long gather(long a, long mask) {
    long r = 0;
    int n = 0;
    for (long m = mask; m != 0; m &= m - 1) {
      if ((a & Long.lowestOneBit(m)) != 0) {
        r |= 1L << n;
      }
      n++;
    }
    return r;
  }

  public static long pdep32(Cpu c, long a, long mask) {
    return deposit(a, mask & 0xffff_ffffL);
  }

  public static long pdep64(Cpu c, long a, long mask) {
    return deposit(a, mask);
  }

  public static long pext32(Cpu c, long a, long mask) {
    return gather(a, mask & 0xffff_ffffL);
  }

  public static long pext64(Cpu c, long a, long mask) {
    return gather(a, mask);
  }

  public static long rorx32(Cpu c, long a, long n) {
    return Integer.rotateRight((int) a, (int) n) & 0xffff_ffffL;
  }

  public static long rorx64(Cpu c, long a, long n) {
    return Long.rotateRight(a, (int) n);
  }

  public static long sarx32(Cpu c, long a, long n) {
    return (int) a >> (int) n & 0xffff_ffffL;
  }

  public static long sarx64(Cpu c, long a, long n) {
    return a >> n;
  }

  public static long shrx32(Cpu c, long a, long n) {
    return (int) a >>> (int) n & 0xffff_ffffL;
  }

  public static long shrx64(Cpu c, long a, long n) {
    return a >>> n;
  }

  public static long shlx32(Cpu c, long a, long n) {
    return (int) a << (int) n & 0xffff_ffffL;
  }

  public static long shlx64(Cpu c, long a, long n) {
    return a << n;
  }

  /** ADCX: adds with and to CF only. */
  public static long adcx32(Cpu c, long a, long b) {
    long sum = (a & 0xffff_ffffL) + (b & 0xffff_ffffL) + (Flags.carry(c) ? 1 : 0);
    Flags.setCarry(c, sum >>> 32 != 0);
    return sum & 0xffff_ffffL;
  }

  public static long adcx64(Cpu c, long a, long b) {
    boolean carry = Flags.carry(c);
    long sum = a + b + (carry ? 1 : 0);
    Flags.setCarry(c, carriedOut(a, sum, carry));
    return sum;
  }

  /** ADOX: adds with and to OF only. */
  public static long adox32(Cpu c, long a, long b) {
    int status = Flags.status(c);
    long sum = (a & 0xffff_ffffL) + (b & 0xffff_ffffL) + ((status & Flags.OF) != 0 ? 1 : 0);
    Flags.setStatus(c, sum >>> 32 != 0 ? status | Flags.OF : status & ~Flags.OF);
    return sum & 0xffff_ffffL;
  }

  public static long adox64(Cpu c, long a, long b) {
    int status = Flags.status(c);
    boolean carry = (status & Flags.OF) != 0;
    long sum = a + b + (carry ? 1 : 0);
    Flags.setStatus(c, carriedOut(a, sum, carry) ? status | Flags.OF : status & ~Flags.OF);
    return sum;
  }

  private static boolean carriedOut(long a, long sum, boolean carryIn) {
    int order = Long.compareUnsigned(sum, a);
    return order < 0 || (order == 0 && carryIn);
  }

  /** CRC-32C (Castagnoli), reflected polynomial. */
  private static final int CASTAGNOLI = 0x82f63b78;

  private static final int[] CRC = crcTable();

  private static int[] crcTable() {
    int[] t = new int[256];
    for (int i = 0; i < 256; i++) {
      int v = i;
      for (int k = 0; k < 8; k++) {
        v = (v & 1) != 0 ? v >>> 1 ^ CASTAGNOLI : v >>> 1;
      }
      t[i] = v;
    }
    return t;
  }

  private static long crc(long a, long b, int bytes) {
    int v = (int) a;
    for (int i = 0; i < bytes; i++) {
      v = v >>> 8 ^ CRC[(v ^ (int) b) & 0xff];
      b >>>= 8;
    }
    return v & 0xffff_ffffL;
  }

  public static long crc32b(Cpu c, long a, long b) {
    return crc(a, b, 1);
  }

  public static long crc32w(Cpu c, long a, long b) {
    return crc(a, b, 2);
  }

  public static long crc32l(Cpu c, long a, long b) {
    return crc(a, b, 4);
  }

  public static long crc32q(Cpu c, long a, long b) {
    return crc(a, b, 8);
  }
}
