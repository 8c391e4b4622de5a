package org.hypergraft.vmm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The MMU against {@link ReferencePaging}: every mode, level, permission and control bit. */
class PagingMatrixTest {
  private static final int PHYSICAL_BITS = 36;
  private static final long ROOT = 0x1000;
  private static final long LA = 0x0000_0000_0040_3010L;

  /** Where translations lead: 4 KiB frame, 2 or 4 MiB frame, 1 GiB frame. */
  private static final long FRAME = 0x9000;

  private static final long LARGE_FRAME = 0x40_0000;
  private static final long HUGE_FRAME = 0;

  private static GuestRam ram;
  private static Mmu mmu;
  private static int compared;

  @BeforeAll
  static void create() {
    ram = new GuestRam(16 << 20);
    mmu = new Mmu(ram, Unclaimed.BUS, PHYSICAL_BITS, true);
    for (long page = 0x10_0000; page < ram.size(); page += 4096) {
      ram.put64(page + 16, page);
    }
  }

  @AfterAll
  static void close() {
    mmu.close();
    ram.close();
  }

  private static void control(ReferencePaging.Mode m) {
    long cr0 = Mmu.CR0_PE | Mmu.CR0_PG | (m.wp() ? Mmu.CR0_WP : 0);
    long cr4 =
        (m.smep() ? Mmu.CR4_SMEP : 0)
            | (m.smap() ? Mmu.CR4_SMAP : 0)
            | (m.pse() ? Mmu.CR4_PSE : 0)
            | (m.levels() > 2 ? Mmu.CR4_PAE : 0)
            | (m.levels() == 5 ? Mmu.CR4_LA57 : 0);
    long efer = (m.nxe() ? Mmu.EFER_NXE : 0) | (m.levels() > 3 ? Mmu.EFER_LME | Mmu.EFER_LMA : 0);
    assertTrue(mmu.control(cr0, ROOT, cr4, efer));
  }

  /**
   * Lays a path of tables for LA.
   *
   * @param leaf level whose entry maps the page
   * @param extra bits to set or clear per level (index = level), applied with exclusive or
   */
  private static void tables(ReferencePaging.Mode m, int leaf, long[] extra) {
    int bits = m.levels() == 2 ? 10 : 9;
    long table = ROOT;
    for (int level = m.levels(); level >= leaf; level--) {
      long next = ROOT + 4096L * (m.levels() - level + 1);
      long target = level == leaf ? frame(level) : next;
      long e = target | 7 | (level == leaf && level > 1 ? 0x80 : 0);
      if (m.levels() == 3 && level == 3) {
        e = next | 1;
      } else {
        e ^= extra[level];
      }
      int shift = 12 + bits * (level - 1);
      long at = table + (LA >>> shift & (1L << bits) - 1) * m.entrySize();
      if (m.entrySize() == 4) {
        ram.put32(at, (int) e);
      } else {
        ram.put64(at, e);
      }
      table = next;
    }
  }

  private static long frame(int level) {
    return level == 1 ? FRAME : level == 2 ? LARGE_FRAME : HUGE_FRAME;
  }

  private static long[] pdptes() {
    long[] p = new long[4];
    for (int i = 0; i < 4; i++) {
      p[i] = ram.u64(ROOT + 8L * i);
    }
    return p;
  }

  /**
   * Runs reads, writes and fetches from one TLB state in the order given, each against the rules.
   */
  private static void compare(ReferencePaging.Mode m, int leaf, long[] extra, int order) {
    tables(m, leaf, extra);
    control(m);
    String where = m + " leaf " + leaf + " entries " + java.util.Arrays.toString(extra);
    for (int i = 0; i < 6; i++) {
      int which = (order + i * 5) % 12;
      boolean user = (which & 1) != 0;
      boolean ac = (which & 2) != 0;
      int kind = which / 4;
      ReferencePaging.Access a = new ReferencePaging.Access(LA, kind == 1, kind == 2, user, ac);
      ReferencePaging.Outcome expected =
          ReferencePaging.translate(ram, m, ROOT, m.levels() == 3 ? pdptes() : null, a);
      check(where, a, expected);
      compared++;
    }
  }

