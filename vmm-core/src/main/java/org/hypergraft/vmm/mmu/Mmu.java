package org.hypergraft.vmm.mmu;

import java.util.List;
import org.hypergraft.vmm.bus.MmioBus;
import sun.misc.Unsafe;

/**
 * A processor's view of memory: a software TLB in front of the {@link PageWalker}.
 *
 * <p>All accesses take linear addresses (the segment base already added, truncated to 32 bits
 * outside 64-bit code). They throw {@link GuestFault} (page fault, or general protection for an
 * address that is not canonical; see {@link GuestFault#nonCanonical}), or {@link MmioRestart} when
 * a device would be touched while {@link #exact} is false. A faulting access changes nothing but
 * accessed bits.
 *
 * <p>The TLB is one block of off-heap memory: three tables (supervisor, supervisor that may touch
 * user data, user) of {@link #ENTRIES} entries of 32 bytes: read tag, write tag, exec tag, addend.
 * A tag is the linear page address, or {@link #NO_TAG}; linear address plus addend is the host
 * address. A write tag implies that the page's dirty bit is set and that it holds no translated
 * code. The tag is compared with the page of the access's <em>last</em> byte while the index comes
 * from its first, so an access that crosses pages always misses.
 */
public final class Mmu implements AutoCloseable {
  public static final long CR0_PE = 1;
  public static final long CR0_WP = 1 << 16;
  public static final long CR0_AM = 1 << 18;
  public static final long CR0_PG = 1L << 31;
  public static final long CR4_PSE = 1 << 4;
  public static final long CR4_PAE = 1 << 5;
  public static final long CR4_PGE = 1 << 7;
  public static final long CR4_LA57 = 1 << 12;
  public static final long CR4_PCIDE = 1 << 17;
  public static final long CR4_SMEP = 1 << 20;
  public static final long CR4_SMAP = 1 << 21;
  public static final long EFER_LME = 1 << 8;
  public static final long EFER_LMA = 1 << 10;
  public static final long EFER_NXE = 1 << 11;

  /** Entries per table. */
  private static final int ENTRIES = 4096;

  private static final int ENTRY_SHIFT = 5;

  /** Offsets within an entry. */
  public static final int READ_TAG = 0;

  public static final int WRITE_TAG = 8;
  public static final int EXEC_TAG = 16;
  public static final int ADDEND = 24;

  /** Equals no page address. */
  public static final long NO_TAG = -1;

  /** Distance of the two fields of a linear address that together choose its entry. */
  private static final int PAGE_SHIFT = 12;

  private static final int FOLD_SHIFT = 24;

  private static final Unsafe U = GuestRam.U;
  private static final long PAGE = -4096L;
  private static final long TABLE_BYTES = (long) ENTRIES << ENTRY_SHIFT;
  private static final int TABLES = 3;

  /** Start of the table for data accesses at the current privilege. Compiled code reads it. */
  public long tlb;

  /** Whether the clock is exact now, so that devices may be touched. Set by the run loop. */
  public boolean exact;

  /**
   * Set when a store has hit translated code. Compiled code looks at it after each store and clears
   * it when it has left.
   */
  public boolean codeWritten;

  /**
   * Changes whenever a translation of code may have changed, to a value that no processor of the
   * machine had before: what was proven under it holds for this processor only, and as long as it
   * stays, whoever runs in between.
   */
  public int execEpoch;

  /** Lookups that missed, flushes of everything, of non-global pages, and of one page. */
  public long misses;

  public long fullFlushes;
  public long partialFlushes;
  public long pageFlushes;

  private final GuestRam ram;
  private final MmioBus bus;
  private final PageWalker walker;
  private final NativeMemory memory;
  private final long tables;
  private final TlbLog log = new TlbLog(TABLES * ENTRIES);

  /** What data accesses are to be seen; null for none. */
  private DataWatch watch;

  private long cr0;
  private long cr3;
  private long cr4;
  private long efer;
  private int cpl;
  private boolean ac;
  private int domain;
  private long execTlb;

  /**
   * Alignment is checked: CR0.AM, EFLAGS.AC, CPL 3. Data accesses then find nothing in a TLB of
   * their own that stays empty, so that all of them come to the slow paths, which check.
   */
  private boolean aligned;

  private NativeMemory empty;

  /** MAXPHYADDR 40 and 1 GiB pages. */
  public Mmu(GuestRam ram, MmioBus bus) {
    this(ram, bus, 40, true);
  }

