package org.hypergraft.annotator.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The names in a kernel's kallsyms tables (scripts/kallsyms.c writes them, kernel/kallsyms.c reads
 * them): each name is a length and that many indexes into a table of 256 tokens; its first
 * character is the nm letter.
 */
final class Kallsyms implements SymbolNames {
  /** Longest expanded name, type letter included; KSYM_NAME_LEN is 512. The finder checks it. */
  static final int MAX_NAME = 1024;

  private final byte[] b;

  /** Where the indexes of each name start, and how many there are. */
  private final int[] start;

  private final short[] count;
  private final int[] tokenStart;
  private final int[] tokenLength;

  Kallsyms(byte[] b, int[] start, short[] count, int[] tokenStart, int[] tokenLength) {
    this.b = b;
    this.start = start;
    this.count = count;
    this.tokenStart = tokenStart;
    this.tokenLength = tokenLength;
  }

  @Override
  public String name(int index) {
    int from = start[index];
    int end = from + count[index];
    int size = 0;
    for (int i = from; i < end; i++) {
      size += tokenLength[b[i] & 0xff];
    }
    byte[] out = new byte[size];
    int n = 0;
    for (int i = from; i < end; i++) {
      int token = b[i] & 0xff;
      int length = tokenLength[token];
      System.arraycopy(b, tokenStart[token], out, n, length);
      n += length;
    }
    return new String(out, 1, n - 1, StandardCharsets.ISO_8859_1);
  }

  @Override
  public char type(int index) {
    return (char) b[tokenStart[b[start[index]] & 0xff]];
  }

  @Override
  public int hash(int index) {
    int hash = HASH_SEED;
    int skip = 1;
    for (int i = start[index], end = i + count[index]; i < end; i++) {
      int token = b[i] & 0xff;
      int from = tokenStart[token];
      for (int k = from + skip, stop = from + tokenLength[token]; k < stop; k++) {
        hash = SymbolNames.step(hash, b[k]);
      }
      skip = 0;
    }
    return hash;
  }

  @Override
  public boolean matches(int index, byte[] name) {
    int n = 0;
    int skip = 1;
    for (int i = start[index], end = i + count[index]; i < end; i++) {
      int token = b[i] & 0xff;
      int from = tokenStart[token] + skip;
      int length = tokenLength[token] - skip;
      if (n + length > name.length || !Arrays.equals(b, from, from + length, name, n, n + length)) {
        return false;
      }
      n += length;
      skip = 0;
    }
    return n == name.length;
  }
}
