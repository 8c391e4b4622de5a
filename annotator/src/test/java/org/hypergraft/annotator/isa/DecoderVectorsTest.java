package org.hypergraft.annotator.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Lengths and texts of several thousand encodings against what objdump printed. */
class DecoderVectorsTest {
  @Test
  void agreesWithGoldenVectors() throws IOException {
    List<Vectors> all = Vectors.all();
    assertTrue(all.size() > 10_000, "only " + all.size() + " vectors");
    List<String> wrong = new ArrayList<>();
    Insn in = new Insn();
    for (Vectors v : all) {
      // Bytes after the instruction must not change it.
      byte[] code = Arrays.copyOf(v.code(), v.code().length + 16);
      Arrays.fill(code, v.code().length, code.length, (byte) 0xcc);
      int length = Decoder.decode(code, 0, code.length, v.address(), v.mode(), in);
      String intel = oneBlank(Formatter.intel(in, Symbolizer.NONE));
      String att = oneBlank(Formatter.att(in, Symbolizer.NONE));
      if (length != v.code().length
          || !intel.equals(v.intel())
          || (v.att() != null && !att.equals(v.att()))) {
        wrong.add(HexFormat.of().formatHex(v.code()) + ": " + length + " " + intel + " | " + att);
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    Insn in = new Insn();
    for (Vectors v : Vectors.all()) {
      for (int limit = 0; limit < v.code().length; limit++) {
        int length = Decoder.decode(v.code(), 0, limit, v.address(), v.mode(), in);
        assertEquals(0, length, () -> HexFormat.of().formatHex(v.code()));
        assertTrue(in.length <= limit);
      }
    }
  }

  @Test
  void fieldsAreWhereTheySay() throws IOException {
    Insn in = new Insn();
    for (Vectors v : Vectors.all()) {
      byte[] code = v.code();
      Decoder.decode(code, 0, code.length, v.address(), v.mode(), in);
      String bytes = HexFormat.of().formatHex(code);
      if (in.dispSize > 0) {
        long raw = little(code, in.dispOffset, in.dispSize);
        // Only EVEX scales, and only one byte.
        if (in.encoding != 2 || in.dispSize != 1) {
          assertEquals(raw, in.disp, bytes);
        }
      }
      if (in.immSize > 0 && in.operands > 0) {
        assertTrue(in.immOffset + in.immSize <= code.length, bytes);
        long raw = little(code, in.immOffset, in.immSize);
        for (int i = 0; i < in.operands; i++) {
          if (in.kind[i] == Insn.REL) {
            long target = in.end() + raw;
            long mask = v.mode() == 64 ? -1L : in.opSize == 2 ? 0xffff : 0xffffffffL;
            assertEquals(target & mask, in.imm, bytes);
          } else if (in.kind[i] == Insn.IMM && in.imm2 == 0 && in.immSize == in.size[i]) {
            long mask = in.immSize == 8 ? -1L : (1L << (8 * in.immSize)) - 1;
            assertEquals(raw & mask, in.imm & mask, bytes);
          }
        }
      }
    }
  }

  @Test
  void coversNearlyEveryMnemonic() throws IOException {
    Set<Mnemonic> missing = EnumSet.complementOf(EnumSet.of(Mnemonic.INVALID));
    Insn in = new Insn();
    for (Vectors v : Vectors.all()) {
      Decoder.decode(v.code(), 0, v.code().length, v.address(), v.mode(), in);
      missing.remove(in.mnemonic);
    }
    // What objdump 2.40 does not know or prints in a way of its own.
    assertTrue(missing.size() <= 40, "no vector for " + missing);
  }

  private static long little(byte[] code, int offset, int size) {
    long v = code[offset + size - 1];
    for (int i = size - 2; i >= 0; i--) {
      v = (v << 8) | (code[offset + i] & 0xff);
    }
    return v;
  }

  static String oneBlank(String text) {
    return text.replaceAll(" +", " ");
  }
}
