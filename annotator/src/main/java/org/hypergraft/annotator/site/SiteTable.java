package org.hypergraft.annotator.site;

/** A table that annotates code, entries in file order. */
public interface SiteTable {
  /** Where it lies. */
  Extent extent();

  /** Number of entries; padding is not counted. */
  int entries();

  /** Bytes from one entry to the next. */
  int entrySize();

  /** Link address of the code that entry {@code i} annotates. */
  long address(int i);

  /** Bytes of code that entry {@code i} covers. */
  int length(int i);

  /** Its name, such as {@code .altinstructions}. */
  default String name() {
    return extent().name();
  }
}
