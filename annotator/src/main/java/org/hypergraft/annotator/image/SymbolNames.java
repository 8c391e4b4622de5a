package org.hypergraft.annotator.image;

/**
 * Names of the symbols of a table in address order, readable without building a String each: a
 * kernel has some 200,000.
 */
interface SymbolNames {
  int HASH_SEED = 0x811c9dc5;

  String name(int index);

  /** The nm letter. */
  char type(int index);

  /** {@link #step} over the name's bytes, from {@link #HASH_SEED}. */
  int hash(int index);

  boolean matches(int index, byte[] name);

  /** Stated size in bytes, or 0 when the table states none. */
  default long size(int index) {
    return 0;
  }

  /** FNV-1a, one byte. */
  static int step(int hash, byte b) {
    return (hash ^ (b & 0xff)) * 0x01000193;
  }
}
