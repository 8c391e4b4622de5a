package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Section;

/**
 * The executable sections of an image, for quick translation of code addresses. In 7.2 .data is
 * one: it holds the code that starts a new kernel (kexec), which has alternatives of its own.
 */
public final class CodeMap {
  private final List<Section> sections = new ArrayList<>();
  private final long[] start;
  private final long[] end;
  private final int[] offset;
  private final ByteBuffer bytes;
  private int last;

  /**
   * @throws ImageException when sections overlap in the file: what is done once per byte of code
   *     would have no bound
   */
  CodeMap(GuestImage image) {
    long total = 0;
    for (Section s : image.elf().sections()) {
      if (s.allocated() && s.executable() && s.hasBytes() && s.size() > 0) {
        sections.add(s);
        total += s.size();
      }
    }
    if (total > image.payload().length) {
      throw new ImageException(
          "%s: its %d code sections claim 0x%x bytes, more than there are"
              .formatted(image.name(), sections.size(), total));
    }
    sections.sort(Comparator.comparingLong(Section::address));
    int n = sections.size();
    start = new long[n];
    end = new long[n];
    offset = new int[n];
    for (int i = 0; i < n; i++) {
      Section s = sections.get(i);
      start[i] = s.address();
      end[i] = s.end();
      offset[i] = s.offset();
    }
    bytes = ByteBuffer.wrap(image.payload()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The sections, by address. */
  public List<Section> sections() {
    return List.copyOf(sections);
  }

  /** Payload offset of {@code length} bytes of code at a link address, or -1. */
  public int offsetOf(long address, int length) {
    int i = last;
    if (i < start.length && holds(i, address, length)) {
      return offset[i] + (int) (address - start[i]);
    }
    for (i = 0; i < start.length; i++) {
      if (holds(i, address, length)) {
        last = i;
        return offset[i] + (int) (address - start[i]);
      }
    }
    return -1;
  }

  /** {@code address + length} may wrap around; a section's end does not. */
  private boolean holds(int i, long address, int length) {
    return address >= start[i] && address < end[i] && length <= end[i] - address;
  }

  /**
   * As {@link #offsetOf}, for a table that claims code there.
   *
   * @throws ImageException naming the table, the entry and the address
   */
  int require(Extent table, int entry, long address, int length) {
    int at = offsetOf(address, length);
    if (at < 0) {
      throw new ImageException(
          "table %s entry %d: expected %d bytes of code at 0x%x, which no code section holds"
              .formatted(table.name(), entry, length, address));
    }
    return at;
  }

  /** The payload, little endian; never written to. */
  ByteBuffer bytes() {
    return bytes;
  }
}
