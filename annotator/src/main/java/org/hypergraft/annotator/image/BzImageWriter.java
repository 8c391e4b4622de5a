package org.hypergraft.annotator.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Puts a changed payload back into its bzImage. Setup code and boot stub stay where they are, since
 * nothing in the file says how to move them: the payload is compressed as before and must not
 * become longer than it was. What else depends on it follows:
 *
 * <ul>
 *   <li>{@code payload_length} in the setup header;
 *   <li>{@code input_len} and {@code output_len}, the two words mkpiggy leaves in the boot stub's
 *       read-only data and the stub hands to its decompressor. They stand side by side, and are
 *       changed only when that pair occurs exactly once outside the payload;
 *   <li>{@code init_size}, when expanding in place needs more room (arch/x86/boot/header.S,
 *       ZO_z_extract_offset), and with it the EFI header of builds before 6.x, which include it;
 *   <li>the CRC-32 that the build tool leaves at the end of the image, where there is one (until
 *       6.x);
 *   <li>an Authenticode signature, which no longer holds and is dropped, and the PE checksum that
 *       signing sets.
 * </ul>
 */
final class BzImageWriter {
  private static final int PAGE = 4096;

  private final byte[] original;
  private final Container.BzImage container;
  private final PeHeader pe;
  private final List<String> notes = new ArrayList<>();

  private BzImageWriter(byte[] original, Container.BzImage container) {
    this.original = original;
    this.container = container;
    this.pe = PeHeader.find(original);
  }

  /** The whole file with {@code payload} in the place of the old one. */
  static ImageWriter.Result repack(byte[] original, Container.BzImage container, byte[] payload) {
    BzImageWriter writer = new BzImageWriter(original, container);
    byte[] file = writer.write(payload);
    return new ImageWriter.Result(file, writer.notes);
  }

  private byte[] write(byte[] payload) {
    int from = container.payloadOffset();
    int room = container.payloadLength();
    int lengths = stubLengths();
    boolean checked = hasChecksum();
    byte[] packed = pack(payload, room);

    byte[] out = withoutSignature();
    System.arraycopy(packed, 0, out, from, packed.length);
    Arrays.fill(out, from + packed.length, from + room, (byte) 0);
    LittleEndian.put32(out, SetupHeader.PAYLOAD_LENGTH, packed.length);
    int oldExpanded = LittleEndian.s32(out, lengths + 4);
    LittleEndian.put32(out, lengths, packed.length);
    LittleEndian.put32(out, lengths + 4, payload.length);
    growInitSize(out, room - packed.length, oldExpanded, payload.length);
    if (checked) {
      LittleEndian.put32(out, imageEnd() - 4, checksum(out));
    }
    notes.add(
        "payload %d to %d bytes (%s), expanded %d to %d"
            .formatted(
                room, packed.length, container.compression().label(), oldExpanded, payload.length));
    return out;
  }

  private byte[] pack(byte[] payload, int room) {
    Compression kind = container.compression();
    // Only our LZ4 encoder beats the kernel build's settings without trying hard.
    byte[] packed =
        Compressor.payload(
            kind,
            payload,
            kind == Compression.LZ4 ? Compressor.Effort.QUICK : Compressor.Effort.SMALLEST);
    if (packed.length > room && kind == Compression.LZ4) {
      packed = Compressor.payload(kind, payload, Compressor.Effort.SMALLEST);
    }
    if (packed.length > room) {
      throw new ImageException(
          ("the changed payload takes %d bytes as %s, %d more than the bzImage has room for; "
                  + "write it as a vmlinux instead")
              .formatted(packed.length, kind.label(), packed.length - room));
    }
    return packed;
  }

  /**
   * File offset of the stub's input_len, output_len; proven by their values and by being unique.
   */
  private int stubLengths() {
    int expanded = expandedSize();
    byte[] pair = new byte[8];
    LittleEndian.put32(pair, 0, container.payloadLength());
    LittleEndian.put32(pair, 4, expanded);
    int stub = container.payloadOffset() + container.payloadLength();
    List<Integer> pairs = occurrences(pair, stub);
    List<Integer> inputs = occurrences(Arrays.copyOfRange(pair, 0, 4), stub);
    List<Integer> outputs = occurrences(Arrays.copyOfRange(pair, 4, 8), stub);
    if (pairs.size() != 1 || inputs.size() != 1 || outputs.size() != 1) {
      throw new ImageException(
          ("boot stub: the payload's lengths 0x%x, 0x%x should occur once, side by side; found "
                  + "%d pairs, %d and %d alone")
              .formatted(
                  container.payloadLength(),
                  expanded,
                  pairs.size(),
                  inputs.size(),
                  outputs.size()));
    }
    return pairs.get(0);
  }

