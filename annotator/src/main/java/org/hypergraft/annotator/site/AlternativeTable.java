package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;

/**
 * {@code .altinstructions}: code that the kernel replaces at boot when the CPU has, or lacks, a
 * feature. {@code struct alt_instr} of Linux {@code arch/x86/include/asm/alternative.h}; both its
 * offsets are relative to their own field.
 */
public final class AlternativeTable extends ArrayTable {
  /** Name of the section. */
  public static final String NAME = ".altinstructions";

  /** The entry is taken when the feature is absent. */
  public static final int NOT = 1;

  /** The replacement is a call whose target is read from the original indirect call (6.8+). */
  public static final int DIRECT_CALL = 2;

  /** How an entry is laid out. */
  public enum Layout {
    /** s32, s32, u16 feature with bit 15 = NOT, u8, u8: 5.10 (current point releases) to 6.2. */
    FLAG_IN_FEATURE(12),
    /** s32, s32, u16 feature, u16 flags, u8, u8: 6.3 and later. */
    SEPARATE_FLAGS(14);

    private final int size;

    Layout(int size) {
      this.size = size;
    }

    /** Bytes of an entry. */
    public int size() {
      return size;
    }
  }

  private static final String REPLACEMENTS = ".altinstr_replacement";

  /** The kernel's own limit is 254; what ships stays far below. */
  private static final int MAX_LENGTH = 254;

  private final Layout layout;
  private final long[] replacement;
  private final short[] feature;
  private final byte[] flags;
  private final byte[] length;
  private final byte[] replacementLength;

  private AlternativeTable(Extent extent, Layout layout, int n) {
    super(extent, layout.size, new long[n]);
    this.layout = layout;
    replacement = new long[n];
    feature = new short[n];
    flags = new byte[n];
    length = new byte[n];
    replacementLength = new byte[n];
  }

  /**
   * Reads the table if there is one. The layout is the one under which every entry is sound: code
   * at the site, replacement bytes inside {@code .altinstr_replacement}, replacement not longer
   * than the site.
   *
   * @throws ImageException when no layout fits; says where the better one fails
   */
  static Optional<AlternativeTable> read(GuestImage image, CodeMap code) {
    Optional<Extent> found = Extent.ofSection(image, NAME);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Extent extent = found.get();
    Optional<Extent> bodies = Extent.ofSection(image, REPLACEMENTS);
    String trouble = "";
    int best = -1;
    for (Layout layout : Layout.values()) {
      if (extent.size() % layout.size != 0) {
        if (best < 0) {
          trouble = "0x%x bytes are no multiple of 12 or 14".formatted(extent.size());
        }
        continue;
      }
      AlternativeTable table = new AlternativeTable(extent, layout, extent.size() / layout.size);
      int bad = table.fill(code, bodies);
      if (bad < 0) {
        return Optional.of(table);
      }
      if (bad > best) {
        best = bad;
        trouble =
            "read as %d-byte entries, entry %d says %d bytes at 0x%x become %d bytes from 0x%x"
                .formatted(
                    layout.size,
                    bad,
                    table.length[bad] & 0xff,
                    table.site[bad],
                    table.replacementLength[bad] & 0xff,
                    table.replacement[bad]);
      }
    }
    throw new ImageException(
        "table %s at 0x%x has no known layout: %s".formatted(NAME, extent.address(), trouble));
  }

  /** Decodes all entries; index of the first unsound one, or -1. */
  private int fill(CodeMap code, Optional<Extent> bodies) {
    ByteBuffer b = code.bytes();
    for (int i = 0; i < site.length; i++) {
      int at = offsetOf(i);
      long address = addressOf(i);
      site[i] = address + b.getInt(at);
      replacement[i] = address + 4 + b.getInt(at + 4);
      int word = b.getShort(at + 8) & 0xffff;
      int lengths = at + 10;
      int allFlags;
      if (layout == Layout.FLAG_IN_FEATURE) {
        feature[i] = (short) (word & 0x7fff);
        allFlags = word >>> 15;
      } else {
        feature[i] = (short) word;
        allFlags = b.getShort(at + 10) & 0xffff;
        lengths += 2;
      }
      flags[i] = (byte) allFlags;
      length[i] = b.get(lengths);
      replacementLength[i] = b.get(lengths + 1);
      if (allFlags > (NOT | DIRECT_CALL)
          || feature(i) >= 32 * 64
          || length(i) > MAX_LENGTH
          || replacementLength(i) > length(i)
          || code.offsetOf(site[i], length(i)) < 0
          || !inside(bodies, replacement[i], replacementLength(i))) {
        return i;
      }
    }
    return -1;
  }

  private static boolean inside(Optional<Extent> bodies, long address, int length) {
    // An empty replacement may sit at the very end of the section.
    return bodies
        .map(e -> address >= e.address() && address <= e.end() && length <= e.end() - address)
        .orElse(length == 0);
  }

  /** The layout that was proved. */
  public Layout layout() {
    return layout;
  }

  /** Bytes of the site that this entry may change. */
  @Override
  public int length(int i) {
    return length[i] & 0xff;
  }

  /** Link address of the replacement bytes. */
  public long replacement(int i) {
    return replacement[i];
  }

  public int replacementLength(int i) {
    return replacementLength[i] & 0xff;
  }

  /** CPU feature number, see {@link org.hypergraft.annotator.abi.CpuFeature}. */
  public int feature(int i) {
    return feature[i] & 0xffff;
  }

  /** Whether the entry is taken when the feature is absent. */
  public boolean not(int i) {
    return (flags[i] & NOT) != 0;
  }

  /** Whether the replacement is the direct form of an indirect call. */
  public boolean directCall(int i) {
    return (flags[i] & DIRECT_CALL) != 0;
  }

  /** Index after the last entry of the site that entry {@code i} starts. */
  public int groupEnd(int i) {
    int j = i + 1;
    while (j < site.length && site[j] == site[i]) {
      j++;
    }
    return j;
  }

  /** Payload offset of entry {@code i}'s feature number; two bytes, the flags follow them. */
  public int featureFieldOffset(int i) {
    return offsetOf(i) + 8;
  }
}
