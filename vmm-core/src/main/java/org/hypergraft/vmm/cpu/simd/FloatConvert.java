package org.hypergraft.vmm.cpu.simd;

import static org.hypergraft.vmm.cpu.simd.Simd.MEMORY;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Conversions between floating-point formats and integers. */
public final class FloatConvert {
  private FloatConvert() {}

  private interface Element {
    long apply(Cpu c, long v);
  }

  private static int elements(Op o, int perXmm) {
    return o.aux == Simd.VEX256 ? 2 * perXmm : perXmm;
  }

  /** Doubleword {@code i} of a value in {@code c.x}. */
  private static long dword(Cpu c, int at, int i) {
    return c.x[at + (i >> 1)] >> 32 * (i & 1);
  }

  /** Elements of 4 bytes to elements of 4 bytes. */
  private static void same32(Cpu c, Op o, Element f) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int n = elements(o, 4);
    long[] r = new long[4];
    for (int i = 0; i < n; i++) {
      r[i >> 1] |= (f.apply(c, dword(c, b, i)) & 0xffffffffL) << 32 * (i & 1);
    }
    finish(c, o, r);
  }

  /** Elements of 4 bytes, the low half of the source, to elements of 8 bytes. */
  private static void widen(Cpu c, Op o, Element f) {
    Simd.check(c, o);
    int b = o.t * 4;
    int n = elements(o, 2);
    if (o.t == MEMORY) {
      if (n == 4) {
        Simd.load(c, o.address(c), 16);
      } else {
        c.x[b] = c.mmu.read64(o.address(c));
      }
    }
    long[] r = new long[4];
    for (int i = 0; i < n; i++) {
      r[i] = f.apply(c, dword(c, b, i));
    }
    finish(c, o, r);
  }

  private static void finish(Cpu c, Op o, long[] r) {
    SseFloat.raise(c);
    Simd.write(c, o, r[0], r[1]);
    if (o.aux == Simd.VEX256) {
      c.x[o.d * 4 + 2] = r[2];
      c.x[o.d * 4 + 3] = r[3];
    }
  }

  /** Elements of 8 bytes to elements of 4 bytes, the rest of the register zero. */
  private static void narrow(Cpu c, Op o, Element f) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int n = elements(o, 2);
    long[] r = new long[2];
    for (int i = 0; i < n; i++) {
      r[i >> 1] |= (f.apply(c, c.x[b + i]) & 0xffffffffL) << 32 * (i & 1);
    }
    SseFloat.raise(c);
    Simd.write(c, o, r[0], r[1]);
  }

  public static void cvtps2pd(Cpu c, Op o) {
    widen(c, o, (u, v) -> SseFloat.widen(u, (int) v));
  }

  public static void cvtpd2ps(Cpu c, Op o) {
    narrow(c, o, SseFloat::narrow);
  }

  public static void cvtdq2ps(Cpu c, Op o) {
    same32(c, o, (u, v) -> SseFloat.fromInt32(u, (int) v));
  }

  public static void cvtps2dq(Cpu c, Op o) {
    same32(c, o, (u, v) -> SseFloat.toInt32(u, (int) v, 32, false));
  }

  public static void cvttps2dq(Cpu c, Op o) {
    same32(c, o, (u, v) -> SseFloat.toInt32(u, (int) v, 32, true));
  }

  public static void cvtdq2pd(Cpu c, Op o) {
    widen(c, o, (u, v) -> SseFloat.fromInt64(u, (int) v));
  }

  public static void cvtpd2dq(Cpu c, Op o) {
    narrow(c, o, (u, v) -> SseFloat.toInt64(u, v, 32, false));
  }

  public static void cvttpd2dq(Cpu c, Op o) {
    narrow(c, o, (u, v) -> SseFloat.toInt64(u, v, 32, true));
  }

  public static void cvtss2sd(Cpu c, Op o) {
    Simd.check(c, o);
    long r = SseFloat.widen(c, Simd.source32(c, o));
    SseFloat.raise(c);
    Simd.write(c, o, r, c.x[o.s * 4 + 1]);
  }

  public static void cvtsd2ss(Cpu c, Op o) {
    Simd.check(c, o);
    int r = SseFloat.narrow(c, Simd.source64(c, o));
    SseFloat.raise(c);
    low32(c, o, r);
  }

  private static void low32(Cpu c, Op o, int r) {
    int s = o.s * 4;
    Simd.write(c, o, c.x[s] & 0xffffffff00000000L | r & 0xffffffffL, c.x[s + 1]);
  }

  private static long integer(Cpu c, Op o) {
    if (o.t == MEMORY) {
      return o.size == 8 ? c.mmu.read64(o.address(c)) : (int) c.mmu.read32(o.address(c));
    }
    return o.size == 8 ? c.r[o.t] : (int) c.r[o.t];
  }

  public static void cvtsi2ss(Cpu c, Op o) {
    Simd.check(c, o);
    int r = SseFloat.fromInt32(c, integer(c, o));
    SseFloat.raise(c);
    low32(c, o, r);
  }

  public static void cvtsi2sd(Cpu c, Op o) {
    Simd.check(c, o);
    long r = SseFloat.fromInt64(c, integer(c, o));
    SseFloat.raise(c);
    Simd.write(c, o, r, c.x[o.s * 4 + 1]);
  }

  public static void cvtss2si(Cpu c, Op o) {
    toGeneral32(c, o, false);
  }

  public static void cvttss2si(Cpu c, Op o) {
    toGeneral32(c, o, true);
  }

  public static void cvtsd2si(Cpu c, Op o) {
    toGeneral64(c, o, false);
  }

  public static void cvttsd2si(Cpu c, Op o) {
    toGeneral64(c, o, true);
  }

  private static void toGeneral32(Cpu c, Op o, boolean truncate) {
    Simd.check(c, o);
    general(c, o, SseFloat.toInt32(c, Simd.source32(c, o), o.size * 8, truncate));
  }

  private static void toGeneral64(Cpu c, Op o, boolean truncate) {
    Simd.check(c, o);
    general(c, o, SseFloat.toInt64(c, Simd.source64(c, o), o.size * 8, truncate));
  }

  private static void general(Cpu c, Op o, long v) {
    SseFloat.raise(c);
    c.r[o.d] = o.size == 8 ? v : v & 0xffffffffL;
  }

  // Between MMX and XMM registers.

  public static void cvtpi2ps(Cpu c, Op o) {
    checkBoth(c);
    long v = Simd.mmSource(c, o);
    long r =
        SseFloat.fromInt32(c, (int) v) & 0xffffffffL
            | (long) SseFloat.fromInt32(c, (int) (v >> 32)) << 32;
    if (o.t != MEMORY) {
      Simd.enterMmx(c);
    }
    SseFloat.raise(c);
    c.x[o.d * 4] = r;
  }

  public static void cvtpi2pd(Cpu c, Op o) {
    if (o.t == MEMORY) {
      Simd.checkSse(c);
    } else {
      checkBoth(c);
    }
    long v = Simd.mmSource(c, o);
    if (o.t != MEMORY) {
      Simd.enterMmx(c);
    }
    c.x[o.d * 4] = SseFloat.fromInt64(c, (int) v);
    c.x[o.d * 4 + 1] = SseFloat.fromInt64(c, (int) (v >> 32));
  }

  private static void checkBoth(Cpu c) {
    Simd.checkSse(c);
    Simd.checkMmx(c);
  }

  public static void cvtps2pi(Cpu c, Op o) {
    toMmx32(c, o, false);
  }

  public static void cvttps2pi(Cpu c, Op o) {
    toMmx32(c, o, true);
  }

  private static void toMmx32(Cpu c, Op o, boolean truncate) {
    checkBoth(c);
    long v = Simd.source64(c, o);
    long r =
        SseFloat.toInt32(c, (int) v, 32, truncate) & 0xffffffffL
            | SseFloat.toInt32(c, (int) (v >> 32), 32, truncate) << 32;
    Simd.enterMmx(c); // even when an exception keeps the result back
    SseFloat.raise(c);
    Simd.setMm(c, o.d, r);
  }

  public static void cvtpd2pi(Cpu c, Op o) {
    toMmx64(c, o, false);
  }

  public static void cvttpd2pi(Cpu c, Op o) {
    toMmx64(c, o, true);
  }

  private static void toMmx64(Cpu c, Op o, boolean truncate) {
    checkBoth(c);
    int b = Simd.source(c, o);
    long r =
        SseFloat.toInt64(c, c.x[b], 32, truncate) & 0xffffffffL
            | SseFloat.toInt64(c, c.x[b + 1], 32, truncate) << 32;
    Simd.enterMmx(c); // even when an exception keeps the result back
    SseFloat.raise(c);
    Simd.setMm(c, o.d, r);
  }

  // Half precision (F16C).

  public static void vcvtph2ps(Cpu c, Op o) {
    Simd.check(c, o);
    int b = o.t * 4;
    int n = elements(o, 4);
    if (o.t == MEMORY) {
      if (n == 8) {
        Simd.load(c, o.address(c), 16);
      } else {
        c.x[b] = c.mmu.readUnaligned(o.address(c), 8);
      }
    }
    long[] r = new long[4];
    for (int i = 0; i < n; i++) {
      int half = (int) (c.x[b + (i >> 2)] >>> 16 * (i & 3)) & 0xffff;
      r[i >> 1] |= (SseFloat.fromHalf(c, half) & 0xffffffffL) << 32 * (i & 1);
    }
    finish(c, o, r);
  }

  public static void vcvtps2ph(Cpu c, Op o) {
    Simd.check(c, o);
    long[] r = halves(c, o, o.t * 4);
    Simd.write(c, o, r[0], r[1]);
  }

  public static void vcvtps2phStore(Cpu c, Op o) {
    Simd.check(c, o);
    long la = o.address(c);
    long[] r = halves(c, o, o.s * 4); // exceptions stay noted even when the store faults
    if (o.aux == Simd.VEX256) {
      c.mmu.write128(la, r[0], r[1]);
    } else {
      c.mmu.writeUnaligned(la, 8, r[0]);
    }
  }

  private static long[] halves(Cpu c, Op o, int from) {
    int n = elements(o, 4);
    long[] r = new long[2];
    for (int i = 0; i < n; i++) {
      long half = SseFloat.toHalf(c, (int) dword(c, from, i), (int) o.imm) & 0xffffL;
      r[i >> 2] |= half << 16 * (i & 3);
    }
    SseFloat.raise(c);
    return r;
  }
}
