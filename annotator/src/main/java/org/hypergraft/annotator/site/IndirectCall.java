package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;

/**
 * The indirect calls and jumps through a fixed pointer that compilers and {@code PARA_INDIRECT}
 * emit; Intel SDM volume 2, CALL and JMP, opcode FF /2 and /4.
 */
public final class IndirectCall {
  private IndirectCall() {}

  /**
   * Address of the pointer that the {@code length} bytes at {@code offset} call or jump through, or
   * 0 when they are no such instruction. A {@code length} beyond the instruction is accepted: what
   * follows is padding.
   *
   * @param address link address of the instruction
   * @param wide whether it is 64-bit code
   */
  public static long pointer(ByteBuffer b, int offset, int length, long address, boolean wide) {
    if (length < 6 || (b.get(offset) & 0xff) != 0xff) {
      return 0;
    }
    int modrm = b.get(offset + 1) & 0xff;
    if (modrm == 0x15 || modrm == 0x25) {
      int disp = b.getInt(offset + 2);
      return wide ? address + 6 + disp : disp & 0xffff_ffffL;
    }
    boolean absolute = wide && length >= 7 && (modrm == 0x14 || modrm == 0x24);
    return absolute && b.get(offset + 2) == 0x25 ? b.getInt(offset + 3) : 0;
  }
}
