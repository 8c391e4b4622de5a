package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;

/**
 * {@code __jump_table}: static keys, places that are either a NOP or a jump. {@code struct
 * jump_entry} of Linux {@code include/linux/jump_label.h}: s32 code, s32 target, pointer-sized key,
 * each relative to its own field; the key's low bits are flags.
 */
public final class JumpTable extends ArrayTable {
  /** Name of the table; it lies inside .rodata. */
  public static final String NAME = "__jump_table";

  private final long[] target;
  private final byte[] length;

  private JumpTable(Extent extent, int stride, int n) {
    super(extent, stride, new long[n]);
    target = new long[n];
    length = new byte[n];
  }

  static Optional<JumpTable> read(GuestImage image, CodeMap code) {
    Optional<Extent> found = Extent.ofSection(image, NAME);
    if (found.isEmpty()) {
      found = Extent.ofSymbols(image, NAME, "__start___jump_table", "__stop___jump_table");
    }
    int stride = 8 + image.elf().wordSize();
    if (found.isEmpty()) {
      found = Extent.ofDifference(image, NAME, "jump_label_init", stride);
    }
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Extent extent = found.get();
    int n = extent.entries(stride);
    JumpTable table = new JumpTable(extent, stride, n);
    ByteBuffer b = code.bytes();
    for (int i = 0; i < n; i++) {
      int at = table.offsetOf(i);
      long address = table.addressOf(i);
      table.site[i] = address + b.getInt(at);
      table.target[i] = address + 4 + b.getInt(at + 4);
      int here = code.require(extent, i, table.site[i], 2);
      code.require(extent, i, table.target[i], 1);
      int first = b.get(here) & 0xff;
      table.length[i] = (byte) (first == 0xeb || first == 0x66 ? 2 : 5);
    }
    return Optional.of(table);
  }

  /** 2 or 5: the compiler chooses by the distance of the target. */
  @Override
  public int length(int i) {
    return length[i];
  }

  /** Where the jump goes when it is one. */
  public long target(int i) {
    return target[i];
  }
}
