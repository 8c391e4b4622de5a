package org.hypergraft.vmm.mmu;

import java.util.ArrayList;
import java.util.List;

/**
 * Translates linear addresses by walking the guest's page tables: no paging, 32-bit, PAE, 4-level
 * and 5-level paging as in Intel SDM vol. 3 chapter 4. Page-table entries are read from RAM each
 * time; caching is the TLB's business.
 */
final class PageWalker {
  /** Kinds of access. */
  static final int READ = 0;

  static final int WRITE = 1;
  static final int EXEC = 2;

  /**
   * Who accesses: a supervisor that may not read or write user pages (SMAP in force), one that may,
   * or user code.
   */
  static final int SUPERVISOR = 0;

  static final int SUPERVISOR_USER_DATA = 1;
  static final int USER = 2;

  /** Page-fault error code bits, SDM vol. 3 section 4.7. */
  static final int ERR_PRESENT = 1;

  static final int ERR_WRITE = 2;
  static final int ERR_USER = 4;
  static final int ERR_RESERVED = 8;
  static final int ERR_FETCH = 16;

  /** Paging-structure entry bits, SDM vol. 3 tables 4-5 to 4-20. */
  private static final long PRESENT = 1;

  private static final long WRITABLE = 1 << 1;
  private static final long USER_PAGE = 1 << 2;
  private static final long ACCESSED = 1 << 5;
  private static final long DIRTY = 1 << 6;
  private static final long LARGE = 1 << 7;
  private static final long GLOBAL = 1 << 8;
  private static final long NO_EXECUTE = 1L << 63;

  /** Physical addresses reach bit 51 at most. */
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  private final GuestRam ram;
  private final boolean gigabytePages;

  /** Bits 51..MAXPHYADDR, reserved in every 64-bit entry. */
  private final long reservedHigh;

  private final int physicalBits;

  // Control state, see set().
  private int levels;
  private boolean wide;
  private boolean pse;
  private boolean pge;
  private boolean nxe;
  private boolean smep;
  private boolean writeProtect;
  private boolean fetchBit;
  private long root;

  /** PAE page-directory-pointer registers, loaded with CR3. */
  private final long[] pdpte = new long[4];

  // Result of the last successful walk.
  long gpa;

  /** Log2 of the page size. */
  int shift;

  boolean global;

  /** A write by the same domain would succeed and need no page-table update. */
  boolean writableAndDirty;

  /** Walks done since creation. */
  long walks;

  /** Address and value of each entry visited, for {@link #trace}. */
  private List<Step> tracing;

  /** One paging-structure entry visited by a walk. */
  record Step(int level, long entryAddress, long entry) {}

  /**
   * @param physicalBits MAXPHYADDR, 32-52
   */
  PageWalker(GuestRam ram, int physicalBits, boolean gigabytePages) {
    if (physicalBits < 32 || physicalBits > 52) {
      throw new IllegalArgumentException("MAXPHYADDR " + physicalBits + ": expected 32 to 52");
    }
    this.ram = ram;
    this.physicalBits = physicalBits;
    this.gigabytePages = gigabytePages;
    reservedHigh = ADDRESS & (-1L << physicalBits);
  }

  /** Takes over control registers; the page tables are not touched. */
  void set(long cr0, long cr3, long cr4, long efer) {
    boolean paging = (cr0 & Mmu.CR0_PG) != 0;
    boolean pae = (cr4 & Mmu.CR4_PAE) != 0;
    boolean longMode = (efer & Mmu.EFER_LMA) != 0;
    wide = longMode;
    if (!paging) {
      levels = 0;
    } else if (longMode) {
      levels = (cr4 & Mmu.CR4_LA57) != 0 ? 5 : 4;
    } else {
      levels = pae ? 3 : 2;
    }
    pse = (cr4 & Mmu.CR4_PSE) != 0;
    pge = (cr4 & Mmu.CR4_PGE) != 0;
    nxe = (efer & Mmu.EFER_NXE) != 0 && pae;
    smep = (cr4 & Mmu.CR4_SMEP) != 0;
    writeProtect = (cr0 & Mmu.CR0_WP) != 0;
    fetchBit = smep || nxe;
    root = longMode ? cr3 & ADDRESS : cr3 & 0xffff_f000L;
  }

