package org.hypergraft.annotator.isa;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The golden encodings of {@code vectors.txt}. */
@SuppressWarnings("ArrayRecordComponent") // test data, never compared
record Vectors(int mode, long address, byte[] code, String intel, String att) {
  /** All vectors, in file order. */
  static List<Vectors> all() throws IOException {
    List<Vectors> out = new ArrayList<>();
    try (InputStream in = Vectors.class.getResourceAsStream("vectors.txt")) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      for (String line : text.lines().toList()) {
        if (line.startsWith("#")) {
          continue;
        }
        String[] f = line.split(" ", 4);
        String[] texts = f[3].split(" \\| ", 2);
        out.add(
            new Vectors(
                Integer.parseInt(f[0]),
                Long.parseLong(f[1], 16),
                HexFormat.of().parseHex(f[2]),
                texts[0],
                texts.length > 1 ? texts[1] : null));
      }
    }
    return out;
  }

  /** Decodes hexadecimal bytes that must be exactly one instruction. */
  static Insn decode(int mode, String hex) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    Insn in = new Insn();
    int length = Decoder.decode(code, 0, code.length, 0x1000, mode, in);
    if (length != code.length) {
      throw new AssertionError(hex + ": length " + length + ", expected " + code.length);
    }
    return in;
  }

  /** Length of the instruction at the start of the bytes, 0 when there is none. */
  static int length(int mode, String hex) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    return Decoder.decode(code, 0, code.length, 0x1000, mode, new Insn());
  }
}