  /**
   * @param bus what answers accesses outside RAM
   * @param physicalBits MAXPHYADDR, 32-52
   * @param gigabytePages whether 1 GiB pages exist (CPUID 80000001h EDX bit 26)
   */
  public Mmu(GuestRam ram, MmioBus bus, int physicalBits, boolean gigabytePages) {
    this.ram = ram;
    this.bus = bus;
    walker = new PageWalker(ram, physicalBits, gigabytePages);
    memory = new NativeMemory(this, TABLES * TABLE_BYTES, 64);
    tables = memory.address;
    ram.attach(this);
    execEpoch = ram.nextExecEpoch();
    walker.set(0, 0, 0, 0);
    clearTags();
    select();
  }

  /**
   * Address of a linear address's entry in the table at {@code table}. Compiled code calls this.
   */
  public static long entry(long table, long la) {
    return table + (index(la) << ENTRY_SHIFT);
  }

  private static long index(long la) {
    // A sum, not an exclusive or: neighbouring pages then never share an entry (see class comment).
    return (la >>> PAGE_SHIFT) + (la >>> FOLD_SHIFT) & ENTRIES - 1;
  }

  // ---- Reads: zero-extended values -------------------------------------------------------------

  private long entry(long la) {
    return entry(tlb, la);
  }

  public long read8(long la) {
    long e = entry(la);
    if ((la & PAGE) == U.getLong(e)) {
      return U.getByte(la + U.getLong(e + ADDEND)) & 0xff;
    }
    return readSlow(la, 1);
  }

  public long read16(long la) {
    long e = entry(la);
    if (((la + 1) & PAGE) == U.getLong(e)) {
      return U.getShort(la + U.getLong(e + ADDEND)) & 0xffff;
    }
    return readSlow(la, 2);
  }

  public long read32(long la) {
    long e = entry(la);
    if (((la + 3) & PAGE) == U.getLong(e)) {
      return U.getInt(la + U.getLong(e + ADDEND)) & 0xffff_ffffL;
    }
    return readSlow(la, 4);
  }

  public long read64(long la) {
    long e = entry(la);
    if (((la + 7) & PAGE) == U.getLong(e)) {
      return U.getLong(la + U.getLong(e + ADDEND));
    }
    return readSlow(la, 8);
  }

  /** Reads 16 bytes into {@code to[at]} (low) and {@code to[at + 1]}. */
  public void read128(long la, long[] to, int at) {
    long e = entry(la);
    if (((la + 15) & PAGE) == U.getLong(e)) {
      long host = la + U.getLong(e + ADDEND);
      to[at] = U.getLong(host);
      to[at + 1] = U.getLong(host + 8);
      return;
    }
    long low = aligned ? readUnchecked(la, 8) : read64(la);
    to[at + 1] = aligned ? readUnchecked(next(la, 8), 8) : read64(next(la, 8));
    to[at] = low;
  }

  /**
   * Reads 4 or 8 bytes for an instruction whose operand may lie anywhere even while alignment is
   * checked: gathers, masked moves and conversions of halves (SDM vol. 2, tables 2-24 to 2-26).
   */
  public long readUnaligned(long la, int size) {
    if (aligned) {
      return readUnchecked(la, size);
    }
    return size == 8 ? read64(la) : read32(la);
  }

  // ---- Writes ----------------------------------------------------------------------------------

  public void write8(long la, long v) {
    long e = entry(la);
    if ((la & PAGE) == U.getLong(e + WRITE_TAG)) {
      U.putByte(la + U.getLong(e + ADDEND), (byte) v);
    } else {
      writeSlow(la, 1, v);
    }
  }

  public void write16(long la, long v) {
    long e = entry(la);
    if (((la + 1) & PAGE) == U.getLong(e + WRITE_TAG)) {
      U.putShort(la + U.getLong(e + ADDEND), (short) v);
    } else {
      writeSlow(la, 2, v);
    }
  }

  public void write32(long la, long v) {
    long e = entry(la);
    if (((la + 3) & PAGE) == U.getLong(e + WRITE_TAG)) {
      U.putInt(la + U.getLong(e + ADDEND), (int) v);
    } else {
      writeSlow(la, 4, v);
    }
  }

  public void write64(long la, long v) {
    long e = entry(la);
    if (((la + 7) & PAGE) == U.getLong(e + WRITE_TAG)) {
      U.putLong(la + U.getLong(e + ADDEND), v);
    } else {
      writeSlow(la, 8, v);
    }
  }

