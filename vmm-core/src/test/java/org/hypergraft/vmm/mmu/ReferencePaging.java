package org.hypergraft.vmm.mmu;

import java.util.ArrayList;
import java.util.List;

/**
 * Paging as the tables of Intel SDM vol. 3 chapter 4 state it, written for clarity and
 * independently of {@link PageWalker}: collect the entries, then ask each rule of sections 4.6 and
 * 4.7 in turn.
 */
final class ReferencePaging {
  /** Control state. */
  record Mode(
      int levels,
      boolean wp,
      boolean smep,
      boolean smap,
      boolean nxe,
      boolean pse,
      int physicalBits) {
    int entrySize() {
      return levels == 2 ? 4 : 8;
    }
  }

  /** One access. */
  record Access(long la, boolean write, boolean fetch, boolean user, boolean ac) {}

  /** Outcome: an error code, or a GPA with the entries that get accessed (last: maybe dirty). */
  record Outcome(int errorCode, long gpa, List<Long> entries) {
    boolean faults() {
      return errorCode >= 0;
    }
  }

  private ReferencePaging() {}

  static Outcome translate(GuestRam ram, Mode m, long root, long[] pdptes, Access a) {
    List<Long> addresses = new ArrayList<>();
    List<Long> entries = new ArrayList<>();
    int bitsPerLevel = m.levels == 2 ? 10 : 9;
    long table = root;
    int level = m.levels;
    if (m.levels == 3) {
      long e = pdptes[(int) (a.la >>> 30) & 3];
      if ((e & 1) == 0) {
        return fault(m, a, false, false);
      }
      table = e & 0xf_ffff_ffff_f000L;
      level = 2;
    }
    while (true) {
      int shift = 12 + bitsPerLevel * (level - 1);
      long index = a.la >>> shift & (1L << bitsPerLevel) - 1;
      long at = table + index * m.entrySize();
      long e = m.levels == 2 ? ram.u32(at) & 0xffff_ffffL : ram.u64(at);
      if ((e & 1) == 0) {
        return fault(m, a, false, false);
      }
      if (reservedBitsSet(m, level, e)) {
        return fault(m, a, true, true);
      }
      addresses.add(at);
      entries.add(e);
      boolean page = level == 1 || (e & 0x80) != 0 && mapsPage(m, level);
      if (page) {
        if (!allowed(m, a, entries)) {
          return fault(m, a, true, false);
        }
        long offset = a.la & (1L << shift) - 1;
        return new Outcome(-1, frame(m, level, e, shift) | offset, addresses);
      }
      table = e & (m.levels == 2 ? 0xffff_f000L : 0xf_ffff_ffff_f000L);
      level--;
    }
  }

  private static boolean mapsPage(Mode m, int level) {
    return m.levels == 2 ? level == 2 && m.pse : level == 2 || level == 3 && m.levels >= 4;
  }

  private static long frame(Mode m, int level, long e, int shift) {
    if (m.levels == 2 && level == 2) {
      return (e & 0xffc0_0000L) | (e >>> 13 & 0xff) << 32; // table 4-4
    }
    return e & 0xf_ffff_ffff_ffffL & -(1L << shift);
  }

  /** Tables 4-4, 4-8 to 4-11 and 4-14 to 4-20. */
  private static boolean reservedBitsSet(Mode m, int level, long e) {
    boolean large = (e & 0x80) != 0;
    if (m.levels == 2) {
      if (level != 2 || !large || !m.pse) {
        return false;
      }
      for (int bit = 13; bit <= 21; bit++) {
        boolean addressBit = bit < 21 && bit + 19 < m.physicalBits;
        if (!addressBit && (e >>> bit & 1) != 0) {
          return true;
        }
      }
      return false;
    }
    for (int bit = m.physicalBits; bit < 52; bit++) {
      if ((e >>> bit & 1) != 0) {
        return true;
      }
    }
    if (m.levels == 3 && (e >>> 52 & 0x7ff) != 0) {
      return true;
    }
    if ((e >>> 63) != 0 && !m.nxe) {
      return true;
    }
    if (level >= 4) {
      return large;
    }
    if (large && level > 1) {
      long below = (1L << (level == 3 ? 30 : 21)) - 1;
      return (e & below & ~0x1fffL) != 0;
    }
    return false;
  }

  /** Section 4.6.1. */
  private static boolean allowed(Mode m, Access a, List<Long> entries) {
    boolean userPage = entries.stream().allMatch(e -> (e & 4) != 0);
    boolean writable = entries.stream().allMatch(e -> (e & 2) != 0);
    boolean executable = m.levels == 2 || entries.stream().allMatch(e -> (e >>> 63) == 0);
    if (a.user) {
      if (!userPage) {
        return false;
      }
      return a.fetch ? executable : !a.write || writable;
    }
    if (a.fetch) {
      return executable && !(userPage && m.smep);
    }
    if (userPage && m.smap && !a.ac) {
      return false;
    }
    return !a.write || writable || !m.wp;
  }

  /** Section 4.7. */
  private static Outcome fault(Mode m, Access a, boolean present, boolean reserved) {
    int code = present ? 1 : 0;
    code += a.write ? 2 : 0;
    code += a.user ? 4 : 0;
    code += reserved ? 8 : 0;
    boolean reported = m.smep || m.levels > 2 && m.nxe;
    code += a.fetch && reported ? 16 : 0;
    return new Outcome(code, 0, List.of());
  }
}
