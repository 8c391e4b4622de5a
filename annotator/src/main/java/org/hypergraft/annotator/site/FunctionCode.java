package org.hypergraft.annotator.site;

import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * The instructions of a function, one after the other, up to one that does not decode: some facts
 * about a kernel are in its code alone.
 */
public final class FunctionCode {
  /**
   * The function of Linux {@code arch/x86/kernel/alternative.c} that applies all tables at boot.
   */
  public static final String PATCHING = "alternative_instructions";

  /** Functions that are read have some hundred bytes; of larger ones no more is looked at. */
  private static final int MAX_BYTES = 1 << 14;

  private final GuestImage image;
  private final int end;
  private final long delta;
  private final boolean whole;
  private final Insn insn = new Insn();
  private int at;
  private int next;

  private FunctionCode(GuestImage image, long address, int offset, int length, boolean whole) {
    this.image = image;
    this.whole = whole;
    delta = address - offset;
    at = offset;
    next = offset;
    end = offset + length;
  }

  /** The function of that name; without instructions when the image does not tell where it is. */
  public static FunctionCode of(GuestImage image, String function) {
    Optional<Symbol> symbol = image.symbols().find(function);
    int offset = symbol.isEmpty() ? -1 : image.offsetOf(symbol.get().address());
    if (offset < 0) {
      return new FunctionCode(image, 0, 0, 0, false);
    }
    long size = symbol.get().size();
    int length = (int) Math.min(size, Math.min(MAX_BYTES, image.payload().length - offset));
    return new FunctionCode(image, symbol.get().address(), offset, length, length == size);
  }

  /** The next instruction, valid until the one after it is asked for; null when there is none. */
  public Insn next() {
    if (next >= end) {
      return null;
    }
    at = next;
    int n = Decoder.decode(image.payload(), at, end, at + delta, image.elf().bits(), insn);
    next += n;
    return n == 0 ? null : insn;
  }

  /** Payload offset of the instruction that {@link #next} gave last. */
  public int offset() {
    return at;
  }

  /** Whether the function was found and each byte of it belongs to an instruction given so far. */
  public boolean isComplete() {
    return whole && next == end;
  }

  /**
   * The value that an instruction puts into a general register, as an address of this kernel's
   * width; 0 when it does something else.
   */
  public long loadedAddress() {
    boolean load =
        insn.mnemonic == Mnemonic.MOV
            && insn.operands == 2
            && insn.kind[0] == Insn.GPR
            && insn.kind[1] == Insn.IMM
            && insn.immSize == 4;
    return !load ? 0 : image.is64Bit() ? insn.imm : insn.imm & 0xffff_ffffL;
  }
}
