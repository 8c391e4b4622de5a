package org.hypergraft.vmm.cpu.simd;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;

/** PCMPESTRI and its kin (Intel SDM vol. 2, 4.1). */
public final class StringCompare {
  private StringCompare() {}

  public static void pcmpestri(Cpu c, Op o) {
    index(c, o, true);
  }

  public static void pcmpistri(Cpu c, Op o) {
    index(c, o, false);
  }

  public static void pcmpestrm(Cpu c, Op o) {
    mask(c, o, true);
  }

  public static void pcmpistrm(Cpu c, Op o) {
    mask(c, o, false);
  }

  private static void index(Cpu c, Op o, boolean explicit) {
    int imm = (int) o.imm & 0xff;
    int r = compare(c, o, explicit);
    int n = (imm & 1) != 0 ? 8 : 16;
    int at;
    if (r == 0) {
      at = n;
    } else if ((imm & 0x40) != 0) {
      at = 31 - Integer.numberOfLeadingZeros(r);
    } else {
      at = Integer.numberOfTrailingZeros(r);
    }
    c.r[Cpu.RCX] = at;
  }

  private static void mask(Cpu c, Op o, boolean explicit) {
    int imm = (int) o.imm & 0xff;
    int r = compare(c, o, explicit);
    long lo = r;
    long hi = 0;
    if ((imm & 0x40) != 0) {
      boolean words = (imm & 1) != 0;
      lo = 0;
      for (int i = 0; i < 8; i++) {
        if (words) {
          long bit = (r >>> i & 1) != 0 ? 0xffffL << 16 * (i & 3) : 0;
          lo |= i < 4 ? bit : 0;
          hi |= i < 4 ? 0 : bit;
        } else {
          lo |= (r >>> i & 1) != 0 ? 0xffL << 8 * i : 0;
          hi |= (r >>> i + 8 & 1) != 0 ? 0xffL << 8 * i : 0;
        }
      }
    }
    // the destination is always XMM0
    c.x[0] = lo;
    c.x[1] = hi;
    if (o.aux != Simd.SSE) {
      c.x[2] = 0;
      c.x[3] = 0;
    }
  }

  /** The result bits after polarity; sets the flags. */
  private static int compare(Cpu c, Op o, boolean explicit) {
    Simd.check(c, o);
    int b = Simd.source128(c, o);
    int a = o.d * 4;
    int imm = (int) o.imm & 0xff;
    boolean words = (imm & 1) != 0;
    int n = words ? 8 : 16;
    int[] first = elements(c, a, imm);
    int[] second = elements(c, b, imm);
    int firstLength = explicit ? length(c, o, Cpu.RAX, n) : terminator(first);
    int secondLength = explicit ? length(c, o, Cpu.RDX, n) : terminator(second);
    int r = aggregate(imm >> 2 & 3, first, firstLength, second, secondLength);
    int valid = (1 << secondLength) - 1;
    int all = (1 << n) - 1;
    switch (imm >> 4 & 3) {
      case 1:
        r = ~r & all;
        break;
      case 3:
        r ^= valid;
        break;
      default:
    }
    Flags.setStatus(
        c,
        (r != 0 ? Flags.CF : 0)
            | (secondLength < n ? Flags.ZF : 0)
            | (firstLength < n ? Flags.SF : 0)
            | ((r & 1) != 0 ? Flags.OF : 0));
    return r;
  }

  private static int[] elements(Cpu c, int at, int imm) {
    boolean words = (imm & 1) != 0;
    boolean signed = (imm & 2) != 0;
    int n = words ? 8 : 16;
    int size = 128 / n;
    int[] e = new int[n];
    for (int i = 0; i < n; i++) {
      int bit = i * size;
      int raw = (int) (c.x[at + (bit >> 6)] >>> (bit & 63));
      if (words) {
        e[i] = signed ? (short) raw : raw & 0xffff;
      } else {
        e[i] = signed ? (byte) raw : raw & 0xff;
      }
    }
    return e;
  }

  private static int terminator(int[] e) {
    int n = 0;
    while (n < e.length && e[n] != 0) {
      n++;
    }
    return n;
  }

  /** Absolute value of EAX or EDX (RAX, RDX with REX.W or VEX.W), at most {@code n}. */
  private static int length(Cpu c, Op o, int register, int n) {
    long v = o.size == 8 ? c.r[register] : (int) c.r[register];
    if (v == Long.MIN_VALUE) {
      return n;
    }
    return (int) Math.min(Math.abs(v), n);
  }

  private static int aggregate(int mode, int[] p, int pn, int[] q, int qn) {
    int n = p.length;
    int r = 0;
    for (int j = 0; j < n; j++) {
      boolean hit;
      switch (mode) {
        case 0: // equal any
          hit = false;
          for (int i = 0; i < pn && j < qn; i++) {
            hit |= p[i] == q[j];
          }
          break;
        case 1: // ranges
          hit = false;
          for (int i = 0; i + 1 < pn && j < qn; i += 2) {
            hit |= p[i] <= q[j] && q[j] <= p[i + 1];
          }
          break;
        case 2: // equal each
          hit = j < pn && j < qn ? p[j] == q[j] : j >= pn && j >= qn;
          break;
        default: // equal ordered: p occurs in q at j, as far as the register shows
          hit = true;
          for (int i = 0; i < pn && i + j < n; i++) {
            hit &= i + j < qn && p[i] == q[i + j];
          }
      }
      r |= hit ? 1 << j : 0;
    }
    return r;
  }

  public static void ptest(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.d * 4;
    int n = o.aux == Simd.VEX256 ? 4 : 2;
    long and = 0;
    long rest = 0;
    for (int i = 0; i < n; i++) {
      and |= c.x[a + i] & c.x[b + i];
      rest |= ~c.x[a + i] & c.x[b + i];
    }
    Flags.setStatus(c, (and == 0 ? Flags.ZF : 0) | (rest == 0 ? Flags.CF : 0));
  }
}
