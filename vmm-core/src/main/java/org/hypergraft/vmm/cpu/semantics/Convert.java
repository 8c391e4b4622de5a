package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;

/** Plain moves, extensions and byte swaps. No flags. */
public final class Convert {
  private Convert() {}

  public static long zero8(Cpu c, long a) {
    return a & 0xff;
  }

  public static long zero16(Cpu c, long a) {
    return a & 0xffff;
  }

  public static long zero32(Cpu c, long a) {
    return a & 0xffff_ffffL;
  }

  public static long same64(Cpu c, long a) {
    return a;
  }

  public static long sign8to16(Cpu c, long a) {
    return (byte) a & 0xffff;
  }

  public static long sign8to32(Cpu c, long a) {
    return (byte) a & 0xffff_ffffL;
  }

  public static long sign8to64(Cpu c, long a) {
    return (byte) a;
  }

  public static long sign16to32(Cpu c, long a) {
    return (short) a & 0xffff_ffffL;
  }

  public static long sign16to64(Cpu c, long a) {
    return (short) a;
  }

  public static long sign32to64(Cpu c, long a) {
    return (int) a;
  }

  /** The sign of AX, EAX, RAX in every bit: CWD, CDQ, CQO. */
  public static long signFill16(Cpu c, long a) {
    return (short) a >> 15 & 0xffff;
  }

  public static long signFill32(Cpu c, long a) {
    return (int) a >> 31 & 0xffff_ffffL;
  }

  public static long signFill64(Cpu c, long a) {
    return a >> 63;
  }

  /** BSWAP of a 16-bit register is undefined; processors clear it. */
  public static long bswap16(Cpu c, long a) {
    return 0;
  }

  public static long bswap32(Cpu c, long a) {
    return Integer.reverseBytes((int) a) & 0xffff_ffffL;
  }

  public static long bswap64(Cpu c, long a) {
    return Long.reverseBytes(a);
  }

  /** MOVBE of 16 bits, which does swap. */
  public static long swap16(Cpu c, long a) {
    return Short.reverseBytes((short) a) & 0xffff;
  }
}
