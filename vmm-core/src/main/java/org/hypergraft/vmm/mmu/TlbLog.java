package org.hypergraft.vmm.mmu;

import java.util.BitSet;

/**
 * What was put into a TLB since the last flush, so that a flush touches only what it must: the
 * entries filled from non-global pages, and, hashed, the regions covered by large pages and the
 * pages executed from.
 */
final class TlbLog {
  /** Answers of {@link #largeAt}. */
  static final int SMALL = 0;

  static final int MEGABYTES = 1;
  static final int GIGABYTE = 2;

  private static final int HASH_BITS = 1 << 16;

  private final int[] nonGlobal;
  private final boolean[] logged;
  private int size;
  private boolean nonGlobalExec;
  private final BitSet executed = new BitSet(HASH_BITS);
  private final BitSet megabytes = new BitSet(HASH_BITS);
  private final BitSet gigabytes = new BitSet(HASH_BITS);

  TlbLog(int entries) {
    nonGlobal = new int[entries];
    logged = new boolean[entries];
  }

  private static int hash(long number) {
    return (int) (number ^ number >>> 16) & HASH_BITS - 1;
  }

  /**
   * Notes a fill.
   *
   * @param shift log2 of the guest page's size
   */
  void fill(int entry, long page, boolean global, int shift) {
    if (!global && !logged[entry]) {
      logged[entry] = true;
      nonGlobal[size++] = entry;
    }
    if (shift > 12) {
      if (shift == 30) {
        gigabytes.set(hash(page >>> 30));
      } else {
        megabytes.set(hash(page >>> 22));
      }
    }
  }

  void fillExec(long page, boolean global) {
    executed.set(hash(page >>> 12));
    nonGlobalExec |= !global;
  }

  /** Size class of the largest page that may have been used at an address. */
  int largeAt(long la) {
    if (gigabytes.get(hash(la >>> 30))) {
      return GIGABYTE;
    }
    return megabytes.get(hash(la >>> 22)) ? MEGABYTES : SMALL;
  }

  /** Whether code of this address's page may have been translated. */
  boolean executed(long la) {
    return executed.get(hash(la >>> 12));
  }

  int size() {
    return size;
  }

  int get(int i) {
    return nonGlobal[i];
  }

  /**
   * Starts over for non-global pages; global ones stay noted.
   *
   * @return whether code was executed from a non-global page
   */
  boolean clearNonGlobal() {
    for (int i = 0; i < size; i++) {
      logged[nonGlobal[i]] = false;
    }
    size = 0;
    boolean exec = nonGlobalExec;
    nonGlobalExec = false;
    return exec;
  }

  void clear() {
    clearNonGlobal();
    executed.clear();
    megabytes.clear();
    gigabytes.clear();
  }
}
