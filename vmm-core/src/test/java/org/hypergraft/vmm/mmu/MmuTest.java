package org.hypergraft.vmm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.bus.MmioBus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The TLB's behaviour over time: what is cached, what forgets it, what is seen by whom. */
class MmuTest {
  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long PD = 0x3000;
  private static final long PT = 0x4000;
  private static final long PRESENT = 1;
  private static final long WRITE = 2;
  private static final long USER = 4;
  private static final long DIRTY = 0x60;
  private static final long LARGE = 0x80;
  private static final long GLOBAL = 0x100;

  private final GuestRam ram = new GuestRam(8 << 20);
  private final Device device = new Device();
  private final Mmu mmu = new Mmu(ram, device);

  /** Records accesses; reads give the address. */
  private static final class Device implements MmioBus {
    final List<String> seen = new ArrayList<>();

    @Override
    public long read(long gpa, int size) {
      seen.add("r" + size + "@" + Long.toHexString(gpa));
      return gpa;
    }

    @Override
    public void write(long gpa, int size, long value) {
      seen.add("w" + size + "@" + Long.toHexString(gpa) + "=" + Long.toHexString(value));
    }
  }

  @BeforeEach
  void map() {
    long rwx = PRESENT | WRITE | USER;
    ram.put64(PML4, PDPT | rwx);
    ram.put64(PDPT, PD | rwx);
    ram.put64(PD, PT | rwx);
    for (int i = 0; i < 512; i++) {
      ram.put64(PT + 8 * i, (long) i << 12 | PRESENT | WRITE);
    }
    longMode(Mmu.CR4_PGE);
  }

  @AfterEach
  void close() {
    mmu.close();
    ram.close();
  }

  private void longMode(long cr4) {
    assertTrue(
        mmu.control(
            Mmu.CR0_PE | Mmu.CR0_PG | Mmu.CR0_WP,
            PML4,
            cr4 | Mmu.CR4_PAE,
            Mmu.EFER_LME | Mmu.EFER_LMA | Mmu.EFER_NXE));
  }

  private void page(int index, long entry) {
    ram.put64(PT + 8 * index, entry);
  }

  private static GuestFault fault(Runnable r) {
    return assertThrows(GuestFault.class, r::run);
  }

  @Test
  void sizesRoundTripAtEveryOffsetAcrossAPageBoundary() {
    page(0x101, 0x30_0000 | PRESENT | WRITE); // neighbours in linear space only
    for (int offset = 0; offset < 20; offset++) {
      long la = 0x10_1000 - 10 + offset;
      mmu.write64(la, 0x1122_3344_5566_7788L);
      assertEquals(0x1122_3344_5566_7788L, mmu.read64(la));
      assertEquals(0x5566_7788L, mmu.read32(la));
      assertEquals(0x7788, mmu.read16(la));
      assertEquals(0x88, mmu.read8(la));
      mmu.write32(la, 0xa1a2_a3a4L);
      assertEquals(0x1122_3344_a1a2_a3a4L, mmu.rmw64(la));
      mmu.write16(la + 1, 0xb1b2);
      assertEquals(0xa1b1_b2a4L, mmu.rmw32(la));
      mmu.write8(la, 0xc1);
      assertEquals(0xb2c1, mmu.rmw16(la));
      assertEquals(0xc1, mmu.rmw8(la));
      long[] x = new long[2];
      mmu.write128(la, 0x0102_0304_0506_0708L, 0x1112_1314_1516_1718L);
      mmu.read128(la, x, 0);
      assertEquals(0x0102_0304_0506_0708L, x[0]);
      assertEquals(0x1112_1314_1516_1718L, x[1]);
    }
    assertEquals(mmu.read64(0x10_1000), ram.u64(0x30_0000));
  }

  @Test
  void crossingWriteThatFaultsOnTheSecondPageWritesNothing() {
    page(0x101, 0);
    ram.put64(0x10_0ff8, 0x7777_7777_7777_7777L);
    GuestFault f = fault(() -> mmu.write64(0x10_0ffc, -1));
    assertEquals(0x10_1000, f.address);
    assertEquals(2, f.errorCode);
    f = fault(() -> mmu.write128(0x10_0ff8, -1, -1));
    assertEquals(0x10_1000, f.address);
    assertEquals(0x7777_7777_7777_7777L, ram.u64(0x10_0ff8));
    page(0x100, 0);
    mmu.flushPage(0x10_0000);
    assertEquals(0x10_0ffc, fault(() -> mmu.read64(0x10_0ffc)).address);
  }

