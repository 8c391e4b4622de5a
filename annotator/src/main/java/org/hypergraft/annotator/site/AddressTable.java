package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;

/**
 * A table that only lists places in the code: 32-bit offsets from each entry to its site, or
 * absolute addresses.
 */
public final class AddressTable extends ArrayTable {
  /** The tables of this shape. */
  public enum Kind {
    /** {@code lock} prefixes, turned into DS prefixes when there is only one CPU. */
    SMP_LOCKS(".smp_locks", 1, true),
    /** Calls and jumps to the indirect-branch thunks; 5 or 6 bytes. */
    RETPOLINE_SITES(".retpoline_sites", 5, true),
    /** Jumps to the return thunk. */
    RETURN_SITES(".return_sites", 5, true),
    /** Direct calls, for call depth tracking (6.2+). */
    CALL_SITES(".call_sites", 5, true),
    /** ENDBR instructions that nothing reaches indirectly (5.18+). */
    IBT_ENDBR_SEAL(".ibt_endbr_seal", 4, true),
    /** Calls of the function tracer's entry point, absolute addresses. */
    MCOUNT_LOC("__mcount_loc", 5, false);

    private final String table;

    /** Of the shortest site. */
    private final int length;

    private final boolean relative;

    Kind(String table, int length, boolean relative) {
      this.table = table;
      this.length = length;
      this.relative = relative;
    }

    /** Name of the section. */
    public String table() {
      return table;
    }
  }

  private final Kind kind;
  private final int[] entry;

  /** Sites that have one byte more than the shortest. */
  private final BitSet longer;

  private AddressTable(
      Extent extent, Kind kind, int stride, long[] site, int[] entry, BitSet longer) {
    super(extent, stride, site);
    this.kind = kind;
    this.entry = entry;
    this.longer = longer;
  }

  /**
   * Reads the table if there is one. Zero entries are the linker's padding and left out.
   *
   * @throws ImageException when an entry names no code
   */
  static Optional<AddressTable> read(GuestImage image, CodeMap code, Kind kind) {
    Optional<Extent> found = Extent.ofSection(image, kind.table);
    if (found.isEmpty() && kind == Kind.MCOUNT_LOC) {
      found = Extent.ofSymbols(image, kind.table, "__start_mcount_loc", "__stop_mcount_loc");
    }
    if (found.isEmpty() && kind == Kind.MCOUNT_LOC) {
      found = Extent.ofDifference(image, kind.table, "ftrace_init", image.elf().wordSize());
    }
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Extent extent = found.get();
    int stride = kind.relative ? 4 : image.elf().wordSize();
    int n = extent.entries(stride);
    long[] site = new long[n];
    int[] entry = new int[n];
    BitSet longer = new BitSet();
    ByteBuffer b = code.bytes();
    int count = 0;
    for (int i = 0; i < n; i++) {
      int at = extent.offset() + i * stride;
      long value =
          stride == 8 ? b.getLong(at) : kind.relative ? b.getInt(at) : b.getInt(at) & 0xffff_ffffL;
      if (value == 0) {
        continue;
      }
      long address = kind.relative ? extent.address() + (long) i * stride + value : value;
      int here = code.require(extent, i, address, kind.length);
      if (kind == Kind.RETPOLINE_SITES && hasPrefix(b, here)) {
        code.require(extent, i, address, kind.length + 1);
        longer.set(count);
      }
      site[count] = address;
      entry[count++] = i;
    }
    return Optional.of(
        new AddressTable(
            extent, kind, stride, Arrays.copyOf(site, count), Arrays.copyOf(entry, count), longer));
  }

  /** Whether a branch has a CS prefix, or is conditional, which takes an opcode of two bytes. */
  private static boolean hasPrefix(ByteBuffer b, int at) {
    int first = b.get(at) & 0xff;
    int second = b.get(at + 1) & 0xff;
    return first == 0x2e ? (second & 0xfe) == 0xe8 : first == 0x0f && (second & 0xf0) == 0x80;
  }

  public Kind kind() {
    return kind;
  }

  /** Bytes that the kernel may change. */
  @Override
  public int length(int i) {
    return longer.get(i) ? kind.length + 1 : kind.length;
  }

  /** Position of entry {@code i} in the table, padding counted. */
  public int position(int i) {
    return entry[i];
  }
}
