package org.hypergraft.vmm.cpu.simd;

import static org.hypergraft.vmm.cpu.simd.Simd.MEMORY;
import static org.hypergraft.vmm.cpu.simd.Simd.whole;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Instructions that move elements to other places of the register. */
public final class Shuffles {
  private Shuffles() {}

  /** Word {@code n & 3} of a lane. */
  private static long word(long v, int n) {
    return v >>> 16 * (n & 3) & 0xffff;
  }

  /** Four words of one lane, chosen by two bits each. */
  static long words(long v, int imm) {
    return word(v, imm)
        | word(v, imm >> 2) << 16
        | word(v, imm >> 4) << 32
        | word(v, imm >> 6) << 48;
  }

  /** Doubleword {@code n & 3} of a 128-bit value. */
  static long dword(long lo, long hi, int n) {
    return ((n & 2) != 0 ? hi : lo) >>> 32 * (n & 1) & 0xffffffffL;
  }

  public static void pshufw(Cpu c, Op o) {
    Simd.checkMmx(c);
    Simd.setMm(c, o.d, words(Simd.mmSource(c, o), (int) o.imm));
  }

  public static void pshuflw(Cpu c, Op o) {
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          x[d + 1] = x[b + 1];
          x[d] = words(x[b], imm);
        });
  }

  public static void pshufhw(Cpu c, Op o) {
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          x[d] = x[b];
          x[d + 1] = words(x[b + 1], imm);
        });
  }

  public static void pshufd(Cpu c, Op o) {
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          long lo = x[b];
          long hi = x[b + 1];
          x[d] = dword(lo, hi, imm) | dword(lo, hi, imm >> 2) << 32;
          x[d + 1] = dword(lo, hi, imm >> 4) | dword(lo, hi, imm >> 6) << 32;
        });
  }

  public static void shufps(Cpu c, Op o) {
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          long lo = dword(x[a], x[a + 1], imm) | dword(x[a], x[a + 1], imm >> 2) << 32;
          x[d + 1] = dword(x[b], x[b + 1], imm >> 4) | dword(x[b], x[b + 1], imm >> 6) << 32;
          x[d] = lo;
        });
  }

  public static void shufpd(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.s * 4;
    int d = o.d * 4;
    long[] x = c.x;
    int n = o.aux == Simd.VEX256 ? 4 : 2;
    for (int i = 0; i < n; i += 2) {
      int imm = (int) o.imm >> i;
      long lo = x[a + i + (imm & 1)];
      x[d + i + 1] = x[b + i + (imm >> 1 & 1)];
      x[d + i] = lo;
    }
    if (n == 2) {
      Simd.tail(c, o);
    }
  }

  public static void pshufb(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      long selectors = Simd.mmSource(c, o);
      Simd.setMm(c, o.d, Lanes.shuffleBytes(Simd.mm(c, o.s), 0, selectors, 7));
      return;
    }
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          long lo = Lanes.shuffleBytes(x[a], x[a + 1], x[b], 15);
          x[d + 1] = Lanes.shuffleBytes(x[a], x[a + 1], x[b + 1], 15);
          x[d] = lo;
        });
  }

  /** The concatenation first:second shifted right by bytes. */
  public static void palignr(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      long low = Simd.mmSource(c, o);
      Simd.setMm(c, o.d, alignedLane((int) o.imm & 0xff, low, Simd.mm(c, o.s), 0, 0));
      return;
    }
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          long b0 = x[b];
          long b1 = x[b + 1];
          long a0 = x[a];
          long a1 = x[a + 1];
          x[d] = alignedLane(imm, b0, b1, a0, a1);
          x[d + 1] = alignedLane(imm + 8, b0, b1, a0, a1);
        });
  }

  /** Eight bytes from byte {@code at} of a 32-byte value; zeros behind its end. */
  private static long alignedLane(int at, long v0, long v1, long v2, long v3) {
    int n = at >> 3;
    int bits = (at & 7) * 8;
    long low = n == 0 ? v0 : n == 1 ? v1 : n == 2 ? v2 : n == 3 ? v3 : 0;
    long high = n == 0 ? v1 : n == 1 ? v2 : n == 2 ? v3 : 0;
    return bits == 0 ? low : low >>> bits | high << (64 - bits);
  }

  public static void pslldq(Cpu c, Op o) {
    bytes(c, o, true);
  }

  public static void psrldq(Cpu c, Op o) {
    bytes(c, o, false);
  }

  private static void bytes(Cpu c, Op o, boolean left) {
    Simd.check(c, o);
    int n = Math.min((int) o.imm & 0xff, 16);
    int halves = o.aux == Simd.VEX256 ? 2 : 1;
    long[] x = c.x;
    for (int h = 0; h < halves; h++) {
      int a = o.s * 4 + 2 * h;
      int d = o.d * 4 + 2 * h;
      long a0 = x[a];
      long a1 = x[a + 1];
      if (left) {
        x[d] = alignedLane(16 - n, 0, 0, a0, a1);
        x[d + 1] = alignedLane(24 - n, 0, 0, a0, a1);
      } else {
        x[d] = alignedLane(n, a0, a1, 0, 0);
        x[d + 1] = alignedLane(n + 8, a0, a1, 0, 0);
      }
    }
    if (halves == 1) {
      Simd.tail(c, o);
    }
  }

  public static void unpcklps(Cpu c, Op o) {
    PackedInteger.punpckldq(c, o);
  }

  public static void unpckhps(Cpu c, Op o) {
    PackedInteger.punpckhdq(c, o);
  }

  public static void unpcklpd(Cpu c, Op o) {
    PackedInteger.punpcklqdq(c, o);
  }

  public static void unpckhpd(Cpu c, Op o) {
    PackedInteger.punpckhqdq(c, o);
  }

  // Blends by immediate: a set bit takes the element of the second source.

  public static void pblendw(Cpu c, Op o) {
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          for (int i = 0; i < 2; i++) {
            long mask = 0;
            for (int k = 0; k < 4; k++) {
              mask |= (imm >> 4 * i + k & 1) != 0 ? 0xffffL << 16 * k : 0;
            }
            x[d + i] = x[a + i] & ~mask | x[b + i] & mask;
          }
        });
  }

  public static void blendps(Cpu c, Op o) {
    blend(c, o, 2);
  }

  /** VPBLENDD. */
  public static void pblendd(Cpu c, Op o) {
    blend(c, o, 2);
  }

  public static void blendpd(Cpu c, Op o) {
    blend(c, o, 1);
  }

  private static void blend(Cpu c, Op o, int perLane) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.s * 4;
    int d = o.d * 4;
    int n = o.aux == Simd.VEX256 ? 4 : 2;
    long[] x = c.x;
    for (int i = 0; i < n; i++) {
      int bits = (int) o.imm >> i * perLane;
      long mask;
      if (perLane == 1) {
        mask = (bits & 1) != 0 ? -1 : 0;
      } else {
        mask = ((bits & 1) != 0 ? 0xffffffffL : 0) | ((bits & 2) != 0 ? 0xffffffff00000000L : 0);
      }
      x[d + i] = x[a + i] & ~mask | x[b + i] & mask;
    }
    if (n == 2) {
      Simd.tail(c, o);
    }
  }

  // Blends by the sign bits of XMM0, or of a fourth operand in the VEX forms.

  public static void pblendvb(Cpu c, Op o) {
    blendBySign(c, o, m -> (m >>> 7 & 0x0101010101010101L) * 0xff);
  }

  public static void blendvps(Cpu c, Op o) {
    blendBySign(c, o, m -> (m >>> 31 & 0x0000000100000001L) * 0xffffffffL);
  }

  public static void blendvpd(Cpu c, Op o) {
    blendBySign(c, o, m -> m >> 63);
  }

  private static void blendBySign(Cpu c, Op o, Simd.Unary spread) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int m = o.aux == Simd.SSE ? 0 : (int) o.imm * 4;
    int a = o.s * 4;
    int d = o.d * 4;
    int n = o.aux == Simd.VEX256 ? 4 : 2;
    long[] x = c.x;
    for (int i = 0; i < n; i++) {
      long mask = spread.apply(x[m + i]);
      x[d + i] = x[a + i] & ~mask | x[b + i] & mask;
    }
    if (n == 2) {
      Simd.tail(c, o);
    }
  }

  // Single elements in and out.

  public static void pinsrb(Cpu c, Op o) {
    insert(c, o, 1);
  }

  public static void pinsrw(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      int shift = ((int) o.imm & 3) * 16;
      long v = (o.t == MEMORY ? c.mmu.read16(o.address(c)) : c.r[o.t] & 0xffff) << shift;
      Simd.setMm(c, o.d, Simd.mm(c, o.s) & ~(0xffffL << shift) | v);
      return;
    }
    insert(c, o, 2);
  }

  public static void pinsrd(Cpu c, Op o) {
    insert(c, o, 4);
  }

  public static void pinsrq(Cpu c, Op o) {
    insert(c, o, 8);
  }

  private static void insert(Cpu c, Op o, int size) {
    Simd.check(c, o);
    long v = o.t == MEMORY ? read(c, o.address(c), size) : c.r[o.t];
    int at = (int) o.imm & 16 / size - 1;
    long mask = -1L >>> (64 - 8 * size);
    int shift = at * size * 8 & 63;
    long lo = c.x[o.s * 4];
    long hi = c.x[o.s * 4 + 1];
    if (at * size < 8) {
      lo = lo & ~(mask << shift) | (v & mask) << shift;
    } else {
      hi = hi & ~(mask << shift) | (v & mask) << shift;
    }
    Simd.write(c, o, lo, hi);
  }

  private static long read(Cpu c, long la, int size) {
    switch (size) {
      case 1:
        return c.mmu.read8(la);
      case 2:
        return c.mmu.read16(la);
      case 4:
        return c.mmu.read32(la);
      default:
        return c.mmu.read64(la);
    }
  }

  private static long element(Cpu c, Op o, int register, int size) {
    Simd.check(c, o);
    int at = ((int) o.imm & 16 / size - 1) * size;
    return c.x[register * 4 + (at >> 3)] >>> (at & 7) * 8 & -1L >>> (64 - 8 * size);
  }

  public static void pextrb(Cpu c, Op o) {
    c.r[o.d] = element(c, o, o.t, 1);
  }

  public static void pextrbStore(Cpu c, Op o) {
    c.mmu.write8(o.address(c), element(c, o, o.s, 1));
  }

  public static void pextrw(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      c.r[o.d] = word(Simd.mm(c, o.t), (int) o.imm);
      Simd.enterMmx(c);
      return;
    }
    c.r[o.d] = element(c, o, o.t, 2);
  }

  public static void pextrwStore(Cpu c, Op o) {
    c.mmu.write16(o.address(c), element(c, o, o.s, 2));
  }

  public static void pextrd(Cpu c, Op o) {
    c.r[o.d] = element(c, o, o.t, 4);
  }

  public static void pextrdStore(Cpu c, Op o) {
    c.mmu.write32(o.address(c), element(c, o, o.s, 4));
  }

  public static void pextrq(Cpu c, Op o) {
    c.r[o.d] = element(c, o, o.t, 8);
  }

  public static void pextrqStore(Cpu c, Op o) {
    c.mmu.write64(o.address(c), element(c, o, o.s, 8));
  }

  public static void extractps(Cpu c, Op o) {
    pextrd(c, o);
  }

  public static void extractpsStore(Cpu c, Op o) {
    pextrdStore(c, o);
  }

  /** imm bits 7-6 source element (registers only), 5-4 destination element, 3-0 zeroed ones. */
  public static void insertps(Cpu c, Op o) {
    Simd.check(c, o);
    int imm = (int) o.imm;
    long[] x = c.x;
    long v =
        o.t == MEMORY ? c.mmu.read32(o.address(c)) : dword(x[o.t * 4], x[o.t * 4 + 1], imm >> 6);
    long[] out = {x[o.s * 4], x[o.s * 4 + 1]};
    put(out, imm >> 4 & 3, v);
    for (int i = 0; i < 4; i++) {
      if ((imm >> i & 1) != 0) {
        put(out, i, 0);
      }
    }
    Simd.write(c, o, out[0], out[1]);
  }

  private static void put(long[] out, int element, long v) {
    int shift = 32 * (element & 1);
    out[element >> 1] = out[element >> 1] & ~(0xffffffffL << shift) | v << shift;
  }

  // Sign and zero extension: the low elements of the source, each widened.

  public static void pmovsxbw(Cpu c, Op o) {
    extend(c, o, 1, 2, true);
  }

  public static void pmovsxbd(Cpu c, Op o) {
    extend(c, o, 1, 4, true);
  }

  public static void pmovsxbq(Cpu c, Op o) {
    extend(c, o, 1, 8, true);
  }

  public static void pmovsxwd(Cpu c, Op o) {
    extend(c, o, 2, 4, true);
  }

  public static void pmovsxwq(Cpu c, Op o) {
    extend(c, o, 2, 8, true);
  }

  public static void pmovsxdq(Cpu c, Op o) {
    extend(c, o, 4, 8, true);
  }

  public static void pmovzxbw(Cpu c, Op o) {
    extend(c, o, 1, 2, false);
  }

  public static void pmovzxbd(Cpu c, Op o) {
    extend(c, o, 1, 4, false);
  }

  public static void pmovzxbq(Cpu c, Op o) {
    extend(c, o, 1, 8, false);
  }

  public static void pmovzxwd(Cpu c, Op o) {
    extend(c, o, 2, 4, false);
  }

  public static void pmovzxwq(Cpu c, Op o) {
    extend(c, o, 2, 8, false);
  }

  public static void pmovzxdq(Cpu c, Op o) {
    extend(c, o, 4, 8, false);
  }

  private static void extend(Cpu c, Op o, int from, int to, boolean signed) {
    Simd.check(c, o);
    int n = (o.aux == Simd.VEX256 ? 32 : 16) / to;
    int bytes = n * from;
    long v0;
    long v1 = 0;
    if (o.t != MEMORY) {
      v0 = c.x[o.t * 4];
      v1 = c.x[o.t * 4 + 1];
    } else if (bytes == 16) {
      Simd.load(c, o.address(c), 16);
      v0 = c.x[MEMORY * 4];
      v1 = c.x[MEMORY * 4 + 1];
    } else {
      v0 = read(c, o.address(c), bytes);
    }
    int d = o.d * 4;
    long mask = -1L >>> (64 - 8 * to);
    for (int i = 0; i < n; i++) {
      int at = i * from;
      long raw = (at < 8 ? v0 : v1) >>> 8 * (at & 7);
      int shift = 64 - 8 * from;
      long v = signed ? raw << shift >> shift : raw << shift >>> shift;
      int out = i * to;
      int lane = d + (out >> 3);
      int bit = 8 * (out & 7);
      c.x[lane] = (bit == 0 ? 0 : c.x[lane]) | (v & mask) << bit;
    }
    if (o.aux != Simd.VEX256) {
      Simd.tail(c, o);
    }
  }

  /** Minimum unsigned word and its index. */
  public static void phminposuw(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    long best = 0x10000;
    long at = 0;
    for (int i = 0; i < 8; i++) {
      long w = word(c.x[b + (i >> 2)], i);
      if (w < best) {
        best = w;
        at = i;
      }
    }
    Simd.write(c, o, best | at << 16, 0);
  }

  /** Sums of absolute differences of sliding groups of four bytes. */
  public static void mpsadbw(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    long[] x = c.x;
    int halves = o.aux == Simd.VEX256 ? 2 : 1;
    for (int h = 0; h < halves; h++) {
      int imm = (int) o.imm >> 3 * h;
      int a = o.s * 4 + 2 * h;
      int d = o.d * 4 + 2 * h;
      long group = dword(x[b + 2 * h], x[b + 2 * h + 1], imm);
      int first = imm & 4;
      long a0 = x[a];
      long a1 = x[a + 1];
      long[] out = new long[2];
      for (int i = 0; i < 8; i++) {
        long window = alignedLane(first + i, a0, a1, 0, 0);
        long sum = 0;
        for (int k = 0; k < 32; k += 8) {
          sum += Math.abs((window >>> k & 0xff) - (group >>> k & 0xff));
        }
        out[i >> 2] |= sum << 16 * (i & 3);
      }
      x[d] = out[0];
      x[d + 1] = out[1];
    }
    if (halves == 1) {
      Simd.tail(c, o);
    }
  }
}