  private int expandedSize() {
    int end = container.payloadOffset() + container.payloadLength();
    return LittleEndian.s32(original, end - 4);
  }

  /** Where the bytes stand outside the payload and the setup header's own field. */
  private List<Integer> occurrences(byte[] value, int stub) {
    List<Integer> out = new ArrayList<>();
    int[][] areas = {
      {container.header().protectedModeOffset(), container.payloadOffset()}, {stub, imageEnd()}
    };
    for (int[] area : areas) {
      int at = area[0];
      while ((at = LittleEndian.indexOf(original, at, area[1], value)) >= 0) {
        out.add(at++);
      }
    }
    return out;
  }

  /** End of what the boot loader reads: setup code and protected-mode code. */
  private int imageEnd() {
    long end = container.header().protectedModeOffset() + container.header().systemSize();
    return (int) Math.min(end, original.length);
  }

  /** The file up to the signatures, and their entry cleared. */
  private byte[] withoutSignature() {
    if (pe == null) {
      return original.clone();
    }
    long at = LittleEndian.u32(original, pe.certificates());
    long size = LittleEndian.u32(original, pe.certificates() + 4);
    int length = original.length;
    if (size != 0) {
      if (at < imageEnd() || at + size > original.length) {
        throw new ImageException(
            "PE certificate table of 0x%x bytes at 0x%x is not behind the image, which ends at 0x%x"
                .formatted(size, at, imageEnd()));
      }
      length = (int) at;
      notes.add("Authenticode signature dropped: it covers the old payload");
    }
    byte[] out = Arrays.copyOf(original, length);
    LittleEndian.LONG.set(out, pe.certificates(), 0L);
    LittleEndian.put32(out, pe.checkSum(), 0);
    return out;
  }

  /**
   * The stub moves the packed payload to the end of an init_size buffer and expands it to the
   * start. A payload that ends earlier or expands to more would be overwritten before it is read
   * unless the buffer grows by the difference; the last term is header.S's ZO_z_extra_bytes.
   */
  private void growInitSize(byte[] out, int shorter, int oldExpanded, int newExpanded) {
    long needed =
        (long) shorter + (newExpanded - oldExpanded) + ((newExpanded >>> 8) - (oldExpanded >>> 8));
    if (needed <= 0) {
      return;
    }
    int more = (int) (needed + PAGE - 1) & -PAGE;
    long initSize = container.header().initSize();
    LittleEndian.put32(out, SetupHeader.INIT_SIZE, (int) initSize + more);
    notes.add("init_size 0x%x to 0x%x".formatted(initSize, initSize + more));
    if (pe != null
        && LittleEndian.u32(out, pe.sizeOfImage())
            == initSize + container.header().kernelAlignment()) {
      add(out, pe.sizeOfImage(), more);
      add(out, pe.sizeOfCode(), more);
    }
  }

  private static void add(byte[] b, int at, int more) {
    LittleEndian.put32(b, at, LittleEndian.s32(b, at) + more);
  }

  private boolean hasChecksum() {
    byte[] unsigned = original.clone();
    if (pe != null) {
      // As the build tool saw it: signing fills these in later.
      LittleEndian.LONG.set(unsigned, pe.certificates(), 0L);
      LittleEndian.put32(unsigned, pe.checkSum(), 0);
    }
    return checksum(unsigned) == LittleEndian.s32(unsigned, imageEnd() - 4);
  }

  /** arch/x86/boot/tools/build.c: CRC-32 of all but the last word, not inverted at the end. */
  private int checksum(byte[] b) {
    CRC32 crc = new CRC32();
    crc.update(b, 0, imageEnd() - 4);
    return ~(int) crc.getValue();
  }
}
