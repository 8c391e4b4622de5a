package org.hypergraft.vmm.cpu.simd;

import static org.hypergraft.vmm.cpu.simd.Simd.MEMORY;

import java.util.Arrays;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Instructions that exist in VEX form only (AVX and AVX2). */
public final class Avx {
  private Avx() {}

  public static void vzeroupper(Cpu c, Op o) {
    Simd.check(c, o);
    int n = c.code64() ? 16 : 8;
    for (int i = 0; i < n; i++) {
      c.x[4 * i + 2] = 0;
      c.x[4 * i + 3] = 0;
    }
  }

  public static void vzeroall(Cpu c, Op o) {
    Simd.check(c, o);
    Arrays.fill(c.x, 0, c.code64() ? 64 : 32, 0);
  }

  // Broadcasts of the low element of a register or of memory.

  public static void vbroadcastss(Cpu c, Op o) {
    broadcast(c, o, 4);
  }

  public static void vbroadcastsd(Cpu c, Op o) {
    broadcast(c, o, 8);
  }

  public static void vpbroadcastb(Cpu c, Op o) {
    broadcast(c, o, 1);
  }

  public static void vpbroadcastw(Cpu c, Op o) {
    broadcast(c, o, 2);
  }

  public static void vpbroadcastd(Cpu c, Op o) {
    broadcast(c, o, 4);
  }

  public static void vpbroadcastq(Cpu c, Op o) {
    broadcast(c, o, 8);
  }

  private static void broadcast(Cpu c, Op o, int size) {
    Simd.check(c, o);
    long v;
    if (o.t != MEMORY) {
      v = c.x[o.t * 4];
    } else {
      long la = o.address(c);
      v =
          size == 8
              ? c.mmu.read64(la)
              : size == 4 ? c.mmu.read32(la) : size == 2 ? c.mmu.read16(la) : c.mmu.read8(la);
    }
    switch (size) {
      case 1:
        v = (v & 0xff) * 0x0101010101010101L;
        break;
      case 2:
        v = (v & 0xffff) * 0x0001000100010001L;
        break;
      case 4:
        v = (v & 0xffffffffL) * 0x0000000100000001L;
        break;
      default:
    }
    result(c, o, v, v, v, v);
  }

  public static void vbroadcastf128(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source128(c, o);
    result(c, o, c.x[b], c.x[b + 1], c.x[b], c.x[b + 1]);
  }

  public static void vbroadcasti128(Cpu c, Op o) {
    vbroadcastf128(c, o);
  }

  private static void result(Cpu c, Op o, long r0, long r1, long r2, long r3) {
    int d = o.d * 4;
    boolean wide = o.aux == Simd.VEX256;
    c.x[d] = r0;
    c.x[d + 1] = r1;
    c.x[d + 2] = wide ? r2 : 0;
    c.x[d + 3] = wide ? r3 : 0;
  }

  // 128-bit halves.

  public static void vextractf128(Cpu c, Op o) {
    Simd.check(c, o);
    int from = o.t * 4 + 2 * ((int) o.imm & 1);
    int d = o.d * 4;
    long lo = c.x[from];
    long hi = c.x[from + 1];
    c.x[d] = lo;
    c.x[d + 1] = hi;
    c.x[d + 2] = 0;
    c.x[d + 3] = 0;
  }

  public static void vextractf128Store(Cpu c, Op o) {
    Simd.check(c, o);
    Simd.store(c, o.address(c), o.s * 4 + 2 * ((int) o.imm & 1), 16);
  }

  public static void vextracti128(Cpu c, Op o) {
    vextractf128(c, o);
  }

  public static void vextracti128Store(Cpu c, Op o) {
    vextractf128Store(c, o);
  }

  public static void vinsertf128(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source128(c, o);
    int a = o.s * 4;
    long[] x = c.x;
    if ((o.imm & 1) == 0) {
      result(c, o, x[b], x[b + 1], x[a + 2], x[a + 3]);
    } else {
      result(c, o, x[a], x[a + 1], x[b], x[b + 1]);
    }
  }

  public static void vinserti128(Cpu c, Op o) {
    vinsertf128(c, o);
  }

  public static void vperm2f128(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.s * 4;
    int imm = (int) o.imm;
    result(
        c,
        o,
        half(c, a, b, imm, 0),
        half(c, a, b, imm, 1),
        half(c, a, b, imm >> 4, 0),
        half(c, a, b, imm >> 4, 1));
  }

  public static void vperm2i128(Cpu c, Op o) {
    vperm2f128(c, o);
  }

  /** Selector: bit 0 upper half, bit 1 second source, bit 3 zero. */
  private static long half(Cpu c, int a, int b, int selector, int lane) {
    if ((selector & 8) != 0) {
      return 0;
    }
    return c.x[((selector & 2) != 0 ? b : a) + 2 * (selector & 1) + lane];
  }