  /** Writes 16 bytes, all or (on a fault) none. */
  public void write128(long la, long low, long high) {
    long e = entry(la);
    if (((la + 15) & PAGE) == U.getLong(e + WRITE_TAG)) {
      long host = la + U.getLong(e + ADDEND);
      U.putLong(host, low);
      U.putLong(host + 8, high);
      return;
    }
    probeWrite(la, 16);
    if (aligned) {
      writeUnchecked(la, 8, low);
      writeUnchecked(next(la, 8), 8, high);
      return;
    }
    write64(la, low);
    write64(next(la, 8), high);
  }

  /** As {@link #readUnaligned}. */
  public void writeUnaligned(long la, int size, long v) {
    if (aligned) {
      writeUnchecked(la, size, v);
    } else if (size == 8) {
      write64(la, v);
    } else {
      write32(la, v);
    }
  }

  // ---- Reads of read-modify-write operands: prove the page writable first -----------------------

  public long rmw8(long la) {
    long e = entry(la);
    if ((la & PAGE) == U.getLong(e + WRITE_TAG)) {
      return U.getByte(la + U.getLong(e + ADDEND)) & 0xff;
    }
    probeWrite(la, 1);
    return read8(la);
  }

  public long rmw16(long la) {
    long e = entry(la);
    if (((la + 1) & PAGE) == U.getLong(e + WRITE_TAG)) {
      return U.getShort(la + U.getLong(e + ADDEND)) & 0xffff;
    }
    probeWrite(la, 2);
    return read16(la);
  }

  public long rmw32(long la) {
    long e = entry(la);
    if (((la + 3) & PAGE) == U.getLong(e + WRITE_TAG)) {
      return U.getInt(la + U.getLong(e + ADDEND)) & 0xffff_ffffL;
    }
    probeWrite(la, 4);
    return read32(la);
  }

  public long rmw64(long la) {
    long e = entry(la);
    if (((la + 7) & PAGE) == U.getLong(e + WRITE_TAG)) {
      return U.getLong(la + U.getLong(e + ADDEND));
    }
    probeWrite(la, 8);
    return read64(la);
  }

  // ---- Proving and bulk access -----------------------------------------------------------------

  /** Faults exactly as a read of {@code size} bytes (at most 4096) would. */
  public void probeRead(long la, int size) {
    checkAlignment(la, size);
    probe(la, size, PageWalker.READ);
  }

  /** Faults exactly as a write of {@code size} bytes (at most 4096) would. */
  public void probeWrite(long la, int size) {
    checkAlignment(la, size);
    probe(la, size, PageWalker.WRITE);
  }

  /** As {@link #probeWrite}, for {@link #writeUnaligned}. */
  public void probeWriteUnaligned(long la, int size) {
    probe(la, size, PageWalker.WRITE);
  }

  private void probe(long la, int size, int access) {
    long tag = access == PageWalker.WRITE ? WRITE_TAG : READ_TAG;
    if ((la & PAGE) != U.getLong(entry(la) + tag)) {
      restartIfDevice(resolve(la, access));
    }
    long last = next(la, size - 1);
    if (((last ^ la) & PAGE) != 0 && (last & PAGE) != U.getLong(entry(last) + tag)) {
      restartIfDevice(resolve(last & PAGE, access));
    }
    if (watch != null && !exact && watch.watches(la, size, access == PageWalker.WRITE)) {
      throw MmioRestart.INSTANCE;
    }
  }

  private void restartIfDevice(long gpa) {
    if (!exact && ram.host(gpa) == 0) {
      throw MmioRestart.INSTANCE;
    }
  }

  /**
   * Host address of a readable byte; the rest of its page follows. For string instructions.
   *
   * @return 0 if the page is not RAM or a read of it is to be seen
   */
  public long hostRead(long la) {
    long e = entry(la);
    if ((la & PAGE) == U.getLong(e)) {
      return la + U.getLong(e + ADDEND);
    }
    long gpa = resolve(la, PageWalker.READ);
    return aligned || watch != null && watch.inPage(la) ? 0 : ram.host(gpa);
  }

  /**
   * Host address of a writable byte; the rest of its page follows.
   *
   * @return 0 if the page is not RAM, holds translated code or is watched: writes must be seen
   */
  public long hostWrite(long la) {
    long e = entry(la);
    if ((la & PAGE) == U.getLong(e + WRITE_TAG)) {
      return la + U.getLong(e + ADDEND);
    }
    long gpa = resolve(la, PageWalker.WRITE);
    long host = ram.host(gpa);
    if (host == 0 || ram.codeLines(gpa) != 0 || ram.watched(gpa)) {
      return 0;
    }
    return aligned || watch != null && watch.inPage(la) ? 0 : host;
  }

