package org.hypergraft.vmm.cpu.simd;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Round and schedule instructions of SHA-1 and SHA-256 (Intel SDM vol. 2, SHA1*, SHA256*). */
public final class Sha {
  /** Round constants of SHA-1, FIPS 180-4 section 4.2.1. */
  private static final int[] SHA1_K = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

  private Sha() {}

  /** Four double words, element 0 lowest. */
  private static int[] words(long[] x, int at) {
    return new int[] {(int) x[at], (int) (x[at] >>> 32), (int) x[at + 1], (int) (x[at + 1] >>> 32)};
  }

  private static void set(long[] x, int at, int w3, int w2, int w1, int w0) {
    x[at] = w0 & 0xffff_ffffL | (long) w1 << 32;
    x[at + 1] = w2 & 0xffff_ffffL | (long) w3 << 32;
  }

  private static int rol(int v, int n) {
    return Integer.rotateLeft(v, n);
  }

  private static int ror(int v, int n) {
    return Integer.rotateRight(v, n);
  }

  private static int choose(int x, int y, int z) {
    return x & y ^ ~x & z;
  }

  private static int majority(int x, int y, int z) {
    return x & y ^ x & z ^ y & z;
  }

  public static void sha1nexte(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int[] s = words(x, b);
          set(x, d, s[3] + rol(words(x, a)[3], 30), s[2], s[1], s[0]);
        });
  }

  public static void sha1msg1(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int[] p = words(x, a);
          int[] q = words(x, b);
          set(x, d, p[1] ^ p[3], p[0] ^ p[2], q[3] ^ p[1], q[2] ^ p[0]);
        });
  }

  public static void sha1msg2(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int[] p = words(x, a);
          int[] q = words(x, b);
          int w16 = rol(p[3] ^ q[2], 1);
          set(x, d, w16, rol(p[2] ^ q[1], 1), rol(p[1] ^ q[0], 1), rol(p[0] ^ w16, 1));
        });
  }

  /** Four rounds; the immediate chooses function and constant. */
  public static void sha1rnds4(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int[] state = words(x, a);
          int[] w = words(x, b);
          int va = state[3];
          int vb = state[2];
          int vc = state[1];
          int vd = state[0];
          int ve = 0; // the first word comes with E added
          for (int i = 3; i >= 0; i--) {
            int f =
                switch (imm & 3) {
                  case 0 -> choose(vb, vc, vd);
                  case 2 -> majority(vb, vc, vd);
                  default -> vb ^ vc ^ vd;
                };
            int next = f + rol(va, 5) + w[i] + ve + SHA1_K[imm & 3];
            ve = vd;
            vd = vc;
            vc = rol(vb, 30);
            vb = va;
            va = next;
          }
          set(x, d, va, vb, vc, vd);
        });
  }

  /** Two rounds; XMM0 holds the words with their constants added. */
  public static void sha256rnds2(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int[] high = words(x, b); // A B E F
          int[] low = words(x, a); // C D G H
          long k = x[0];
          int va = high[3];
          int vb = high[2];
          int vc = low[3];
          int vd = low[2];
          int ve = high[1];
          int vf = high[0];
          int vg = low[1];
          int vh = low[0];
          for (int i = 0; i < 2; i++) {
            int t =
                vh
                    + (ror(ve, 6) ^ ror(ve, 11) ^ ror(ve, 25))
                    + choose(ve, vf, vg)
                    + (int) (k >>> 32 * i);
            int u = (ror(va, 2) ^ ror(va, 13) ^ ror(va, 22)) + majority(va, vb, vc);
            vh = vg;
            vg = vf;
            vf = ve;
            ve = vd + t;
            vd = vc;
            vc = vb;
            vb = va;
            va = t + u;
          }
          set(x, d, va, vb, ve, vf);
        });
  }

  public static void sha256msg1(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int[] p = words(x, a);
          int w4 = words(x, b)[0];
          set(
              x,
              d,
              p[3] + small0(w4),
              p[2] + small0(p[3]),
              p[1] + small0(p[2]),
              p[0] + small0(p[1]));
        });
  }

  public static void sha256msg2(Cpu c, Op o) {
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          int[] p = words(x, a);
          int[] q = words(x, b);
          int w16 = p[0] + small1(q[2]);
          int w17 = p[1] + small1(q[3]);
          set(x, d, p[3] + small1(w17), p[2] + small1(w16), w17, w16);
        });
  }

  private static int small0(int w) {
    return ror(w, 7) ^ ror(w, 18) ^ w >>> 3;
  }

  private static int small1(int w) {
    return ror(w, 17) ^ ror(w, 19) ^ w >>> 10;
  }
}
