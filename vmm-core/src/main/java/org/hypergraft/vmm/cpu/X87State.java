package org.hypergraft.vmm.cpu;

/** Registers of the x87 unit; MMX registers alias the significands (Intel SDM vol. 1, 9.2). */
public final class X87State {
  /** Significands by physical register R0-R7. */
  public final long[] significand = new long[8];

  /** Sign (bit 15) and biased exponent by physical register. */
  public final int[] signExponent = new int[8];

  /** Control word; 0x37F after FNINIT, 0x40 at reset (Intel SDM vol. 3, table 10-1). */
  public int control = 0x40;

  /** Status word without TOP. */
  public int status;

  /** Top of stack, 0-7. */
  public int top;

  /** Bit i set: physical register i is not empty (the abridged tag word of FXSAVE). */
  public int valid = 0xff;

  /** Last non-control instruction: opcode (11 bits), its address and selector. */
  public int opcode;

  public long instruction;
  public int instructionSelector;

  /** Last memory operand. */
  public long data;

  public int dataSelector;
}
