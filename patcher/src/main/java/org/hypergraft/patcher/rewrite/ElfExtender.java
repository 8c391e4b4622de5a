package org.hypergraft.patcher.rewrite;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.Elf;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.image.Segment;

/**
 * Adds sections that are not loaded behind everything that is: program headers, loaded bytes and
 * their offsets stay, the name table and the section headers move to the new end of the ELF.
 */
final class ElfExtender {
  private static final int SHT_STRTAB = 3;

  /**
   * A section to add.
   *
   * @param name of it
   * @param type sh_type
   * @param bytes its content
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, not kept
  record Added(String name, int type, byte[] bytes) {}

  private final GuestImage image;
  private final Elf elf;
  private final boolean wide;

  /** Where loaded bytes and unnamed content end: the rest is rebuilt. */
  private final int keep;

  private final int nameTable;
  private final int headerTable;

  ElfExtender(GuestImage image) {
    this.image = image;
    elf = image.elf();
    wide = image.is64Bit();
    ByteBuffer b = header(image.payload());
    headerTable = elf.sections().isEmpty() ? 0 : (int) (wide ? b.getLong(40) : b.getInt(32));
    nameTable = elf.sections().isEmpty() ? -1 : b.getShort(wide ? 62 : 50) & 0xffff;
    keep = keep();
  }

  private static ByteBuffer header(byte[] payload) {
    return ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * A linker puts the name table and the section headers last; then both are rebuilt in place.
   * Otherwise nothing is dropped.
   */
  private int keep() {
    int end = image.relocations().offset();
    if (nameTable < 0) {
      return end;
    }
    int start = Math.min(headerTable, elf.sections().get(nameTable).offset());
    for (int i = 0; i < elf.sections().size(); i++) {
      Section s = elf.sections().get(i);
      if (i != nameTable && s.hasBytes() && s.size() > 0 && s.offset() + s.size() > start) {
        return end;
      }
    }
    for (Segment s : elf.segments()) {
      if (s.offset() + s.fileSize() > start) {
        return end;
      }
    }
    // Anything between or behind the two that no header names would be lost.
    Section names = elf.sections().get(nameTable);
    int entry = wide ? 64 : 40;
    int tableEnd = headerTable + elf.sections().size() * entry;
    int namesEnd = (int) (names.offset() + names.size());
    boolean tight = Math.max(tableEnd, namesEnd) == end && Math.abs(headerTable - namesEnd) < 64;
    return tight ? start : end;
  }

  /** Number of leading payload bytes that keep their place. */
  int kept() {
    return keep;
  }

  /**
   * The kept bytes of the image, the added sections, names, headers, and {@code tail} as the last
   * bytes.
   */
  byte[] extend(List<Added> sections, byte[] tail) {
    List<String> names = new ArrayList<>();
    ByteArrayOutputStream table = new ByteArrayOutputStream();
    if (nameTable >= 0) {
      Section s = elf.sections().get(nameTable);
      table.write(image.payload(), s.offset(), (int) s.size());
    } else {
      table.write(0);
      names.add(".shstrtab");
    }
    for (Added a : sections) {
      names.add(a.name());
    }
    int[] nameOffsets = new int[names.size()];
    for (int i = 0; i < nameOffsets.length; i++) {
      nameOffsets[i] = table.size();
      table.writeBytes(names.get(i).getBytes(StandardCharsets.US_ASCII));
      table.write(0);
    }
    int[] at = new int[sections.size()];
    int end = keep;
    for (int i = 0; i < at.length; i++) {
      at[i] = align(end, 4);
      end = at[i] + sections.get(i).bytes().length;
    }
    int namesAt = end;
    int headersAt = align(namesAt + table.size(), 8);
    int existing = Math.max(1, elf.sections().size());
    int total = existing + sections.size() + (nameTable < 0 ? 1 : 0);
    int entry = wide ? 64 : 40;
    int elfEnd = headersAt + total * entry;
    byte[] out = new byte[elfEnd + tail.length];
    System.arraycopy(image.payload(), 0, out, 0, keep);
    for (int i = 0; i < at.length; i++) {
      byte[] bytes = sections.get(i).bytes();
      System.arraycopy(bytes, 0, out, at[i], bytes.length);
    }
    System.arraycopy(table.toByteArray(), 0, out, namesAt, table.size());
    ByteBuffer b = header(out);
    int next = headersAt;
    if (nameTable >= 0) {
      System.arraycopy(image.payload(), headerTable, out, headersAt, existing * entry);
      int h = headersAt + nameTable * entry;
      putWord(b, h + (wide ? 24 : 16), namesAt);
      putWord(b, h + (wide ? 32 : 20), table.size());
      next += existing * entry;
    } else {
      next += entry; // the null section
      putSection(b, next, nameOffsets[0], SHT_STRTAB, namesAt, table.size(), 1);
      next += entry;
    }
    int firstName = nameOffsets.length - sections.size();
    for (int i = 0; i < at.length; i++) {
      Added a = sections.get(i);
      putSection(b, next, nameOffsets[firstName + i], a.type(), at[i], a.bytes().length, 4);
      next += entry;
    }
    putWord(b, wide ? 40 : 32, headersAt);
    b.putShort(wide ? 58 : 46, (short) entry);
    b.putShort(wide ? 60 : 48, (short) total);
    if (nameTable < 0) {
      b.putShort(wide ? 62 : 50, (short) 1);
    }
    System.arraycopy(tail, 0, out, elfEnd, tail.length);
    return out;
  }

  private void putSection(
      ByteBuffer b, int at, int name, int type, int offset, int size, int align) {
    b.putInt(at, name);
    b.putInt(at + 4, type);
    putWord(b, at + (wide ? 24 : 16), offset);
    putWord(b, at + (wide ? 32 : 20), size);
    putWord(b, at + (wide ? 48 : 32), align);
  }

  private void putWord(ByteBuffer b, int at, long value) {
    if (wide) {
      b.putLong(at, value);
    } else {
      b.putInt(at, (int) value);
    }
  }

  private static int align(int value, int to) {
    return value + to - 1 & -to;
  }
}