  @Test
  void nonCanonicalAddressesAreGeneralProtection() {
    for (long la : new long[] {1L << 47, 0xffff_7fff_ffff_ffffL, 0x1234_0000_0000_0000L}) {
      GuestFault f = fault(() -> mmu.read8(la));
      assertEquals(GuestFault.GP, f.vector);
      assertEquals(0, f.errorCode);
      assertTrue(f.nonCanonical);
    }
    // The last canonical byte is unmapped, the next one is not canonical.
    assertEquals(GuestFault.PF, fault(() -> mmu.read8((1L << 47) - 1)).vector);
  }

  /** Machines of one process share nothing: a caught fault stays what it was. */
  @Test
  void faultsAreNotReused() {
    page(0x101, 0);
    GuestFault page = fault(() -> mmu.write64(0x10_1008, -1));
    GuestFault general = fault(() -> mmu.read8(1L << 47));
    assertEquals(GuestFault.PF, page.vector);
    assertEquals(0x10_1008, page.address);
    assertEquals(2, page.errorCode);
    assertFalse(page.nonCanonical);
    assertTrue(general.nonCanonical);
    assertEquals(0, general.address);
  }

  @Test
  void memoryIsZeroedThoughItWasUsedBefore() {
    for (int i = 0; i < 8; i++) {
      try (GuestRam fresh = new GuestRam(8 << 20)) {
        for (long gpa = 0x800; gpa < fresh.size(); gpa += 0x1000) {
          assertEquals(0, fresh.u64(gpa));
          fresh.put64(gpa, -1);
        }
      }
    }
  }

  @Test
  void watchedAccessesRestartAndAreThenReported() {
    mmu.write64(0x10_0000, 7); // in the TLB already
    List<String> seen = new ArrayList<>();
    DataWatch.Range range = new DataWatch.Range(0x10_0004, 2, false, true);
    DataWatch.Listener listener =
        (r, la, write) -> seen.add((write ? "write " : "read ") + Long.toHexString(la));
    mmu.watch(range, listener);
    assertEquals(7, mmu.read64(0x10_0000));
    mmu.write32(0x10_0000, 8);
    mmu.write16(0x10_0006, 0);
    assertThrows(MmioRestart.class, () -> mmu.write64(0x10_0000, -1));
    assertThrows(MmioRestart.class, () -> mmu.rmw8(0x10_0005));
    assertEquals(8, mmu.read64(0x10_0000), "a restarted write has written nothing");
    assertEquals(0, mmu.hostWrite(0x10_0100), "string instructions go by elements");
    assertEquals(List.of(), seen);
    mmu.exact = true;
    mmu.write8(0x10_0004, mmu.rmw8(0x10_0004));
    mmu.write64(0x10_0ffc, 0); // into the next page
    assertEquals(List.of("write 100004"), seen);
    mmu.exact = false;
    mmu.unwatch(range, listener);
    mmu.write64(0x10_0000, 9);
    assertNotEquals(0, mmu.hostWrite(0x10_0100));
    assertEquals(1, seen.size());
  }

  @Test
  void staleTranslationsLastUntilFlushed() {
    ram.put64(0x10_0000, 1);
    ram.put64(0x20_0000, 2);
    assertEquals(1, mmu.read64(0x10_0000));
    page(0x100, 0x20_0000 | PRESENT | WRITE);
    assertEquals(1, mmu.read64(0x10_0000));
    mmu.flushPage(0x10_0123);
    assertEquals(2, mmu.read64(0x10_0000));
  }

  @Test
  void globalPagesSurviveCr3ButNotInvlpg() {
    ram.put64(0x10_0000, 1);
    ram.put64(0x20_0000, 2);
    page(0x100, 0x10_0000 | PRESENT | GLOBAL);
    page(0x101, 0x10_0000 | PRESENT);
    assertEquals(1, mmu.read64(0x10_0000));
    assertEquals(1, mmu.read64(0x10_1000));
    page(0x100, 0x20_0000 | PRESENT | GLOBAL);
    page(0x101, 0x20_0000 | PRESENT);
    assertTrue(mmu.cr3(PML4));
    assertEquals(1, mmu.read64(0x10_0000));
    assertEquals(2, mmu.read64(0x10_1000));
    mmu.flushPage(0x10_0000);
    assertEquals(2, mmu.read64(0x10_0000));
  }