  /**
   * Translates a byte for execution at the current privilege.
   *
   * @return its host address, the rest of its page follows; 0 if code does not lie in RAM
   * @throws GuestFault if it must not be executed
   */
  public long hostCode(long la) {
    long e = entry(execTlb, la);
    if ((la & PAGE) == U.getLong(e + EXEC_TAG)) {
      return la + U.getLong(e + ADDEND);
    }
    return ram.host(resolve(la, PageWalker.EXEC));
  }

  /** GPA of a host address that one of the translations returned. */
  public long gpaOf(long host) {
    return ram.gpa(host);
  }

  // ---- Implicit supervisor accesses (descriptor tables, TSS, interrupt frames) ----------------

  /**
   * From now to {@link #endSystem}: accesses count as supervisor whatever the CPL, and SMAP ignores
   * the AC flag (SDM vol. 3 section 4.6).
   */
  public void beginSystem() {
    domain = (cr4 & CR4_SMAP) != 0 && cpl == 3 ? PageWalker.SUPERVISOR : supervisorDomain(ac);
    aligned = false;
    tlb = tables + domain * TABLE_BYTES;
  }

  public void endSystem() {
    select();
  }

  // ---- Control ---------------------------------------------------------------------------------

  /** Current privilege level and the AC flag, which decides under SMAP. */
  public void privilege(int cpl, boolean ac) {
    this.cpl = cpl;
    this.ac = ac;
    select();
  }

  private void select() {
    domain = cpl == 3 ? PageWalker.USER : supervisorDomain(ac);
    aligned = cpl == 3 && ac && (cr0 & CR0_AM) != 0;
    tlb = aligned ? emptyTlb() : tables + domain * TABLE_BYTES;
    execTlb = tables + (cpl == 3 ? PageWalker.USER : PageWalker.SUPERVISOR) * TABLE_BYTES;
  }

  private long emptyTlb() {
    if (empty == null) {
      empty = new NativeMemory(this, TABLE_BYTES, 64);
      U.setMemory(empty.address, TABLE_BYTES, (byte) -1);
    }
    return empty.address;
  }

  /**
   * #AC for operands of 2, 4, 8 and 10 bytes; larger ones are made of these or exempt, as vectors
   * are (SDM vol. 3, table 6-7). Comes before a page fault.
   */
  private void checkAlignment(long la, int size) {
    if (!aligned) {
      return;
    }
    int unit = size == 10 ? 8 : size;
    boolean simple = unit <= 8 && Integer.bitCount(unit) == 1;
    if (simple && (la & unit - 1) != 0 && walker.canonical(la)) {
      throw GuestFault.of(GuestFault.AC, 0);
    }
  }

  private int supervisorDomain(boolean userDataAllowed) {
    return userDataAllowed || (cr4 & CR4_SMAP) == 0
        ? PageWalker.SUPERVISOR_USER_DATA
        : PageWalker.SUPERVISOR;
  }

  /**
   * Takes over control registers and flushes what the change invalidates. The values must already
   * be a legal combination.
   *
   * @return false, with nothing changed, if PAE page-directory pointers must be loaded and have
   *     reserved bits set: the instruction raises #GP(0)
   */
  public boolean control(long cr0, long cr3, long cr4, long efer) {
    boolean pdptes = PageWalker.usesPdptes(cr0, cr4, efer);
    if (pdptes && !walker.loadPdptes(cr3)) {
      return false;
    }
    this.cr0 = cr0;
    this.cr3 = cr3;
    this.cr4 = cr4;
    this.efer = efer;
    walker.set(cr0, cr3, cr4, efer);
    select();
    flushAll();
    return true;
  }

  /**
   * A new CR3: what is not global goes.
   *
   * @return as for {@link #control}
   */
  public boolean cr3(long value) {
    if (PageWalker.usesPdptes(cr0, cr4, efer) && !walker.loadPdptes(value)) {
      return false;
    }
    cr3 = value;
    walker.set(cr0, value, cr4, efer);
    flushNonGlobal();
    return true;
  }