  private static void check(
      String where, ReferencePaging.Access a, ReferencePaging.Outcome expected) {
    mmu.privilege(a.user() ? 3 : 0, a.ac());
    String what = where + " " + a;
    long value = 0;
    try {
      if (a.fetch()) {
        long host = mmu.hostCode(a.la());
        value = host == 0 ? -1 : GuestRam.U.getLong(host);
      } else if (a.write()) {
        value =
            expected.faults() || !ram.contains(expected.gpa(), 8) ? -1 : ram.u64(expected.gpa());
        mmu.exact = true;
        mmu.write64(a.la(), value);
      } else {
        mmu.exact = true;
        value = mmu.read64(a.la());
      }
    } catch (GuestFault f) {
      assertEquals(GuestFault.PF, f.vector, what);
      assertEquals(a.la(), f.address, what);
      if (!expected.faults()) {
        fail(what + ": unexpected page fault, error code " + f.errorCode);
      }
      assertEquals(expected.errorCode(), f.errorCode, what);
      return;
    }
    if (expected.faults()) {
      fail(what + ": no page fault, expected error code " + expected.errorCode());
    }
    if (ram.contains(expected.gpa(), 8)) {
      assertEquals(ram.u64(expected.gpa()), value, what);
      assertEquals(expected.gpa(), mmu.translate(a.la()), what);
    }
    List<Long> entries = expected.entries();
    for (int i = 0; i < entries.size(); i++) {
      int low = ram.u32(entries.get(i));
      assertTrue((low & 0x20) != 0, what + ": accessed bit of entry " + i);
      if (i == entries.size() - 1 && a.write()) {
        assertTrue((low & 0x40) != 0, what + ": dirty bit");
      }
    }
  }

  private static List<ReferencePaging.Mode> modes() {
    List<ReferencePaging.Mode> all = new ArrayList<>();
    for (int levels = 2; levels <= 5; levels++) {
      for (int bits = 0; bits < 16; bits++) {
        all.add(
            new ReferencePaging.Mode(
                levels,
                (bits & 1) != 0,
                (bits & 2) != 0,
                (bits & 4) != 0,
                (bits & 8) != 0,
                true,
                PHYSICAL_BITS));
      }
    }
    return all;
  }

  private static int highestLeaf(int levels) {
    return levels <= 3 ? 2 : 3;
  }

  @Test
  void eachPermissionAtEachLevel() {
    compared = 0;
    int order = 0;
    for (ReferencePaging.Mode m : modes()) {
      for (int leaf = 1; leaf <= highestLeaf(m.levels()); leaf++) {
        for (int level = leaf; level <= m.levels(); level++) {
          for (int bits = 0; bits < 16; bits++) {
            long flip = bits & 7 | ((bits & 8) != 0 && m.levels() > 2 ? 1L << 63 : 0);
            long[] extra = new long[6];
            extra[level] = flip;
            compare(m, leaf, extra, order++);
            compare(m, leaf, extra, order++);
          }
        }
      }
    }
    assertTrue(compared > 50_000, "compared " + compared);
  }

  @Test
  void everyReservedBit() {
    int order = 0;
    for (ReferencePaging.Mode m : modes()) {
      for (int leaf = 1; leaf <= highestLeaf(m.levels()); leaf++) {
        for (int level = leaf; level <= m.levels(); level++) {
          // Not the bits of a next table's address: they would lead elsewhere.
          for (int bit = 7; bit < (m.levels() == 2 ? 32 : 64); bit++) {
            boolean frameBit =
                level > leaf || leaf == 1 || bit >= (m.levels() == 2 ? 22 : 3 + 9 * leaf);
            boolean addressBit = bit >= 12 && bit < PHYSICAL_BITS && frameBit;
            if (addressBit || bit == 7 && level == leaf) {
              continue;
            }
            long[] extra = new long[6];
            extra[level] = 1L << bit;
            if (bit == 7 && level <= highestLeaf(m.levels())) {
              continue; // a large page instead: covered as such
            }
            compare(m, leaf, extra, order++);
          }
        }
      }
    }
  }