  /** Whether translation goes through the PAE page-directory-pointer registers. */
  static boolean usesPdptes(long cr0, long cr4, long efer) {
    return (cr0 & Mmu.CR0_PG) != 0 && (cr4 & Mmu.CR4_PAE) != 0 && (efer & Mmu.EFER_LMA) == 0;
  }

  /**
   * Loads the four PAE page-directory-pointer registers from the table CR3 names (SDM vol. 3
   * section 4.4.1).
   *
   * @return false, with the registers unchanged, if a present one has reserved bits set
   */
  boolean loadPdptes(long cr3) {
    long table = cr3 & 0xffff_ffe0L;
    long reserved = ~ADDRESS & ~0xfffL | reservedHigh | 0x1e6;
    long[] fresh = new long[4];
    for (int i = 0; i < 4; i++) {
      fresh[i] = entry64(table + 8L * i);
      if ((fresh[i] & PRESENT) != 0 && (fresh[i] & reserved) != 0) {
        return false;
      }
    }
    System.arraycopy(fresh, 0, pdpte, 0, 4);
    return true;
  }

  int physicalBits() {
    return physicalBits;
  }

  /** Whether a linear address is canonical in the current mode. */
  boolean canonical(long la) {
    if (!wide) {
      return la >>> 32 == 0;
    }
    int unused = levels == 5 ? 7 : 16;
    return la << unused >> unused == la;
  }

  /**
   * Translates and sets accessed and dirty bits; the result is in the fields.
   *
   * @throws GuestFault a page fault with its exact error code
   */
  void walk(long la, int access, int domain) {
    walks++;
    int code = walk(la, access, domain, true);
    if (code >= 0) {
      throw GuestFault.page(la, code);
    }
  }

  /** GPA of a linear address for inspection: no permission checks, no side effects; -1 = none. */
  long probe(long la) {
    return canonical(la) && walk(la, READ, SUPERVISOR_USER_DATA, false) < 0 ? gpa : -1;
  }

  /** The entries a walk meets, outermost first. */
  List<Step> trace(long la) {
    List<Step> steps = new ArrayList<>();
    tracing = steps;
    try {
      probe(la);
    } finally {
      tracing = null;
    }
    return steps;
  }

  /**
   * @return error code of the page fault, or -1 for success
   */
  private int walk(long la, int access, int domain, boolean update) {
    return switch (levels) {
      case 0 -> {
        gpa = la & 0xffff_ffffL;
        shift = 12;
        global = true;
        writableAndDirty = true;
        yield -1;
      }
      case 2 -> walk32(la, access, domain, update);
      default -> walk64(la, access, domain, update);
    };
  }

  private int walk64(long la, int access, int domain, boolean update) {
    long e0 = 0;
    long e1 = 0;
    long e2 = 0;
    long e3 = 0; // addresses of the non-leaf entries visited
    int level = levels;
    long table = root;
    long allow = WRITABLE | USER_PAGE;
    long deny = 0;
    if (level == 3) {
      long p = pdpte[(int) (la >>> 30) & 3];
      if (tracing != null) {
        tracing.add(new Step(3, -1, p));
      }
      if ((p & PRESENT) == 0) {
        return fault(0, access, domain);
      }
      table = p & ADDRESS;
      level = 2;
    }
    while (true) {
      int bits = 3 + 9 * level;
      long at = table + ((la >>> bits & 0x1ff) << 3);
      long e = entry64(at);
      if (tracing != null) {
        tracing.add(new Step(level, at, e));
      }
      if ((e & PRESENT) == 0) {
        return fault(0, access, domain);
      }
      boolean leaf = level == 1 || (e & LARGE) != 0 && level <= 3;
      if ((e & reserved(level, e, leaf)) != 0) {
        return fault(ERR_PRESENT | ERR_RESERVED, access, domain);
      }
      allow &= e;
      deny |= e & NO_EXECUTE;
      if (!leaf) {
        e0 = e1;
        e1 = e2;
        e2 = e3;
        e3 = at;
        table = e & ADDRESS;
        level--;
        continue;
      }
      if (!permitted(allow, deny, access, domain)) {
        return fault(ERR_PRESENT, access, domain);
      }
      if (update) {
        accessed64(e0);
        accessed64(e1);
        accessed64(e2);
        accessed64(e3);
        long dirty = access == WRITE ? DIRTY | ACCESSED : ACCESSED;
        if ((e & dirty) != dirty) {
          e |= dirty;
          ram.put64(at, e);
        }
      }
      long offset = (1L << bits) - 1;
      gpa = e & ADDRESS & ~offset | la & offset;
      finish(bits, allow, e, domain);
      return -1;
    }
  }