  @Test
  void withoutPgeNothingIsGlobal() {
    longMode(0);
    page(0x100, 0x10_0000 | PRESENT | GLOBAL);
    ram.put64(0x20_0000, 2);
    assertEquals(0, mmu.read64(0x10_0000));
    page(0x100, 0x20_0000 | PRESENT | GLOBAL);
    assertTrue(mmu.cr3(PML4));
    assertEquals(2, mmu.read64(0x10_0000));
  }

  @Test
  void invlpgForgetsAWholeLargePage() {
    ram.put64(PD + 8, 0x20_0000 | PRESENT | WRITE | LARGE);
    ram.put64(0x20_0000, 5);
    ram.put64(0x2f_f000, 6);
    assertEquals(5, mmu.read64(0x20_0000));
    assertEquals(6, mmu.read64(0x2f_f000));
    ram.put64(PD + 8, 0x40_0000 | PRESENT | WRITE | LARGE);
    mmu.flushPage(0x2a_bcde);
    assertEquals(0, mmu.read64(0x20_0000));
    assertEquals(0, mmu.read64(0x2f_f000));
  }

  @Test
  void invlpgForgetsAWholeGigabytePage() {
    ram.put64(PDPT + 8, PRESENT | WRITE | LARGE);
    ram.put64(0x12_3000, 7);
    assertEquals(7, mmu.read64(0x4012_3000L));
    ram.put64(PDPT + 8, 0);
    mmu.flushPage(0x7fff_f000L);
    fault(() -> mmu.read64(0x4012_3000L));
  }

  @Test
  void execEpochMovesWhenCodeMayHaveMoved() {
    mmu.hostCode(0x10_0000);
    int before = mmu.execEpoch;
    mmu.read8(0x10_5000);
    mmu.flushPage(0x10_5000);
    assertEquals(before, mmu.execEpoch, "a data page");
    mmu.flushPage(0x10_0000);
    assertNotEquals(before, mmu.execEpoch, "a code page");
    mmu.hostCode(0x10_0000);
    before = mmu.execEpoch;
    mmu.cr3(PML4);
    assertNotEquals(before, mmu.execEpoch, "non-global code");
    page(0x100, 0x10_0000 | PRESENT | GLOBAL);
    mmu.flushPage(0x10_0000);
    mmu.hostCode(0x10_0000);
    before = mmu.execEpoch;
    mmu.cr3(PML4);
    assertEquals(before, mmu.execEpoch, "global code stays");
  }

  @Test
  void firstCodeInAPageTakesBackWriteAccess() {
    List<String> heard = new ArrayList<>();
    ram.codeListener((gpa, n) -> heard.add(Long.toHexString(gpa) + "+" + n));
    mmu.write32(0x10_0040, 1);
    ram.markCode(0x10_0040, 8);
    mmu.write32(0x10_0080, 2); // another line
    assertTrue(heard.isEmpty());
    mmu.write32(0x10_0044, 3);
    mmu.write32(0x10_003e, 4); // starts before, ends inside
    mmu.write64(0x10_0078, 5);
    ram.put8(0x10_007f, 6);
    ram.write(0x0f_fff0, new byte[0x60]);
    assertEquals(List.of("100044+4", "10003e+4", "100078+8", "10007f+1", "100000+80"), heard);
    assertEquals(0, mmu.hostWrite(0x10_0800));
    ram.resetCode(0x10_0000, 0);
    assertNotEquals(0, mmu.hostWrite(0x10_0800));
  }

  @Test
  void pageWalksThatSetBitsInTranslatedCodeAreReported() {
    List<Long> heard = new ArrayList<>();
    ram.codeListener((gpa, n) -> heard.add(gpa));
    ram.markCode(PT + 8 * 0x100, 8);
    mmu.read8(0x10_0000);
    assertEquals(List.of(PT + 8 * 0x100), heard);
  }

  @Test
  void cleanPagesBecomeDirtyOnFirstWrite() {
    mmu.read8(0x10_0000);
    assertEquals(0x20, ram.u64(PT + 0x800) & DIRTY);
    mmu.rmw8(0x10_0000);
    assertEquals(DIRTY, ram.u64(PT + 0x800) & DIRTY);
  }

