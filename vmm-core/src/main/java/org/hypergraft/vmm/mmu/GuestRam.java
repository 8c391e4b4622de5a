package org.hypergraft.vmm.mmu;

import java.lang.reflect.Field;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import sun.misc.Unsafe;

/**
 * Guest-physical RAM. It starts at address 0; what does not fit below {@link #LOW_LIMIT} continues
 * at 4 GiB, leaving room for memory-mapped devices.
 *
 * <p>Accesses by guest-physical address (GPA) are checked and are what devices and boot protocols
 * use. The {@link Mmu} proves the bounds once per page and then goes through {@link #U}.
 *
 * <p>For every 4 KiB page a mask of 64-byte lines says where translated code lies; each write to
 * such a line is reported to the {@link CodeListener}.
 */
public final class GuestRam implements AutoCloseable {
  public static final Unsafe U = unsafe();

  public static final int PAGE_SIZE = 4096;

  /** RAM below 4 GiB ends here at the latest (the rest is for device windows and the APICs). */
  public static final long LOW_LIMIT = 0xC000_0000L;

  /** Where RAM beyond {@link #LOW_LIMIT} continues. */
  public static final long HIGH_START = 1L << 32;

  /** Largest RAM accepted: keeps the page tables of this class in int-indexed arrays. */
  public static final long MAX_SIZE = 1L << 40;

  private final NativeMemory memory;
  private final long base;
  private final long size;
  private final long low;

  /** By RAM page: bit n = bytes 64n..64n+63 hold translated code. */
  private final long[] codeLines;

  /** By RAM page, one bit: some TLB may hold a write tag for it. */
  private final long[] writeMapped;

  private final List<Mmu> mmus = new ArrayList<>();
  private int execEpochs;
  private CodeListener listener = (gpa, length) -> {};

  /** By RAM page, one bit: the page is never mapped for unseen writes. */
  private final long[] watched;

  private WriteWatcher watcher = (gpa, size, value) -> {};

