package org.hypergraft.patcher.diff;

import org.hypergraft.annotator.image.Symbol;

/**
 * A place where two images have different code: an annotated site, or whole instructions that no
 * table names.
 *
 * @param address link address
 * @param function the function it lies in; empty where no symbol covers it
 * @param offset bytes from the function's start; from 0 when there is no function
 * @param table the first table that names it; empty for code that no table names
 * @param operation what it does
 * @param kind which image still has the original code there
 * @param before bytes in the first image
 * @param after as many bytes in the second image
 */
@SuppressWarnings("ArrayRecordComponent") // a listing row; its bytes are copies
public record SiteChange(
    long address,
    String function,
    long offset,
    String table,
    String operation,
    Kind kind,
    byte[] before,
    byte[] after) {
  /** How a site differs. The order is that of every listing. */
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

  /** Bytes. */
  public int length() {
    return before.length;
  }

  /** {@code function}, {@code function+0x1f}, or the address where no symbol covers it. */
  public String symbol() {
    return function.isEmpty() ? "0x" + Long.toHexString(address) : Symbol.place(function, offset);
  }
}
