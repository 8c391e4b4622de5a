package org.hypergraft.patcher.verify;

/**
 * Something that is wrong with a patched image.
 *
 * @param check name of the check that found it
 * @param address link address; 0 when it is about the file as a whole
 * @param symbol what the address belongs to; may be empty
 * @param message one sentence: expected, found
 */
public record Finding(String check, long address, String symbol, String message) {
  /** All of it in one line. */
  public String sentence() {
    String where = symbol.isEmpty() ? "" : " (" + symbol + ")";
    return check + (address == 0 ? "" : " at 0x%x".formatted(address) + where) + ": " + message;
  }
}