  // Permutations.

  /** Control in an immediate or in the second source. */
  public static void vpermilps(Cpu c, Op o) {
    if (o.size == IMMEDIATE) {
      Shuffles.pshufd(c, o);
      return;
    }
    Simd.whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          long lo =
              Shuffles.dword(x[a], x[a + 1], (int) x[b])
                  | Shuffles.dword(x[a], x[a + 1], (int) (x[b] >> 32)) << 32;
          x[d + 1] =
              Shuffles.dword(x[a], x[a + 1], (int) x[b + 1])
                  | Shuffles.dword(x[a], x[a + 1], (int) (x[b + 1] >> 32)) << 32;
          x[d] = lo;
        });
  }

  /** {@link Op#size} of VPERMILPS and VPERMILPD with an immediate. */
  static final byte IMMEDIATE = 127;

  public static void vpermilpd(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    boolean immediate = o.size == IMMEDIATE;
    int a = immediate ? b : o.s * 4;
    long[] r = new long[4];
    int n = o.aux == Simd.VEX256 ? 4 : 2;
    for (int i = 0; i < n; i++) {
      int pick = immediate ? (int) o.imm >> i & 1 : (int) (c.x[b + i] >> 1) & 1;
      r[i] = c.x[a + (i & 2) + pick];
    }
    result(c, o, r[0], r[1], r[2], r[3]);
  }

  public static void vpermq(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int imm = (int) o.imm;
    long[] x = c.x;
    result(
        c,
        o,
        x[b + (imm & 3)],
        x[b + (imm >> 2 & 3)],
        x[b + (imm >> 4 & 3)],
        x[b + (imm >> 6 & 3)]);
  }

  public static void vpermpd(Cpu c, Op o) {
    vpermq(c, o);
  }

  /** Elements of the second source at the indices in the first. */
  public static void vpermd(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.s * 4;
    long[] r = new long[4];
    for (int i = 0; i < 8; i++) {
      int index = (int) (c.x[a + (i >> 1)] >>> 32 * (i & 1)) & 7;
      long v = c.x[b + (index >> 1)] >>> 32 * (index & 1) & 0xffffffffL;
      r[i >> 1] |= v << 32 * (i & 1);
    }
    result(c, o, r[0], r[1], r[2], r[3]);
  }

  public static void vpermps(Cpu c, Op o) {
    vpermd(c, o);
  }

  // Element-wise variable shifts.

  public static void vpsllvd(Cpu c, Op o) {
    Simd.binary(c, o, (a, b) -> Lanes.dwords(a, b, (v, n) -> large(n, 32) ? 0 : v << n));
  }

  public static void vpsrlvd(Cpu c, Op o) {
    Simd.binary(c, o, (a, b) -> Lanes.dwords(a, b, (v, n) -> large(n, 32) ? 0 : v >>> n));
  }

  public static void vpsravd(Cpu c, Op o) {
    Simd.binary(c, o, (a, b) -> Lanes.dwords(a, b, (v, n) -> v >> (large(n, 32) ? 31 : n)));
  }

  public static void vpsllvq(Cpu c, Op o) {
    Simd.binary(c, o, (v, n) -> Long.compareUnsigned(n, 64) < 0 ? v << n : 0);
  }

  public static void vpsrlvq(Cpu c, Op o) {
    Simd.binary(c, o, (v, n) -> Long.compareUnsigned(n, 64) < 0 ? v >>> n : 0);
  }

  private static boolean large(int n, int limit) {
    return Integer.compareUnsigned(n, limit) >= 0;
  }

  // Masked moves: elements whose mask (in s) has its sign bit clear are not touched.

  public static void vmaskmovps(Cpu c, Op o) {
    maskedLoad(c, o, 4);
  }

  public static void vmaskmovpd(Cpu c, Op o) {
    maskedLoad(c, o, 8);
  }

  public static void vpmaskmovd(Cpu c, Op o) {
    maskedLoad(c, o, 4);
  }

  public static void vpmaskmovq(Cpu c, Op o) {
    maskedLoad(c, o, 8);
  }

  public static void vmaskmovpsStore(Cpu c, Op o) {
    maskedStore(c, o, 4);
  }

  public static void vmaskmovpdStore(Cpu c, Op o) {
    maskedStore(c, o, 8);
  }

  public static void vpmaskmovdStore(Cpu c, Op o) {
    maskedStore(c, o, 4);
  }

  public static void vpmaskmovqStore(Cpu c, Op o) {
    maskedStore(c, o, 8);
  }

  private static boolean chosen(Cpu c, int register, int i, int size) {
    int bit = 8 * size * i + 8 * size - 1;
    return (c.x[register * 4 + (bit >> 6)] >>> (bit & 63) & 1) != 0;
  }

  private static void maskedLoad(Cpu c, Op o, int size) {
    Simd.check(c, o);
    long la = o.address(c);
    int n = (o.aux == Simd.VEX256 ? 32 : 16) / size;
    long[] r = new long[4];
    for (int i = 0; i < n; i++) {
      if (chosen(c, o.s, i, size)) {
        long v = c.mmu.readUnaligned(la + (long) size * i, size);
        r[i * size >> 3] |= v << 8 * (i * size & 7);
      }
    }
    result(c, o, r[0], r[1], r[2], r[3]);
  }

  private static void maskedStore(Cpu c, Op o, int size) {
    Simd.check(c, o);
    long la = o.address(c);
    int n = (o.aux == Simd.VEX256 ? 32 : 16) / size;
    for (int i = 0; i < n; i++) {
      if (chosen(c, o.s, i, size)) {
        c.mmu.probeWriteUnaligned(la + (long) size * i, size);
      }
    }
    for (int i = 0; i < n; i++) {
      if (chosen(c, o.s, i, size)) {
        long v = c.x[o.t * 4 + (i * size >> 3)] >>> 8 * (i * size & 7);
        c.mmu.writeUnaligned(la + (long) size * i, size, v);
      }
    }
  }

  // Gathers. The mask register (s) loses the sign of each element done, so that a fault can resume.

  public static void vpgatherdd(Cpu c, Op o) {
    gather(c, o, 4, 4);
  }

  public static void vpgatherdq(Cpu c, Op o) {
    gather(c, o, 4, 8);
  }

  public static void vpgatherqd(Cpu c, Op o) {
    gather(c, o, 8, 4);
  }

  public static void vpgatherqq(Cpu c, Op o) {
    gather(c, o, 8, 8);
  }

  public static void vgatherdps(Cpu c, Op o) {
    gather(c, o, 4, 4);
  }

  public static void vgatherdpd(Cpu c, Op o) {
    gather(c, o, 4, 8);
  }

  public static void vgatherqps(Cpu c, Op o) {
    gather(c, o, 8, 4);
  }

  public static void vgatherqpd(Cpu c, Op o) {
    gather(c, o, 8, 8);
  }

  /** {@link Op#t} is the vector index register; the op's own index is "none". */
  private static void gather(Cpu c, Op o, int indexSize, int size) {
    Simd.check(c, o);
    int bytes = o.aux == Simd.VEX256 ? 32 : 16;
    int n = Math.min(bytes / size, bytes / indexSize);
    int scale = o.sc;
    for (int lane = 0; lane < 4; lane++) {
      // the whole element follows the sign of its mask
      long mask = lane < bytes / 8 ? c.x[o.s * 4 + lane] : 0;
      c.x[o.s * 4 + lane] = size == 8 ? mask >> 63 : (mask >>> 31 & 0x100000001L) * 0xffffffffL;
    }
    for (int i = 0; i < n; i++) {
      int bit = 8 * indexSize * i;
      long raw = c.x[o.t * 4 + (bit >> 6)] >>> (bit & 63);
      long index = indexSize == 4 ? (int) raw : raw;
      int lane = i * size >> 3;
      int shift = 8 * (i * size & 7);
      long keep = size == 8 ? 0 : ~(0xffffffffL << shift);
      if (chosen(c, o.s, i, size)) {
        long la = element(c, o, index << scale, size);
        long v = c.mmu.readUnaligned(la, size);
        c.x[o.d * 4 + lane] = c.x[o.d * 4 + lane] & keep | v << shift;
      }
      c.x[o.s * 4 + lane] &= keep;
    }
    for (int lane = n * size >> 3; lane < 4; lane++) {
      boolean half = n * size == 8 * lane + 4;
      c.x[o.d * 4 + lane] &= half ? 0xffffffffL : 0;
      c.x[o.s * 4 + lane] = 0;
    }
  }

  private static long element(Cpu c, Op o, long index, int size) {
    if (o.form == Op.PLAIN || o.form == Op.BASED) {
      return o.address(c) + index;
    }
    long offset = o.offset(c) + index;
    Access.checkType(c, o.seg, false);
    return Access.linear(c, o.seg, o.addrSize == 4 ? offset & 0xffffffffL : offset, size);
  }

  public static void vtestps(Cpu c, Op o) {
    test(c, o, 0x8000000080000000L);
  }

  public static void vtestpd(Cpu c, Op o) {
    test(c, o, 1L << 63);
  }

  private static void test(Cpu c, Op o, long signs) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.d * 4;
    int n = o.aux == Simd.VEX256 ? 4 : 2;
    long and = 0;
    long rest = 0;
    for (int i = 0; i < n; i++) {
      and |= c.x[a + i] & c.x[b + i] & signs;
      rest |= ~c.x[a + i] & c.x[b + i] & signs;
    }
    Flags.setStatus(c, (and == 0 ? Flags.ZF : 0) | (rest == 0 ? Flags.CF : 0));
  }
}
