package org.hypergraft.annotator.image;

/**
 * A named link address.
 *
 * @param name as linked
 * @param address link address; per-CPU offset for absolute per-CPU symbols (before 6.15)
 * @param type the letter nm(1) shows: t T text, d D data, r R read-only, b B bss, w W v V weak, a A
 *     absolute; upper case is global
 * @param size bytes up to the next symbol, or what the symbol table states; 0 for the last one
 */
public record Symbol(String name, long address, char type, long size) {
  /** A place in a function: {@code name}, or {@code name+0x1f} behind its start. */
  public static String place(String name, long offset) {
    return offset == 0 ? name : name + "+0x" + Long.toHexString(offset);
  }

  /** Whether it names code; where a kernel marks .data executable (7.2), data counts as code. */
  public boolean isText() {
    return isText(type);
  }

  static boolean isText(char type) {
    return type == 't' || type == 'T' || type == 'w' || type == 'W';
  }

  @Override
  public String toString() {
    return "0x%x %c %s".formatted(address, type, name);
  }
}