  @Test
  void devicesNeedAnExactClock() {
    page(0x100, 0xfee0_0000L | PRESENT | WRITE);
    assertThrows(MmioRestart.class, () -> mmu.read32(0x10_0020));
    assertThrows(MmioRestart.class, () -> mmu.write32(0x10_0020, 1));
    assertThrows(MmioRestart.class, () -> mmu.rmw32(0x10_0020));
    assertThrows(MmioRestart.class, () -> mmu.write64(0x0f_fffc, 1));
    assertTrue(device.seen.isEmpty());
    assertEquals(0, mmu.hostRead(0x10_0000));
    assertEquals(0, mmu.hostWrite(0x10_0000));
    assertEquals(0, mmu.hostCode(0x10_0000));
    mmu.exact = true;
    assertEquals(0xfee0_0020L, mmu.read32(0x10_0020));
    mmu.write16(0x10_0030, 0x1_2345);
    assertEquals(0xfee0_0040L, mmu.rmw32(0x10_0040));
    assertEquals(List.of("r4@fee00020", "w2@fee00030=2345", "r4@fee00040"), device.seen);
  }

  @Test
  void bulkPointersReachTheSameBytes() {
    page(0x100, 0x20_0000 | PRESENT | WRITE);
    long host = mmu.hostWrite(0x10_0123);
    GuestRam.U.putByte(host, (byte) 0x5a);
    assertEquals(0x5a, ram.u8(0x20_0123));
    assertEquals(host, mmu.hostRead(0x10_0123));
    assertEquals(0x20_0123, mmu.gpaOf(host));
  }

  @Test
  void implicitAccessesAreSupervisorAccesses() {
    longMode(Mmu.CR4_SMAP);
    page(0x100, 0x10_0000 | PRESENT);
    page(0x101, 0x10_1000 | PRESENT | USER);
    mmu.privilege(3, true);
    fault(() -> mmu.read8(0x10_0000));
    mmu.read8(0x10_1000);
    mmu.beginSystem();
    mmu.read8(0x10_0000);
    assertEquals(1, fault(() -> mmu.read8(0x10_1000)).errorCode, "SMAP, whatever AC says");
    mmu.endSystem();
    fault(() -> mmu.read8(0x10_0000));
  }

  @Test
  void ramContinuesAt4GiB() {
    long size = GuestRam.LOW_LIMIT + (16 << 20);
    try (GuestRam big = new GuestRam(size);
        Mmu m = new Mmu(big, device)) {
      assertEquals(16 << 20, big.highSize());
      assertFalse(big.contains(GuestRam.LOW_LIMIT, 1));
      assertTrue(big.contains(GuestRam.HIGH_START, 16 << 20));
      assertFalse(big.contains(GuestRam.LOW_LIMIT - 1, 2));
      big.put64(GuestRam.HIGH_START + 0x1000, 77);
      assertEquals(77, big.u64(GuestRam.HIGH_START + 0x1000));
      assertEquals(GuestRam.HIGH_START + 0x1000, big.gpa(big.host(GuestRam.HIGH_START + 0x1000)));
      assertThrows(IndexOutOfBoundsException.class, () -> big.put8(GuestRam.LOW_LIMIT, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> big.bytes(-1, 1));
      assertThrows(
          IndexOutOfBoundsException.class, () -> big.u64(GuestRam.HIGH_START + (16 << 20) - 7));
      m.write8(0x1000, 1);
      assertEquals(1, big.u8(0x1000));
    }
  }

  @Test
  void pagesThatShareAnEntryDoNotMixUp() {
    // 2^36 apart and adjacent: index arithmetic carries here.
    long high = 1L << 36;
    ram.put64(PDPT + 8 * 64, PD | PRESENT | WRITE);
    ram.put64(PDPT + 8 * 63, 0x5000 | PRESENT | WRITE);
    ram.put64(0x5000 + 8 * 511, 0x6000 | PRESENT | WRITE);
    ram.put64(0x6000 + 8 * 511, 0x30_0000 | PRESENT | WRITE);
    mmu.write64(high - 4, 0x1111_2222_3333_4444L);
    mmu.read8(high);
    assertEquals(0x1111_2222_3333_4444L, mmu.read64(high - 4));
    assertEquals(0x3333_4444, ram.u32(0x30_0ffc));
    assertEquals(0x1111_2222, ram.u32(0));
  }
}
