package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;

/**
 * {@code .parainstructions}: the indirect calls through {@code pv_ops} of kernels before 6.8.
 * {@code struct paravirt_patch_site}: pointer, u8 slot, u8 length, and in some versions a u16
 * clobber mask, aligned to the pointer size.
 */
public final class ParavirtTable extends ArrayTable {
  /** Name of the section. */
  public static final String NAME = ".parainstructions";

  /** {@code call *abs32(,1)} is the longest form in use; anything else is damage. */
  private static final int MAX_LENGTH = 16;

  private final short[] slot;
  private final byte[] length;

  private ParavirtTable(Extent extent, int stride, int n) {
    super(extent, stride, new long[n]);
    slot = new short[n];
    length = new byte[n];
  }

  /**
   * Reads the table if there is one.
   *
   * @throws ImageException when its size is no number of entries or an entry names no code
   */
  static Optional<ParavirtTable> read(GuestImage image, CodeMap code) {
    Optional<Extent> found = Extent.ofSection(image, NAME);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    Extent extent = found.get();
    int word = image.elf().wordSize();
    int stride = 2 * word;
    // 5.10 does not pad its last entry: pointer, two bytes and the clobber mask are 4 bytes short.
    int last = word + 4;
    int rest = extent.size() % stride;
    if (rest != 0 && rest != last) {
      throw new ImageException(
          "table %s at 0x%x: 0x%x bytes are no number of %d-byte entries, the last one of %d or %d"
              .formatted(NAME, extent.address(), extent.size(), stride, last, stride));
    }
    int n = extent.size() / stride + (rest == 0 ? 0 : 1);
    ParavirtTable table = new ParavirtTable(extent, stride, n);
    ByteBuffer b = code.bytes();
    for (int i = 0; i < n; i++) {
      int at = table.offsetOf(i);
      table.site[i] = word == 8 ? b.getLong(at) : b.getInt(at) & 0xffff_ffffL;
      table.slot[i] = (short) (b.get(at + word) & 0xff);
      table.length[i] = b.get(at + word + 1);
      if (table.length(i) < 5 || table.length(i) > MAX_LENGTH) {
        throw new ImageException(
            "table %s entry %d: expected a site of 5 to %d bytes at 0x%x, found %d"
                .formatted(NAME, i, MAX_LENGTH, table.site[i], table.length(i)));
      }
      code.require(extent, i, table.site[i], table.length(i));
    }
    return Optional.of(table);
  }

  @Override
  public int length(int i) {
    return length[i] & 0xff;
  }

  /** Index of the {@code pv_ops} word that the site calls through. */
  public int slot(int i) {
    return slot[i];
  }
}
