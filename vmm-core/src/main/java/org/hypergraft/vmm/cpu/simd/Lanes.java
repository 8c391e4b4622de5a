package org.hypergraft.vmm.cpu.simd;

/** Packed integer arithmetic on 64-bit lanes, elements in little-endian order. */
final class Lanes {
  private static final long BYTE_SIGNS = 0x8080808080808080L;
  private static final long WORD_SIGNS = 0x8000800080008000L;
  private static final long DWORD_SIGNS = 0x8000000080000000L;

  private Lanes() {}

  interface IntOp {
    int apply(int a, int b);
  }

  static long signedBytes(long a, long b, IntOp f) {
    long r = 0;
    for (int i = 0; i < 64; i += 8) {
      r |= (f.apply((byte) (a >> i), (byte) (b >> i)) & 0xffL) << i;
    }
    return r;
  }

  static long unsignedBytes(long a, long b, IntOp f) {
    long r = 0;
    for (int i = 0; i < 64; i += 8) {
      r |= (f.apply((int) (a >> i) & 0xff, (int) (b >> i) & 0xff) & 0xffL) << i;
    }
    return r;
  }

  static long signedWords(long a, long b, IntOp f) {
    long r = 0;
    for (int i = 0; i < 64; i += 16) {
      r |= (f.apply((short) (a >> i), (short) (b >> i)) & 0xffffL) << i;
    }
    return r;
  }

  static long unsignedWords(long a, long b, IntOp f) {
    long r = 0;
    for (int i = 0; i < 64; i += 16) {
      r |= (f.apply((int) (a >> i) & 0xffff, (int) (b >> i) & 0xffff) & 0xffffL) << i;
    }
    return r;
  }

  static long dwords(long a, long b, IntOp f) {
    return f.apply((int) a, (int) b) & 0xffffffffL
        | (long) f.apply((int) (a >> 32), (int) (b >> 32)) << 32;
  }

  static int signed8(int v) {
    return Math.max(-128, Math.min(127, v));
  }

  static int unsigned8(int v) {
    return Math.max(0, Math.min(255, v));
  }

  static int signed16(int v) {
    return Math.max(-32768, Math.min(32767, v));
  }

  static int unsigned16(int v) {
    return Math.max(0, Math.min(65535, v));
  }

  // Sums without carries between elements: add below the sign bits, then put those in.

  static long addBytes(long a, long b) {
    return (a & ~BYTE_SIGNS) + (b & ~BYTE_SIGNS) ^ (a ^ b) & BYTE_SIGNS;
  }

  static long addWords(long a, long b) {
    return (a & ~WORD_SIGNS) + (b & ~WORD_SIGNS) ^ (a ^ b) & WORD_SIGNS;
  }

  static long addDwords(long a, long b) {
    return (a & ~DWORD_SIGNS) + (b & ~DWORD_SIGNS) ^ (a ^ b) & DWORD_SIGNS;
  }

  static long subtractBytes(long a, long b) {
    return (a | BYTE_SIGNS) - (b & ~BYTE_SIGNS) ^ ~(a ^ b) & BYTE_SIGNS;
  }

  static long subtractWords(long a, long b) {
    return (a | WORD_SIGNS) - (b & ~WORD_SIGNS) ^ ~(a ^ b) & WORD_SIGNS;
  }

  static long subtractDwords(long a, long b) {
    return (a | DWORD_SIGNS) - (b & ~DWORD_SIGNS) ^ ~(a ^ b) & DWORD_SIGNS;
  }

  static long equalBytes(long a, long b) {
    return signedBytes(a, b, (p, q) -> p == q ? -1 : 0);
  }

  static long multiplyAddWords(long a, long b) {
    int lo = (short) a * (short) b + (short) (a >> 16) * (short) (b >> 16);
    int hi = (short) (a >> 32) * (short) (b >> 32) + (short) (a >> 48) * (short) (b >> 48);
    return lo & 0xffffffffL | (long) hi << 32;
  }

  /** PMADDUBSW: unsigned bytes of a by signed bytes of b, pairs added with saturation. */
  static long multiplyAddBytes(long a, long b) {
    long r = 0;
    for (int i = 0; i < 64; i += 16) {
      int sum =
          ((int) (a >> i) & 0xff) * (byte) (b >> i)
              + ((int) (a >> i + 8) & 0xff) * (byte) (b >> i + 8);
      r |= (signed16(sum) & 0xffffL) << i;
    }
    return r;
  }

  static long sumOfDifferences(long a, long b) {
    int sum = 0;
    for (int i = 0; i < 64; i += 8) {
      sum += Math.abs(((int) (a >> i) & 0xff) - ((int) (b >> i) & 0xff));
    }
    return sum;
  }

