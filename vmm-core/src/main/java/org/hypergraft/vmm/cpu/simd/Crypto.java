package org.hypergraft.vmm.cpu.simd;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;

/** AES round instructions (FIPS 197) and carry-less multiplication. */
public final class Crypto {
  private static final byte[] SBOX = new byte[256];
  private static final byte[] INVERSE = new byte[256];

  static {
    // The S-box is the multiplicative inverse in GF(2^8), found by walking the generator 3 and its
    // inverse together, and an affine map.
    int p = 1;
    int q = 1;
    do {
      p = (p ^ p << 1 ^ ((p & 0x80) != 0 ? 0x11b : 0)) & 0xff;
      q ^= q << 1;
      q ^= q << 2;
      q ^= q << 4;
      q &= 0xff;
      if ((q & 0x80) != 0) {
        q ^= 0x09;
      }
      int s = (q ^ rotate(q, 1) ^ rotate(q, 2) ^ rotate(q, 3) ^ rotate(q, 4) ^ 0x63) & 0xff;
      SBOX[p] = (byte) s;
    } while (p != 1);
    SBOX[0] = 0x63;
    for (int i = 0; i < 256; i++) {
      INVERSE[SBOX[i] & 0xff] = (byte) i;
    }
  }

  private Crypto() {}

  private static int rotate(int v, int n) {
    return (v << n | v >>> 8 - n) & 0xff;
  }

  private static int twice(int v) {
    return (v << 1 ^ ((v & 0x80) != 0 ? 0x1b : 0)) & 0xff;
  }

  private static int times(int v, int factor) {
    int r = 0;
    int power = v;
    for (int f = factor; f != 0; f >>= 1) {
      if ((f & 1) != 0) {
        r ^= power;
      }
      power = twice(power);
    }
    return r;
  }

  private static int at(long lo, long hi, int i) {
    return (int) ((i < 8 ? lo : hi) >>> 8 * (i & 7)) & 0xff;
  }

  /** One round on {@code x[a..a+1]} with the round key {@code x[b..b+1]}. */
  private static void round(long[] x, int d, int a, int b, boolean decrypt, boolean last) {
    int[] s = new int[16];
    for (int i = 0; i < 16; i++) {
      // ShiftRows: row r of column c comes from column c + r (decrypting: c - r).
      int row = i & 3;
      int column = i >> 2;
      int from = (decrypt ? column - row : column + row) & 3;
      int v = at(x[a], x[a + 1], from * 4 + row);
      s[i] = (decrypt ? INVERSE : SBOX)[v] & 0xff;
    }
    if (!last) {
      mix(s, decrypt);
    }
    long lo = x[b];
    long hi = x[b + 1];
    x[d] = gather(s, 0) ^ lo;
    x[d + 1] = gather(s, 8) ^ hi;
  }

  private static void mix(int[] s, boolean inverse) {
    int[] in = s.clone();
    for (int i = 0; i < 16; i++) {
      int c = i & ~3;
      int v0 = in[i];
      int v1 = in[c | i + 1 & 3];
      int v2 = in[c | i + 2 & 3];
      int v3 = in[c | i + 3 & 3];
      s[i] =
          inverse
              ? times(v0, 14) ^ times(v1, 11) ^ times(v2, 13) ^ times(v3, 9)
              : twice(v0) ^ twice(v1) ^ v1 ^ v2 ^ v3;
    }
  }

  private static long gather(int[] s, int from) {
    long r = 0;
    for (int i = 0; i < 8; i++) {
      r |= (long) s[from + i] << 8 * i;
    }
    return r;
  }

  public static void aesenc(Cpu c, Op o) {
    Simd.whole(c, o, (x, d, a, b, imm) -> round(x, d, a, b, false, false));
  }

  public static void aesenclast(Cpu c, Op o) {
    Simd.whole(c, o, (x, d, a, b, imm) -> round(x, d, a, b, false, true));
  }

  public static void aesdec(Cpu c, Op o) {
    Simd.whole(c, o, (x, d, a, b, imm) -> round(x, d, a, b, true, false));
  }

  public static void aesdeclast(Cpu c, Op o) {
    Simd.whole(c, o, (x, d, a, b, imm) -> round(x, d, a, b, true, true));
  }

  public static void aesimc(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int[] s = new int[16];
          for (int i = 0; i < 16; i++) {
            s[i] = at(x[b], x[b + 1], i);
          }
          mix(s, true);
          x[d] = gather(s, 0);
          x[d + 1] = gather(s, 8);
        });
  }

  public static void aeskeygenassist(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int w1 = substitute((int) (x[b] >>> 32));
          int w3 = substitute((int) (x[b + 1] >>> 32));
          x[d] = w1 & 0xffffffffL | (long) (Integer.rotateRight(w1, 8) ^ imm) << 32;
          x[d + 1] = w3 & 0xffffffffL | (long) (Integer.rotateRight(w3, 8) ^ imm) << 32;
        });
  }

  private static int substitute(int w) {
    int r = 0;
    for (int i = 0; i < 32; i += 8) {
      r |= (SBOX[w >>> i & 0xff] & 0xff) << i;
    }
    return r;
  }

  public static void pclmulqdq(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          long p = x[a + (imm & 1)];
          long q = x[b + (imm >> 4 & 1)];
          long lo = 0;
          long hi = 0;
          for (int i = 0; i < 64; i++) {
            if ((q >>> i & 1) != 0) {
              lo ^= p << i;
              hi ^= i == 0 ? 0 : p >>> 64 - i;
            }
          }
          x[d] = lo;
          x[d + 1] = hi;
        });
  }
}