  /**
   * @param size bytes, a positive multiple of 4 KiB, at most {@link #MAX_SIZE}
   */
  public GuestRam(long size) {
    if (size <= 0 || size > MAX_SIZE || size % PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "guest memory of " + size + " bytes: expected a multiple of 4096 up to 1 TiB");
    }
    this.size = size;
    low = Math.min(size, LOW_LIMIT);
    int pages = (int) (size / PAGE_SIZE);
    codeLines = new long[pages];
    writeMapped = new long[(pages + 63) / 64];
    watched = new long[(pages + 63) / 64];
    memory = new NativeMemory(this, size, 1L << 21);
    base = memory.address;
  }

  private static Unsafe unsafe() {
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      throw new IllegalStateException("the machine needs a little-endian host");
    }
    try {
      Field f = Unsafe.class.getDeclaredField("theUnsafe");
      f.setAccessible(true);
      return (Unsafe) f.get(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("sun.misc.Unsafe is not accessible", e);
    }
  }

  /** Total bytes of RAM. */
  public long size() {
    return size;
  }

  /** Bytes of RAM that start at address 0. */
  public long lowSize() {
    return low;
  }

  /** Bytes of RAM that start at {@link #HIGH_START}; 0 if all fits below. */
  public long highSize() {
    return size - low;
  }

  /** Host address of GPA 0. */
  public long base() {
    return base;
  }

  /** Host address of a GPA, or 0 if that byte is not RAM. */
  public long host(long gpa) {
    if (gpa >= 0 && gpa < low) {
      return base + gpa;
    }
    long high = gpa - HIGH_START;
    return gpa >= HIGH_START && high < size - low ? base + low + high : 0;
  }

  /** GPA of a host address inside RAM. */
  long gpa(long host) {
    long at = host - base;
    return at < low ? at : at - low + HIGH_START;
  }

  /** Whether all of {@code [gpa, gpa+length)} is RAM. */
  public boolean contains(long gpa, long length) {
    if (length < 0 || gpa < 0) {
      return false;
    }
    if (gpa <= low && length <= low - gpa) {
      return true;
    }
    long high = gpa - HIGH_START;
    return high >= 0 && high <= size - low && length <= size - low - high;
  }

  /** Bytes of RAM from a GPA on, up to the next hole; 0 if that byte is not RAM. */
  public long available(long gpa) {
    if (gpa >= 0 && gpa < low) {
      return low - gpa;
    }
    return gpa >= HIGH_START ? Math.max(0, size - low - (gpa - HIGH_START)) : 0;
  }

  private long checked(long gpa, long length) {
    if (!contains(gpa, length)) {
      throw new IndexOutOfBoundsException(
          "guest-physical range 0x"
              + Long.toHexString(gpa)
              + "+0x"
              + Long.toHexString(length)
              + " is not RAM");
    }
    return gpa < low ? base + gpa : base + low + (gpa - HIGH_START);
  }

  public int u8(long gpa) {
    return U.getByte(checked(gpa, 1)) & 0xff;
  }

  public int u16(long gpa) {
    return U.getShort(checked(gpa, 2)) & 0xffff;
  }

  public int u32(long gpa) {
    return U.getInt(checked(gpa, 4));
  }

  public long u64(long gpa) {
    return U.getLong(checked(gpa, 8));
  }

  public void put8(long gpa, int v) {
    U.putByte(checked(gpa, 1), (byte) v);
    written(gpa, 1);
  }

  public void put16(long gpa, int v) {
    U.putShort(checked(gpa, 2), (short) v);
    written(gpa, 2);
  }

  public void put32(long gpa, int v) {
    U.putInt(checked(gpa, 4), v);
    written(gpa, 4);
  }

  public void put64(long gpa, long v) {
    U.putLong(checked(gpa, 8), v);
    written(gpa, 8);
  }

  /** A copy of {@code length} bytes. */
  public byte[] bytes(long gpa, int length) {
    long from = checked(gpa, length);
    byte[] copy = new byte[length];
    U.copyMemory(null, from, copy, Unsafe.ARRAY_BYTE_BASE_OFFSET, length);
    return copy;
  }

  /** Copies out to an array. */
  public void read(long gpa, byte[] to, int offset, int length) {
    java.util.Objects.checkFromIndexSize(offset, length, to.length);
    U.copyMemory(
        null, checked(gpa, length), to, Unsafe.ARRAY_BYTE_BASE_OFFSET + (long) offset, length);
  }

  /** Copies in from an array. */
  public void write(long gpa, byte[] from, int offset, int length) {
    java.util.Objects.checkFromIndexSize(offset, length, from.length);
    U.copyMemory(
        from, Unsafe.ARRAY_BYTE_BASE_OFFSET + (long) offset, null, checked(gpa, length), length);
    written(gpa, length);
  }

  /** Copies in a whole array. */
  public void write(long gpa, byte[] from) {
    write(gpa, from, 0, from.length);
  }

  /** Sets every byte of a range. */
  public void fill(long gpa, long length, int value) {
    U.setMemory(checked(gpa, length), length, (byte) value);
    written(gpa, length);
  }

  /** Lowest GPA at which another RAM of the same size holds another byte; -1 if there is none. */
  public long mismatch(GuestRam other) {
    if (size != other.size) {
      throw new IllegalArgumentException(
          "guest memories of %d and %d bytes".formatted(size, other.size));
    }
    for (long at = 0; at < size; at += Long.BYTES) {
      long difference = U.getLong(base + at) ^ U.getLong(other.base + at);
      if (difference != 0) {
        return gpa(base + at + (Long.numberOfTrailingZeros(difference) >>> 3));
      }
    }
    return -1;
  }

  /** Who hears of writes to translated code. One listener: the engine's block cache. */
  public void codeListener(CodeListener listener) {
    this.listener = listener;
  }

  /** Who sees processor writes to the pages given to {@link #watch}. */
  public void writeWatcher(WriteWatcher newWatcher) {
    watcher = newWatcher;
  }

  /** Has writes to the pages of {@code [start, end)} watched. To be set before processors run. */
  public void watch(long start, long end) {
    for (long gpa = start & -PAGE_SIZE; gpa < end; gpa += PAGE_SIZE) {
      watched[page(gpa) >>> 6] |= 1L << page(gpa);
    }
  }

  /** Whether writes to an address are watched. */
  boolean watched(long gpa) {
    int page = page(gpa);
    return (watched[page >>> 6] & 1L << page) != 0;
  }

  /** Called by the MMU before each write that it does not do through a write tag. */
  void writing(long gpa, int size, long value) {
    if (watched(gpa)) {
      watcher.writing(gpa, size, value);
    }
  }

  /** Lines of the page of {@code gpa} that hold translated code; bit n = offset 64n. */
  public long codeLines(long gpa) {
    return codeLines[page(gpa)];
  }

  /**
   * Marks the lines of {@code [gpa, gpa+length)}, within one page, as holding translated code. From
   * now on writes to them are reported.
   */
  public void markCode(long gpa, int length) {
    int page = page(gpa);
    long before = codeLines[page];
    codeLines[page] = before | lines(gpa, length);
    if (before == 0 && (writeMapped[page >>> 6] & 1L << page) != 0) {
      writeMapped[page >>> 6] &= ~(1L << page);
      long host = base + (long) page * PAGE_SIZE;
      for (Mmu m : mmus) {
        m.purgeWrite(host);
      }
    }
  }

  /** Replaces the mask of the page of {@code gpa}, for a block cache that dropped blocks. */
  public void resetCode(long gpa, long lines) {
    int page = page(gpa);
    if (codeLines[page] == 0 && lines != 0) {
      markCode(gpa & -PAGE_SIZE, 1);
    }
    codeLines[page] = lines;
  }

  /** Mask of the 64-byte lines that a range within one page touches. */
  static long lines(long gpa, int length) {
    int first = (int) (gpa & (PAGE_SIZE - 1)) >>> 6;
    int last = (int) ((gpa & (PAGE_SIZE - 1)) + length - 1) >>> 6;
    return (-1L << first) & (-1L >>> (63 - last));
  }

  /** Reports a finished write of any length if it touched translated code. */
  public void written(long gpa, long length) {
    long at = gpa;
    long end = gpa + length;
    while (at < end) {
      int n = (int) Math.min(end - at, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
      long code = codeLines[page(at)];
      if (code != 0 && (code & lines(at, n)) != 0) {
        listener.written(at, n);
      }
      at += n;
    }
  }

  private int page(long gpa) {
    return (int) ((gpa < low ? gpa : gpa - HIGH_START + low) >>> 12);
  }

  /**
   * Asks to write a page without being seen.
   *
   * @param host start of the page
   * @return false if it holds code or is watched
   */
  boolean mapWritable(long host) {
    int page = (int) ((host - base) >>> 12);
    if (codeLines[page] != 0 || watched(gpa(host))) {
      return false;
    }
    writeMapped[page >>> 6] |= 1L << page;
    return true;
  }

  /** A new value for {@link Mmu#execEpoch}. */
  int nextExecEpoch() {
    return ++execEpochs;
  }

  void attach(Mmu mmu) {
    mmus.add(mmu);
  }

  void detach(Mmu mmu) {
    mmus.remove(mmu);
  }

  /** Frees the memory; no access may follow. */
  @Override
  public void close() {
    memory.free();
  }
}