  /** Pairs of neighbouring words of {@code a}, then of {@code b}, combined into words. */
  static long pairWords(long a, long b, IntOp f) {
    long r = f.apply((short) a, (short) (a >> 16)) & 0xffffL;
    r |= (f.apply((short) (a >> 32), (short) (a >> 48)) & 0xffffL) << 16;
    r |= (f.apply((short) b, (short) (b >> 16)) & 0xffffL) << 32;
    return r | (f.apply((short) (b >> 32), (short) (b >> 48)) & 0xffffL) << 48;
  }

  static long pairDwords(long a, long b, IntOp f) {
    return f.apply((int) a, (int) (a >> 32)) & 0xffffffffL
        | (long) f.apply((int) b, (int) (b >> 32)) << 32;
  }

  interface Narrow {
    int apply(int v);
  }

  /** Words of {@code a}, then of {@code b}, narrowed to bytes. */
  static long packWords(long a, long b, Narrow f) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= (f.apply((short) (a >> 16 * i)) & 0xffL) << 8 * i;
      r |= (f.apply((short) (b >> 16 * i)) & 0xffL) << 8 * i + 32;
    }
    return r;
  }

  /** Doublewords of {@code a}, then of {@code b}, narrowed to words. */
  static long packDwords(long a, long b, Narrow f) {
    return f.apply((int) a) & 0xffffL
        | (f.apply((int) (a >> 32)) & 0xffffL) << 16
        | (f.apply((int) b) & 0xffffL) << 32
        | (f.apply((int) (b >> 32)) & 0xffffL) << 48;
  }

  /** Low four bytes of a and b, alternating. */
  static long lowBytes(long a, long b) {
    return spreadBytes(a) | spreadBytes(b) << 8;
  }

  static long highBytes(long a, long b) {
    return lowBytes(a >>> 32, b >>> 32);
  }

  private static long spreadBytes(long v) {
    long x = v & 0xffffffffL;
    x = (x | x << 16) & 0x0000ffff0000ffffL;
    return (x | x << 8) & 0x00ff00ff00ff00ffL;
  }

  static long lowWords(long a, long b) {
    return spreadWords(a) | spreadWords(b) << 16;
  }

  static long highWords(long a, long b) {
    return lowWords(a >>> 32, b >>> 32);
  }

  private static long spreadWords(long v) {
    long x = v & 0xffffffffL;
    return (x | x << 16) & 0x0000ffff0000ffffL;
  }

  static long lowDwords(long a, long b) {
    return a & 0xffffffffL | b << 32;
  }

  static long highDwords(long a, long b) {
    return a >>> 32 | b & 0xffffffff00000000L;
  }

  static long first(long a, long b) {
    return a;
  }

  static long second(long a, long b) {
    return b;
  }

  static long shiftWordsLeft(long a, int n) {
    return n > 15 ? 0 : signedWords(a, 0, (p, q) -> p << n);
  }

  static long shiftWordsRight(long a, int n) {
    return n > 15 ? 0 : unsignedWords(a, 0, (p, q) -> p >>> n);
  }

  static long shiftWordsArithmetic(long a, int n) {
    int k = Math.min(n, 15);
    return signedWords(a, 0, (p, q) -> p >> k);
  }

  static long shiftDwordsLeft(long a, int n) {
    return n > 31 ? 0 : dwords(a, 0, (p, q) -> p << n);
  }

  static long shiftDwordsRight(long a, int n) {
    return n > 31 ? 0 : dwords(a, 0, (p, q) -> p >>> n);
  }

  static long shiftDwordsArithmetic(long a, int n) {
    int k = Math.min(n, 31);
    return dwords(a, 0, (p, q) -> p >> k);
  }

  static long shiftQwordsLeft(long a, int n) {
    return n > 63 ? 0 : a << n;
  }

  static long shiftQwordsRight(long a, int n) {
    return n > 63 ? 0 : a >>> n;
  }

  /** One bit per byte: its sign. */
  static int byteSigns(long v) {
    int r = 0;
    for (int i = 0; i < 8; i++) {
      r |= (int) (v >>> 8 * i + 7 & 1) << i;
    }
    return r;
  }

  /** Byte {@code i & 7} of a 16-byte value, or 0 when bit 7 of the selector is set. */
  static long shuffleBytes(long lo, long hi, long selectors, int mask) {
    long r = 0;
    for (int i = 0; i < 64; i += 8) {
      int s = (int) (selectors >>> i) & 0xff;
      if ((s & 0x80) == 0) {
        long from = (s & mask & 8) != 0 ? hi : lo;
        r |= (from >>> 8 * (s & 7) & 0xff) << i;
      }
    }
    return r;
  }
}
