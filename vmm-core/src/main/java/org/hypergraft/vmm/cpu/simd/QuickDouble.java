package org.hypergraft.vmm.cpu.simd;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;

/**
 * When host arithmetic on doubles gives the bits of SSE2 and raises nothing new: SSE usable, round
 * to nearest, "inexact" masked and already sticky ({@link #ready}), operands and result ordinary.
 * Values are bit patterns. Compiled code asks these questions itself and leaves the rest to {@link
 * SseFloat}; each method is short enough for HotSpot to inline wherever it is called.
 */
public final class QuickDouble {
  /** RC, PM and PE of MXCSR (Intel SDM vol. 1, 10.2.3), and their values in the quick case. */
  private static final int MXCSR_MASK = 0x6000 | 0x1000 | 0x20;

  private static final int MXCSR_QUICK = 0x1020;

  private static final long TWO_TO_63 = 0x43e0_0000_0000_0000L;
  private static final long TWO_TO_31 = 0x41e0_0000_0000_0000L;

  private QuickDouble() {}

  /** Whether SSE instructions run at all now, and MXCSR is as wanted. */
  public static boolean ready(Cpu c) {
    return quick(c) && Simd.sseUsable(c);
  }

  static boolean quick(Cpu c) {
    return (c.mxcsr & MXCSR_MASK) == MXCSR_QUICK;
  }

  /** Normal or zero. */
  public static boolean ordinary(long v) {
    return ((v >>> 52) + 1 & 0x7ff) > 1 || v << 1 == 0;
  }

  /** Normal, and not the smallest, which a tiny result may have been rounded up to. */
  private static boolean safe(long v) {
    int e = (int) (v >>> 52) & 0x7ff;
    return e > 1 && e < 0x7ff;
  }

  /** Whether {@code r} is the sum or difference of {@code a} and {@code b}. */
  public static boolean sum(long a, long b, long r) {
    return ordinary(a) && ordinary(b) && (safe(r) || r << 1 == 0);
  }

  /** Whether {@code r} is the product of {@code a} and {@code b}. */
  public static boolean product(long a, long b, long r) {
    return ordinary(a) && ordinary(b) && (safe(r) || a << 1 == 0 || b << 1 == 0);
  }

  /** Whether {@code r} is {@code a / b}. */
  public static boolean quotient(long a, long b, long r) {
    return ordinary(a) && ordinary(b) && (safe(r) || a << 1 == 0 && b << 1 != 0);
  }

  /** Whether the host's root of {@code a} will do. */
  public static boolean root(long a) {
    return ordinary(a) && a >= 0;
  }

  public static boolean ordinary(long a, long b) {
    return ordinary(a) && ordinary(b);
  }

  /**
   * Whether a value is central: its exponent is in the middle half of the range, the two upper bits
   * of the biased exponent differ. That is cheap to ask and seldom false. Central values are {@link
   * #ordinary}, and results of ordinary operands that are central are right.
   */
  public static boolean central(double v) {
    long bits = Double.doubleToRawLongBits(v);
    return (bits ^ bits << 1) << 1 < 0;
  }

  /** MINSD of ordinary operands: the second unless the first is smaller. */
  public static double min(double a, double b) {
    return a < b ? a : b;
  }

  /** MAXSD of ordinary operands. */
  public static double max(double a, double b) {
    return a > b ? a : b;
  }

  static long min(long a, long b) {
    return Double.longBitsToDouble(a) < Double.longBitsToDouble(b) ? a : b;
  }

  static long max(long a, long b) {
    return Double.longBitsToDouble(a) > Double.longBitsToDouble(b) ? a : b;
  }

  /** Status flags of COMISD and UCOMISD on ordinary operands. */
  public static long comparison(double a, double b) {
    return a < b ? Flags.CF : a == b ? Flags.ZF : 0;
  }

  /** Whether truncation to a signed integer of {@code bytes} (4 or 8) is within its range. */
  public static boolean truncates(long a, int bytes) {
    return ordinary(a) && a << 1 >>> 1 < (bytes == 8 ? TWO_TO_63 : TWO_TO_31);
  }
}