  /** INVLPG: forgets the page of one linear address, global or not, of any size. */
  public void flushPage(long la) {
    pageFlushes++;
    int large = log.largeAt(la);
    if (large == TlbLog.GIGABYTE) {
      flushAll();
      return;
    }
    if (large == TlbLog.MEGABYTES) {
      long first = la & -(1L << 22); // a 4 MiB page, or the 2 MiB one and its neighbour
      for (int i = 0; i < 1024; i++) {
        dropPage(first + ((long) i << 12));
      }
      execEpoch = ram.nextExecEpoch();
      return;
    }
    dropPage(la & PAGE);
    if (log.executed(la)) {
      execEpoch = ram.nextExecEpoch();
    }
  }

  private void dropPage(long page) {
    long at = entry(tables, page);
    for (int t = 0; t < TABLES; t++, at += TABLE_BYTES) {
      if (U.getLong(at) == page
          || U.getLong(at + WRITE_TAG) == page
          || U.getLong(at + EXEC_TAG) == page) {
        clear(at);
      }
    }
  }

  /** Forgets what is not global, as a write of CR3 does. */
  public void flushNonGlobal() {
    partialFlushes++;
    for (int i = 0, n = log.size(); i < n; i++) {
      clear(tables + ((long) log.get(i) << ENTRY_SHIFT));
    }
    if (log.clearNonGlobal()) {
      execEpoch = ram.nextExecEpoch();
    }
  }

  /** Forgets everything. */
  public void flushAll() {
    fullFlushes++;
    clearTags();
    log.clear();
    execEpoch = ram.nextExecEpoch();
  }

  private void clearTags() {
    U.setMemory(tables, TABLES * TABLE_BYTES, (byte) -1);
  }

  private static void clear(long entry) {
    U.putLong(entry, NO_TAG);
    U.putLong(entry + WRITE_TAG, NO_TAG);
    U.putLong(entry + EXEC_TAG, NO_TAG);
  }

  /** Takes back every write tag of a page that has just become code. */
  void purgeWrite(long hostPage) {
    for (long e = tables, end = tables + TABLES * TABLE_BYTES; e < end; e += 1 << ENTRY_SHIFT) {
      long tag = U.getLong(e + WRITE_TAG);
      if (tag != NO_TAG && tag + U.getLong(e + ADDEND) == hostPage) {
        U.putLong(e + WRITE_TAG, NO_TAG);
      }
    }
  }

  // ---- Slow paths ------------------------------------------------------------------------------

  /** The linear address {@code n} bytes on; wraps at 4 GiB outside long mode. */
  private long next(long la, int n) {
    return (efer & EFER_LMA) != 0 ? la + n : (la + n) & 0xffff_ffffL;
  }

  /** Walks, fills the TLB and returns the GPA. */
  private long resolve(long la, int access) {
    misses++;
    if (!walker.canonical(la)) {
      throw GuestFault.nonCanonical();
    }
    int who =
        access == PageWalker.EXEC && domain != PageWalker.USER ? PageWalker.SUPERVISOR : domain;
    walker.walk(la, access, who);
    long gpa = walker.gpa;
    long host = ram.host(gpa & PAGE);
    if (host != 0) {
      fill(la & PAGE, host, access, who);
    }
    return gpa;
  }

  private void fill(long page, long host, int access, int who) {
    long e = entry(tables + who * TABLE_BYTES, page);
    long addend = host - page;
    boolean same =
        U.getLong(e) == page || U.getLong(e + WRITE_TAG) == page || U.getLong(e + EXEC_TAG) == page;
    if (!same || U.getLong(e + ADDEND) != addend) {
      clear(e);
      U.putLong(e + ADDEND, addend);
    }
    if (access == PageWalker.EXEC) {
      U.putLong(e + EXEC_TAG, page);
      log.fillExec(page, walker.global);
    } else if (watch == null || !watch.inPage(page)) {
      U.putLong(e + READ_TAG, page);
      if (walker.writableAndDirty && ram.mapWritable(host)) {
        U.putLong(e + WRITE_TAG, page);
      }
    }
    log.fill(who * ENTRIES + (int) index(page), page, walker.global, walker.shift);
  }

  private long readSlow(long la, int size) {
    checkAlignment(la, size);
    return readUnchecked(la, size);
  }

  private long readUnchecked(long la, int size) {
    if ((la & 4095) + size > 4096) {
      return readCrossing(la, size);
    }
    long gpa = resolve(la, PageWalker.READ);
    see(la, size, false);
    return physicalRead(gpa, size);
  }

