package org.hypergraft.patcher.diff;

import java.util.List;

/**
 * A site that two images have different code at.
 *
 * @param address link address
 * @param length bytes
 * @param symbol function and offset
 * @param table the first table that names it; empty for code that no table names
 * @param operation what it does
 * @param kind whether the first, the second or neither image still has the original code there
 * @param before bytes in the first image
 * @param after bytes in the second image
 * @param beforeText the first image's instructions
 * @param afterText the second image's instructions
 */
@SuppressWarnings("ArrayRecordComponent") // a listing row; its bytes are copies
public record SiteChange(
    long address,
    int length,
    String symbol,
    String table,
    String operation,
    Kind kind,
    byte[] before,
    byte[] after,
    List<String> beforeText,
    List<String> afterText) {
  /** How a site differs. */
  public enum Kind {
    /** Only the second image changed it. */
    ADDED("+"),
    /** Only the first image changed it. */
    REMOVED("-"),
    /** Both changed it, differently. */
    CHANGED("~");

    private final String sign;

    Kind(String sign) {
      this.sign = sign;
    }

    /** One character for listings. */
    public String sign() {
      return sign;
    }
  }
}
