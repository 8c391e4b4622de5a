package org.hypergraft.annotator.site;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The sites that boot-time patching may rewrite, by address: a site of several tables, or several
 * sites that overlap, are one range. Places that change again and again (static calls and branches,
 * the function tracer) and call sites, which keep their bytes, are not in it.
 */
public final class SiteIndex {
  private static final Set<AddressTable.Kind> REWRITTEN =
      EnumSet.of(
          AddressTable.Kind.RETPOLINE_SITES,
          AddressTable.Kind.RETURN_SITES,
          AddressTable.Kind.IBT_ENDBR_SEAL,
          AddressTable.Kind.SMP_LOCKS);

  private final SiteMap sites;
  private final List<SiteTable> tables = new ArrayList<>();
  private final long[] start;
  private final int[] length;
  private final byte[] table;
  private final int[] entry;
  private final int count;

  public SiteIndex(SiteMap sites) {
    this.sites = sites;
    sites.paravirt().ifPresent(tables::add);
    sites.alternatives().ifPresent(tables::add);
    for (AddressTable.Kind k : REWRITTEN) {
      sites.addresses(k).ifPresent(tables::add);
    }
    int n = tables.stream().mapToInt(SiteTable::entries).sum();
    // Sorted by code position, then table, then entry, packed into one word each.
    long[] keys = new long[n];
    int k = 0;
    for (int t = 0; t < tables.size(); t++) {
      for (int i = 0; i < tables.get(t).entries(); i++) {
        long at = sites.code().offsetOf(tables.get(t).address(i), 1);
        keys[k++] = at << 32 | (long) t << 28 | i;
      }
    }
    Arrays.sort(keys);
    start = new long[n];
    length = new int[n];
    table = new byte[n];
    entry = new int[n];
    int out = -1;
    for (long key : keys) {
      int t = (int) (key >>> 28) & 15;
      int i = (int) key & 0xfff_ffff;
      long address = tables.get(t).address(i);
      int size = tables.get(t).length(i);
      if (out >= 0 && address >= start[out] && address < start[out] + length[out]) {
        length[out] = (int) Math.max(length[out], address + size - start[out]);
      } else {
        out++;
        start[out] = address;
        length[out] = size;
        table[out] = (byte) t;
        entry[out] = i;
      }
    }
    count = out + 1;
  }

  /** Number of ranges. */
  public int size() {
    return count;
  }

  /** Link address of range {@code i}; ranges are ordered by their place in the file. */
  public long address(int i) {
    return start[i];
  }

  public int length(int i) {
    return length[i];
  }

  /** The first table that names range {@code i}. */
  public String table(int i) {
    return tables.get(table[i]).name();
  }

  /** What range {@code i} is for. */
  public String operation(int i) {
    SiteTable t = tables.get(table[i]);
    if (t instanceof AlternativeTable a) {
      int from = entry[i];
      while (from > 0 && a.address(from - 1) == a.address(from)) {
        from--;
      }
      return sites.operation(a, from, a.groupEnd(from));
    }
    return sites.operation(t, entry[i]);
  }

  /** The range around a code address, or -1. */
  public int covering(long address) {
    int low = 0;
    int high = count;
    long at = sites.code().offsetOf(address, 1);
    if (at < 0) {
      return -1;
    }
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (sites.code().offsetOf(start[mid], 1) <= at) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    int i = low - 1;
    return i >= 0 && address >= start[i] && address < start[i] + length[i] ? i : -1;
  }
}
