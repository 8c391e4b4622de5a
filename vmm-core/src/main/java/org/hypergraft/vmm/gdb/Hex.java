package org.hypergraft.vmm.gdb;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Numbers and bytes as packets have them. */
final class Hex {
  private Hex() {}

  /**
   * An unsigned number without prefix.
   *
   * @throws NumberFormatException when it is none
   */
  static long number(String digits) {
    return Long.parseUnsignedLong(digits, 16);
  }

  static String of(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /** A text's digits, for {@link #text} on the other side. */
  static String of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The text of which these are the digits.
   *
   * @throws IllegalArgumentException when they are not
   */
  static String text(String digits) {
    return new String(bytes(digits), StandardCharsets.UTF_8);
  }

  /**
   * Bytes of two digits each.
   *
   * @throws IllegalArgumentException when they are not
   */
  static byte[] bytes(String digits) {
    return HexFormat.of().parseHex(digits);
  }
}
