package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;

/**
 * {@code .static_call_sites}: direct calls that the kernel retargets at run time. {@code struct
 * static_call_site} of Linux {@code include/linux/static_call_types.h}: two offsets, each relative
 * to its own field; the key's low bits are flags.
 */
public final class StaticCallTable extends ArrayTable {
  /** Name of the table; it lies inside .rodata. */
  public static final String NAME = ".static_call_sites";

  private static final int STRIDE = 8;

  private final long[] key;

  private StaticCallTable(Extent extent, long[] site, long[] key) {
    super(extent, STRIDE, site);
    this.key = key;
  }

  static Optional<StaticCallTable> read(GuestImage image, CodeMap code) {
    Optional<Extent> found = Extent.ofSection(image, NAME);
    if (found.isEmpty()) {
      found =
          Extent.ofSymbols(image, NAME, "__start_static_call_sites", "__stop_static_call_sites");
    }
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Extent extent = found.get();
    int n = extent.entries(STRIDE);
    long[] site = new long[n];
    long[] key = new long[n];
    ByteBuffer b = code.bytes();
    for (int i = 0; i < n; i++) {
      int at = extent.offset() + i * STRIDE;
      long address = extent.address() + (long) i * STRIDE;
      site[i] = address + b.getInt(at);
      key[i] = address + 4 + b.getInt(at + 4);
      code.require(extent, i, site[i], 5);
    }
    return Optional.of(new StaticCallTable(extent, site, key));
  }

  @Override
  public int length(int i) {
    return 5;
  }

  /** Link address of the {@code __SCK__} key. */
  public long key(int i) {
    return key[i] & ~3L;
  }

  /** Whether the site is a jump in place of a call and a return. */
  public boolean tail(int i) {
    return (key[i] & 1) != 0;
  }
}