  private long reserved(int level, long e, boolean leaf) {
    long r = reservedHigh;
    if (!nxe) {
      r |= NO_EXECUTE;
    }
    if (!wide) {
      r |= 0x7ff0_0000_0000_0000L; // PAE: bits 62:52
    }
    if (level > 3 || level == 3 && !gigabytePages) {
      return r | LARGE;
    }
    if (leaf && level > 1) {
      r |= (1L << (3 + 9 * level)) - (1 << 13); // between the PAT bit and the frame
    }
    return r;
  }

  private int walk32(long la, int access, int domain, boolean update) {
    long at = root + (la >>> 22 << 2);
    int pde = entry32(at);
    if (tracing != null) {
      tracing.add(new Step(2, at, pde & 0xffff_ffffL));
    }
    if ((pde & PRESENT) == 0) {
      return fault(0, access, domain);
    }
    long allow = pde & (WRITABLE | USER_PAGE);
    int e = pde;
    int bits = 12;
    long directoryAt = -1;
    if (pse && (pde & LARGE) != 0) {
      bits = 22;
      // PSE-36: bits 20:13 are address bits 39:32; those past MAXPHYADDR and bit 21 are reserved.
      int extra = Math.min(physicalBits, 40) - 32;
      long r = 0x3f_e000 & (-1L << (13 + extra));
      if ((pde & r) != 0) {
        return fault(ERR_PRESENT | ERR_RESERVED, access, domain);
      }
      gpa = (pde & 0x1f_e000L) << 19 | pde & 0xffc0_0000L | la & 0x3f_ffff;
    } else {
      long pteAt = (pde & 0xffff_f000L) + ((la >>> 12 & 0x3ff) << 2);
      e = entry32(pteAt);
      if (tracing != null) {
        tracing.add(new Step(1, pteAt, e & 0xffff_ffffL));
      }
      if ((e & PRESENT) == 0) {
        return fault(0, access, domain);
      }
      allow &= e;
      gpa = e & 0xffff_f000L | la & 0xfff;
      directoryAt = at;
      at = pteAt;
    }
    if (!permitted(allow, 0, access, domain)) {
      return fault(ERR_PRESENT, access, domain);
    }
    if (update && directoryAt >= 0 && (pde & ACCESSED) == 0) {
      ram.put32(directoryAt, pde | (int) ACCESSED);
    }
    int dirty = (int) (access == WRITE ? DIRTY | ACCESSED : ACCESSED);
    if (update && (e & dirty) != dirty) {
      e |= dirty;
      ram.put32(at, e);
    }
    finish(bits, allow, e, domain);
    return -1;
  }

  /** SDM vol. 3 section 4.6.1. */
  private boolean permitted(long allow, long deny, int access, int domain) {
    boolean userPage = (allow & USER_PAGE) != 0;
    if (access == EXEC) {
      return deny == 0 && (domain == USER ? userPage : !(smep && userPage));
    }
    if (domain == USER ? !userPage : userPage && domain == SUPERVISOR) {
      return false;
    }
    return access == READ || (allow & WRITABLE) != 0 || domain != USER && !writeProtect;
  }

  private void finish(int bits, long allow, long leaf, int domain) {
    shift = bits;
    global = pge && (leaf & GLOBAL) != 0;
    writableAndDirty = (leaf & DIRTY) != 0 && permitted(allow, 0, WRITE, domain);
  }

  private int fault(int present, int access, int domain) {
    int code = present;
    if (access == WRITE) {
      code |= ERR_WRITE;
    }
    if (domain == USER) {
      code |= ERR_USER;
    }
    if (access == EXEC && fetchBit) {
      code |= ERR_FETCH;
    }
    return code;
  }

  private void accessed64(long at) {
    if (at != 0) {
      long e = GuestRam.U.getLong(ram.host(at));
      if ((e & ACCESSED) == 0) {
        ram.put64(at, e | ACCESSED);
      }
    }
  }

  /** Tables outside RAM read as all ones, like any unclaimed address. */
  private long entry64(long at) {
    long host = ram.host(at);
    return host == 0 ? -1 : GuestRam.U.getLong(host);
  }

  private int entry32(long at) {
    long host = ram.host(at);
    return host == 0 ? -1 : GuestRam.U.getInt(host);
  }
}
