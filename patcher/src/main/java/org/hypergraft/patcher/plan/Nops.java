package org.hypergraft.patcher.plan;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Symbol;

/**
 * The NOPs a kernel pads with: read from its own table where its symbols tell, else those of Linux
 * 6.1 {@code arch/x86/include/asm/nops.h}.
 */
final class Nops {
  private static final List<String> WIDE =
      List.of(
          "90",
          "6690",
          "0f1f00",
          "0f1f4000",
          "0f1f440000",
          "660f1f440000",
          "0f1f8000000000",
          "0f1f840000000000");
  private static final List<String> NARROW =
      List.of(
          "90",
          "89f6",
          "8d7600",
          "8d742600",
          "3e8d742600",
          "8db600000000",
          "8db42600000000",
          "3e8db42600000000");

  /** The longest single NOP any kernel uses so far is 11 bytes. */
  private static final int MAX = 15;

  private final byte[][] table;

  private Nops(byte[][] table) {
    this.table = table;
  }

  /**
   * The table of an image.
   *
   * @param chosen the table where the kernel has several (5.10): its symbol, or its address as
   *     {@code 0x...}
   * @throws ImageException when the kernel's table holds something else than NOPs of 1, 2, 3...
   *     bytes
   */
  static Nops of(GuestImage image, String chosen) {
    Optional<Symbol> only = image.symbols().find("x86_nops");
    Optional<Symbol> symbol = only.or(() -> table(image, chosen));
    if (symbol.isEmpty()) {
      return constants(image.is64Bit() ? WIDE : NARROW);
    }
    int word = image.elf().wordSize();
    long at = symbol.get().address();
    // Where there are several tables, each has a ninth entry, a 5-byte NOP that is no part of it.
    int most = only.isPresent() ? MAX : WIDE.size();
    int n = (int) Math.min(most, symbol.get().size() / word - 1);
    List<byte[]> out = new ArrayList<>();
    out.add(new byte[0]);
    for (int i = 1; i <= n; i++) {
      long pointer = image.word(at + (long) i * word);
      if (pointer == 0) {
        break; // alignment after the table
      }
      byte[] nop = image.bytes(pointer, i);
      if (i == 1 ? (nop[0] & 0xff) != 0x90 : !startsLikeNop(nop)) {
        throw new ImageException(
            "NOP table %s: entry %d at 0x%x is %s, no NOP"
                .formatted(symbol.get().name(), i, pointer, HexFormat.of().formatHex(nop)));
      }
      out.add(nop);
    }
    if (out.size() < 9) {
      throw new ImageException(
          "NOP table %s at 0x%x has %d entries, expected at least 8"
              .formatted(symbol.get().name(), at, out.size() - 1));
    }
    return new Nops(out.toArray(new byte[0][]));
  }

  private static Optional<Symbol> table(GuestImage image, String chosen) {
    if (!chosen.matches("0x[0-9a-fA-F]{1,16}")) {
      return image.symbols().find(chosen);
    }
    long address = Long.parseUnsignedLong(chosen.substring(2), 16);
    Optional<Symbol> s = image.symbols().nearest(address).filter(x -> x.address() == address);
    if (s.isEmpty()) {
      throw new ImageException("no symbol at %s, where the NOP table should be".formatted(chosen));
    }
    return s;
  }

  private static boolean startsLikeNop(byte[] nop) {
    int i = 0;
    while (i < nop.length - 1 && (nop[i] == 0x66 || nop[i] == 0x2e || nop[i] == 0x3e)) {
      i++;
    }
    int first = nop[i] & 0xff;
    return first == 0x90
        || first == 0x89
        || first == 0x8d
        || (first == 0x0f && i + 1 < nop.length && nop[i + 1] == 0x1f);
  }

  private static Nops constants(List<String> hex) {
    byte[][] t = new byte[hex.size() + 1][];
    t[0] = new byte[0];
    for (int i = 0; i < hex.size(); i++) {
      t[i + 1] = HexFormat.of().parseHex(hex.get(i));
    }
    return new Nops(t);
  }

  /** Length of the longest single NOP. */
  int longest() {
    return table.length - 1;
  }

  /** Fills with the longest NOPs first; {@code add_nops()} of 5.10 to 6.5. */
  void fill(byte[] b, int from, int length) {
    int at = from;
    int left = length;
    while (left > 0) {
      int n = Math.min(left, longest());
      System.arraycopy(table[n], 0, b, at, n);
      at += n;
      left -= n;
    }
  }

  /**
   * One NOP, or a jump over INT3s where none is long enough; {@code add_nop()} of 6.6 and later.
   */
  void single(byte[] b, int from, int length) {
    if (length <= longest()) {
      System.arraycopy(table[length], 0, b, from, length);
      return;
    }
    int at;
    if (length < 128) {
      b[from] = (byte) 0xeb;
      b[from + 1] = (byte) (length - 2);
      at = from + 2;
    } else {
      b[from] = (byte) 0xe9;
      Bytes.put32(b, from + 1, length - 5);
      at = from + 5;
    }
    for (; at < from + length; at++) {
      b[at] = (byte) 0xcc;
    }
  }
}
