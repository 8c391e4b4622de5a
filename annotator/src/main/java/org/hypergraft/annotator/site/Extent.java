package org.hypergraft.annotator.site;

import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * Where a table lies in the image.
 *
 * @param name of the table, such as {@code .altinstructions}
 * @param address link address of its first byte
 * @param offset payload offset of its first byte
 * @param size in bytes
 */
public record Extent(String name, long address, int offset, int size) {
  /** General registers of 32-bit code. */
  private static final int REGISTERS = 8;

  /** The section of that name, if the image has one with bytes. */
  static Optional<Extent> ofSection(GuestImage image, String name) {
    Optional<Section> found = image.section(name);
    if (found.isEmpty() || !found.get().hasBytes() || found.get().size() == 0) {
      return Optional.empty();
    }
    Section s = found.get();
    return Optional.of(new Extent(name, s.address(), s.offset(), Math.toIntExact(s.size())));
  }

  /**
   * The bytes between two symbols, for tables that the linker put inside another section.
   *
   * @throws ImageException when both symbols exist but enclose no bytes of one section
   */
  static Optional<Extent> ofSymbols(GuestImage image, String name, String start, String stop) {
    Optional<Symbol> from = image.symbols().find(start);
    Optional<Symbol> to = image.symbols().find(stop);
    if (from.isEmpty() || to.isEmpty()) {
      return Optional.empty();
    }
    long address = from.get().address();
    long size = to.get().address() - address;
    if (size == 0) {
      return Optional.empty();
    }
    int offset = image.offsetOf(address);
    if (size < 0 || offset < 0 || image.offsetOf(address + size - 1) != offset + size - 1) {
      throw new ImageException(
          "table %s: symbols %s and %s enclose 0x%x..0x%x, which the image does not hold"
              .formatted(name, start, stop, address, address + size));
    }
    return Optional.of(new Extent(name, address, offset, (int) size));
  }

  /**
   * The table whose size a function computes, for 32-bit kernels without symbols of data: {@code
   * mov $stop, %reg} and then {@code sub $start, %reg} of the same register.
   *
   * @param function its name
   * @param stride bytes of an entry
   */
  static Optional<Extent> ofDifference(GuestImage image, String name, String function, int stride) {
    if (image.is64Bit()) {
      return Optional.empty();
    }
    long[] loaded = new long[REGISTERS];
    FunctionCode code = FunctionCode.of(image, function);
    for (Insn in = code.next(); in != null; in = code.next()) {
      if (in.operands != 2 || in.kind[0] != Insn.GPR || in.kind[1] != Insn.IMM || in.opSize != 4) {
        continue;
      }
      long value = in.imm & 0xffff_ffffL;
      if (in.mnemonic == Mnemonic.MOV) {
        loaded[in.reg[0]] = value;
      } else if (in.mnemonic == Mnemonic.SUB) {
        long size = loaded[in.reg[0]] - value;
        int offset = image.offsetOf(value);
        if (size > 0
            && size % stride == 0
            && offset >= 0
            && image.offsetOf(value + size - 1) == offset + size - 1) {
          return Optional.of(new Extent(name, value, offset, (int) size));
        }
      }
    }
    return Optional.empty();
  }

  /** First address after the table. */
  public long end() {
    return address + size;
  }

  /** Number of entries of {@code stride} bytes; refuses a table that does not end with one. */
  int entries(int stride) {
    if (size % stride != 0) {
      throw new ImageException(
          "table %s at 0x%x: 0x%x bytes are no multiple of its %d-byte entries"
              .formatted(name, address, size, stride));
    }
    return size / stride;
  }
}