  @Test
  void randomEntries() {
    Random random = new Random(20260101);
    List<ReferencePaging.Mode> modes = modes();
    for (int i = 0; i < 20_000; i++) {
      ReferencePaging.Mode m = modes.get(random.nextInt(modes.size()));
      int leaf = 1 + random.nextInt(highestLeaf(m.levels()));
      long[] extra = new long[6];
      for (int level = leaf; level <= m.levels(); level++) {
        long flags = random.nextInt(8) == 0 ? 1 : 0;
        flags |= random.nextInt(3) == 0 ? 2 : 0;
        flags |= random.nextInt(3) == 0 ? 4 : 0;
        flags |= random.nextLong() & 0x160; // accessed, dirty, global
        if (m.levels() > 2) {
          flags |= random.nextInt(6) == 0 ? 1L << 63 : 0;
          flags |= random.nextInt(20) == 0 ? 1L << (PHYSICAL_BITS + random.nextInt(16)) : 0;
        }
        extra[level] = flags;
      }
      compare(m, leaf, extra, random.nextInt(12));
    }
  }

  @Test
  void paePointersWithReservedBitsAreRefused() {
    ReferencePaging.Mode m =
        new ReferencePaging.Mode(3, true, false, false, true, true, PHYSICAL_BITS);
    tables(m, 1, new long[6]);
    control(m);
    for (int bit = 1; bit < 64; bit++) {
      boolean reserved = bit == 1 || bit == 2 || bit >= 5 && bit <= 8 || bit >= PHYSICAL_BITS;
      long pointer = ram.u64(ROOT);
      ram.put64(ROOT, pointer | 1L << bit);
      assertEquals(!reserved, mmu.cr3(ROOT), "bit " + bit);
      ram.put64(ROOT, pointer);
      // Not present: nothing is reserved.
      ram.put64(ROOT + 8, 1L << bit);
      assertTrue(mmu.cr3(ROOT));
      ram.put64(ROOT + 8, 0);
    }
  }

  /**
   * Descriptor tables, the TSS and stacks of handlers are reached as the supervisor, whoever runs;
   * SMAP then keeps them off user pages whatever AC says (SDM vol. 3, 4.6.1, implicit accesses).
   */
  @Test
  void implicitAccesses() {
    for (ReferencePaging.Mode m : modes()) {
      for (int bits = 0; bits < 8; bits++) {
        for (int cpl = 0; cpl <= 3; cpl += 3) {
          for (int access = 0; access < 4; access++) {
            boolean ac = (access & 1) != 0;
            boolean write = (access & 2) != 0;
            long[] extra = new long[6];
            extra[1] = bits;
            tables(m, 1, extra);
            control(m);
            // at CPL 0 the flag still decides, as for any access of the kernel
            ReferencePaging.Access a =
                new ReferencePaging.Access(LA, write, false, false, ac && cpl == 0);
            ReferencePaging.Outcome expected =
                ReferencePaging.translate(ram, m, ROOT, m.levels() == 3 ? pdptes() : null, a);
            mmu.privilege(cpl, ac);
            mmu.beginSystem();
            int code = -1;
            try {
              if (write) {
                mmu.write64(LA, 1);
              } else {
                mmu.read64(LA);
              }
            } catch (GuestFault f) {
              code = f.errorCode;
            } finally {
              mmu.endSystem();
            }
            String what = m + " entry " + (7 ^ bits) + " cpl " + cpl + " " + a;
            assertEquals(expected.faults() ? expected.errorCode() : -1, code, what);
          }
        }
      }
    }
  }

  @Test
  void pse36ReachesAbove4GiB() {
    ReferencePaging.Mode m =
        new ReferencePaging.Mode(2, true, false, false, false, true, PHYSICAL_BITS);
    tables(m, 2, new long[] {0, 0, 1 << 13, 0, 0, 0});
    control(m);
    assertEquals(0x1_0000_0000L | LARGE_FRAME | LA & 0x3f_ffff, mmu.translate(LA));
  }
}
