package org.hypergraft.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;

/**
 * What a Multiboot header of either version says about loading.
 *
 * @param placement load addresses, where the header overrules the ELF
 * @param entry entry address, where the header overrules the ELF's
 */
record MultibootHeader(Optional<Placement> placement, Optional<Long> entry) {
  /** Where an image lies in its file and in memory; an end of 0 is that of the file, or no BSS. */
  record Placement(long fileOffset, long load, long loadEnd, long bssEnd) {
    /**
     * Reads the four address fields that both versions have in a row.
     *
     * @param header file offset of the header, whose address is the first of them
     */
    static Placement read(ByteBuffer file, int header, int at) {
      long headerAddress = unsigned(file, at);
      long load = unsigned(file, at + 4);
      return new Placement(
          header - (headerAddress - load), load, unsigned(file, at + 8), unsigned(file, at + 12));
    }
  }

  /** The file, as headers are read from it. */
  static ByteBuffer file(GuestImage image) {
    return ByteBuffer.wrap(image.payload()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A 32-bit field. */
  static long unsigned(ByteBuffer file, int at) {
    return Integer.toUnsignedLong(file.getInt(at));
  }
}
