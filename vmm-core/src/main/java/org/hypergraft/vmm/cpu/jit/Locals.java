package org.hypergraft.vmm.cpu.jit;

/** Numbers of a compiled region's JVM local variables; longs take two. */
final class Locals {
  static final int THIS = 0;
  static final int CPU = 1;

  /** Number of the entry. */
  static final int ENTRANCE = 2;

  /** {@code Cpu.r}. */
  static final int FILE = 3;

  /** {@code Cpu.left} as far as it fits an int, which loops count best; {@link #SPARE} has more. */
  static final int LEFT = 4;

  /** First of the sixteen general registers. */
  private static final int REGISTERS = 6;

  // Lazy flags, as in Cpu.
  static final int FK = 38;
  static final int FA = 39;
  static final int FB = 41;
  static final int FR = 43;

  static final int MMU = 45;

  /** How the region is left, see {@link Region#leave}. */
  static final int EXIT = 46;

  /** Target of an indirect branch. */
  static final int TARGET = 47;

  // Scratch of one instruction.
  static final int T0 = 49;
  static final int T1 = 51;

  /** Linear address of the memory operand. */
  static final int EA = 53;

  /** {@code Mmu.tlb}. */
  static final int TLB = 55;

  /** TLB entry of the address in {@link #EA}. */
  static final int ENTRY = 57;

  /** Host address of a memory operand that is read and written. */
  static final int HOST = 59;

  /** {@code GuestRam.U}. */
  static final int UNSAFE = 61;

  /** {@code Cpu.x}. */
  static final int VECTORS = 62;

  // Scratch doubles: source, destination, result.
  static final int D0 = 63;
  static final int D1 = 65;
  static final int D2 = 67;

  /** Whether vector instructions may be done in the region, see {@code QuickDouble.ready}. */
  static final int READY = 69;

  /** First of the sixteen low lanes of vector registers. */
  static final int LANES = 70;

  /** What of {@code Cpu.left} is not in {@link #LEFT}. */
  static final int SPARE = LANES + 32;

  /** First of the copies of TLB entries, see {@link HotPages}. */
  static final int COPIES = SPARE + 2;

  private Locals() {}

  static int register(int r) {
    return REGISTERS + 2 * r;
  }
}