  /** Reports an access that is watched for, once its instruction runs alone. */
  private void see(long la, int size, boolean write) {
    if (watch != null && watch.watches(la, size, write)) {
      if (!exact) {
        throw MmioRestart.INSTANCE;
      }
      watch.report(la, size, write);
    }
  }

  private long readCrossing(long la, int size) {
    int head = 4096 - (int) (la & 4095);
    long first = resolve(la, PageWalker.READ);
    long second = resolve(next(la, head), PageWalker.READ);
    restartIfDevice(first);
    restartIfDevice(second);
    see(la, size, false);
    long v = 0;
    for (int i = size - 1; i >= 0; i--) {
      v = v << 8 | physicalRead(i < head ? first + i : second + i - head, 1);
    }
    return v;
  }

  private void writeSlow(long la, int size, long v) {
    checkAlignment(la, size);
    writeUnchecked(la, size, v);
  }

  private void writeUnchecked(long la, int size, long v) {
    if ((la & 4095) + size > 4096) {
      writeCrossing(la, size, v);
      return;
    }
    long gpa = resolve(la, PageWalker.WRITE);
    see(la, size, true);
    physicalWrite(gpa, size, v);
  }

  private void writeCrossing(long la, int size, long v) {
    int head = 4096 - (int) (la & 4095);
    long first = resolve(la, PageWalker.WRITE);
    long second = resolve(next(la, head), PageWalker.WRITE);
    restartIfDevice(first);
    restartIfDevice(second);
    see(la, size, true);
    for (int i = 0; i < size; i++) {
      physicalWrite(i < head ? first + i : second + i - head, 1, v >>> 8 * i);
    }
  }

  private long physicalRead(long gpa, int size) {
    long host = ram.host(gpa);
    if (host == 0) {
      restartIfDevice(gpa);
      long v = bus.read(gpa, size);
      return size == 8 ? v : v & (1L << 8 * size) - 1;
    }
    return switch (size) {
      case 1 -> U.getByte(host) & 0xff;
      case 2 -> U.getShort(host) & 0xffff;
      case 4 -> U.getInt(host) & 0xffff_ffffL;
      default -> U.getLong(host);
    };
  }

  private void physicalWrite(long gpa, int size, long v) {
    long host = ram.host(gpa);
    if (host == 0) {
      restartIfDevice(gpa);
      bus.write(gpa, size, size == 8 ? v : v & (1L << 8 * size) - 1);
      return;
    }
    ram.writing(gpa, size, v);
    switch (size) {
      case 1 -> U.putByte(host, (byte) v);
      case 2 -> U.putShort(host, (short) v);
      case 4 -> U.putInt(host, (int) v);
      default -> U.putLong(host, v);
    }
    ram.written(gpa, size);
  }

  // ---- Inspection ------------------------------------------------------------------------------

  /** Has data accesses to a range reported, whatever page tables are in force. */
  public void watch(DataWatch.Range range, DataWatch.Listener listener) {
    if (watch == null) {
      watch = new DataWatch();
    }
    watch.add(range, listener);
    long first = range.start() & PAGE;
    long bytes = range.start() - first + range.length();
    for (long at = 0; at < bytes; at += 4096) {
      dropPage(first + at);
    }
  }

  /** Ends what {@link #watch} began. */
  public void unwatch(DataWatch.Range range, DataWatch.Listener listener) {
    if (watch != null && watch.remove(range, listener) && watch.isEmpty()) {
      watch = null;
    }
  }

  public GuestRam ram() {
    return ram;
  }

  /** MAXPHYADDR. */
  public int physicalBits() {
    return walker.physicalBits();
  }

  /** Whether a linear address is canonical in the current mode (fits 32 bits outside long mode). */
  public boolean canonical(long la) {
    return walker.canonical(la);
  }

  /** GPA of a linear address, ignoring permissions and changing nothing; -1 if unmapped. */
  public long translate(long la) {
    return walker.probe(la);
  }

  /** One paging-structure entry visited; entryAddress is -1 for a PAE pointer register. */
  public record WalkStep(int level, long entryAddress, long entry) {}

  /** The page walk of a linear address, outermost level first, for explanations. */
  public List<WalkStep> explain(long la) {
    return walker.trace(la).stream()
        .map(s -> new WalkStep(s.level(), s.entryAddress(), s.entry()))
        .toList();
  }

  /** Page walks done. */
  public long walks() {
    return walker.walks;
  }

  @Override
  public void close() {
    ram.detach(this);
    memory.free();
    if (empty != null) {
      empty.free();
    }
  }
}
