package org.hypergraft.vmm.boot;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Encoder for the little ACPI Machine Language we need (ACPI specification, chapter 20). */
final class Aml {
  private static final int BYTE_PREFIX = 0x0a;
  private static final int WORD_PREFIX = 0x0b;
  private static final int DWORD_PREFIX = 0x0c;
  private static final int NAME_OP = 0x08;
  private static final int PACKAGE_OP = 0x12;

  private Aml() {}

  /** An integer constant from 0 to 2^32-1, in its shortest form. */
  static byte[] integer(long value) {
    if (value == 0 || value == 1) {
      return new byte[] {(byte) value}; // ZeroOp, OneOp
    }
    int bytes = value < 0x100 ? 1 : value < 0x10000 ? 2 : 4;
    byte[] out = new byte[bytes + 1];
    out[0] = (byte) (bytes == 1 ? BYTE_PREFIX : bytes == 2 ? WORD_PREFIX : DWORD_PREFIX);
    for (int i = 0; i < bytes; i++) {
      out[i + 1] = (byte) (value >>> 8 * i);
    }
    return out;
  }

  /** {@code Package () { elements }}. */
  static byte[] packageOf(byte[]... elements) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.write(elements.length);
    for (byte[] element : elements) {
      body.writeBytes(element);
    }
    return withLength(PACKAGE_OP, body.toByteArray());
  }

  /** {@code Name (name, object)}; a name segment has four characters. */
  static byte[] name(String name, byte[] object) {
    byte[] segment = name.getBytes(StandardCharsets.US_ASCII);
    if (segment.length != 4) {
      throw new IllegalArgumentException("not a name segment: " + name);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(NAME_OP);
    out.writeBytes(segment);
    out.writeBytes(object);
    return out.toByteArray();
  }

  /** An opcode, PkgLength (which counts itself; ACPI 20.2.4) and the body. */
  private static byte[] withLength(int opcode, byte[] body) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(opcode);
    if (body.length + 1 < 0x40) {
      out.write(body.length + 1);
    } else {
      int extra = body.length + 2 < 0x1000 ? 1 : body.length + 3 < 0x100000 ? 2 : 3;
      int length = body.length + 1 + extra;
      out.write(extra << 6 | length & 0xf);
      for (int i = 0; i < extra; i++) {
        out.write(length >>> 4 + 8 * i);
      }
    }
    out.writeBytes(body);
    return out.toByteArray();
  }
}
