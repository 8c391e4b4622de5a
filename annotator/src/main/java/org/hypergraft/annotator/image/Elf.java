package org.hypergraft.annotator.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The ELF structure of a payload, every offset and count checked against the bytes there are.
 *
 * @param bits 32 or 64
 * @param type e_type: 2 executable, 3 shared (position independent)
 * @param machine e_machine: 3 i386, 62 x86-64
 * @param entry entry point; physical for Linux
 * @param sections in file order, the null section included so that indexes agree with sh_link
 * @param segments in file order
 * @param end payload offset after the last byte the ELF accounts for: headers, sections, segments
 */
public record Elf(
    int bits,
    int type,
    int machine,
    long entry,
    List<Section> sections,
    List<Segment> segments,
    int end) {
  public static final int EM_386 = 3;
  public static final int EM_X86_64 = 62;

  /** Section and segment names are short; a longer one is damage. */
  private static final int MAX_NAME = 255;

  /** A kernel has fewer than ten segments; searches go through them all. */
  private static final int MAX_SEGMENTS = 64;

  /** e_shnum and section indexes from here on have other meanings (SHN_LORESERVE). */
  private static final int RESERVED_INDEX = 0xff00;

  public Elf {
    sections = List.copyOf(sections);
    segments = List.copyOf(segments);
  }

  /** Bytes of an address: 4 or 8. */
  public int wordSize() {
    return bits / 8;
  }

  /** The first section of that name. */
  public Optional<Section> section(String name) {
    for (Section s : sections) {
      if (s.name().equals(name)) {
        return Optional.of(s);
      }
    }
    return Optional.empty();
  }

  /** The loaded section around a link address. */
  public Optional<Section> sectionAt(long linkAddress) {
    for (Section s : sections) {
      if (s.allocated() && s.contains(linkAddress)) {
        return Optional.of(s);
      }
    }
    return Optional.empty();
  }

  static boolean startsAt(byte[] b, int at, int length) {
    return length >= 4 && b[at] == 0x7f && b[at + 1] == 'E' && b[at + 2] == 'L' && b[at + 3] == 'F';
  }

  /** Parses a whole payload that starts with the ELF magic. */
  static Elf parse(byte[] b) {
    if (b.length < 52) {
      throw new ImageException(
          "truncated ELF: the header needs 52 bytes, %d are there".formatted(b.length));
    }
    boolean wide = b[4] == 2;
    if (b[4] != 1 && b[4] != 2) {
      throw new ImageException("ELF class at byte 4 must be 1 or 2, found " + (b[4] & 0xff));
    }
    if (b[5] != 1) {
      throw new ImageException(
          "ELF byte order at byte 5 must be 1 (little endian), found %d; an x86 kernel was expected"
              .formatted(b[5] & 0xff));
    }
    if (wide && b.length < 64) {
      throw new ImageException(
          "truncated ELF: the header needs 64 bytes, %d are there".formatted(b.length));
    }
    int type = LittleEndian.u16(b, 16);
    int machine = LittleEndian.u16(b, 18);
    if (machine != (wide ? EM_X86_64 : EM_386)) {
      throw new ImageException(
          "ELF%d for machine %d (%s); expected %s"
              .formatted(
                  wide ? 64 : 32,
                  machine,
                  machineName(machine),
                  wide ? "62 (x86-64)" : "3 (i386)"));
    }
    if (type != 2 && type != 3) {
      throw new ImageException(
          "ELF type at byte 16 is %d (%s); expected an executable, 2 or 3"
              .formatted(type, type == 1 ? "object file" : type == 4 ? "core dump" : "unknown"));
    }
    long entry = wide ? LittleEndian.u64(b, 24) : LittleEndian.u32(b, 24);
    List<Segment> segments = segments(b, wide);
    List<Section> sections = sections(b, wide);
    return new Elf(
        wide ? 64 : 32, type, machine, entry, sections, segments, end(b, wide, sections, segments));
  }

  private static List<Segment> segments(byte[] b, boolean wide) {
    long table = wide ? LittleEndian.u64(b, 32) : LittleEndian.u32(b, 28);
    int stride = LittleEndian.u16(b, wide ? 54 : 42);
    int count = LittleEndian.u16(b, wide ? 56 : 44);
    if (count == 0) {
      throw new ImageException("ELF without program headers: nothing would be loaded");
    }
    if (count > MAX_SEGMENTS) {
      throw new ImageException(
          "ELF claims %d program headers, at most %d are expected".formatted(count, MAX_SEGMENTS));
    }
    checkTable("program header", table, stride, wide ? 56 : 32, count, b.length);
    List<Segment> out = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int at = (int) table + i * stride;
      int type = LittleEndian.s32(b, at);
      int flags = LittleEndian.s32(b, at + (wide ? 4 : 24));
      long offset = word(b, at + (wide ? 8 : 4), wide);
      long virtual = word(b, at + (wide ? 16 : 8), wide);
      long physical = word(b, at + (wide ? 24 : 12), wide);
      long fileSize = word(b, at + (wide ? 32 : 16), wide);
      long memorySize = word(b, at + (wide ? 40 : 20), wide);
      if (type == Segment.PT_INTERP) {
        throw new ImageException("ELF with an interpreter: a user program, not a kernel");
      }
      if (type != Segment.PT_LOAD && type != Segment.PT_NOTE) {
        // Others (GNU_STACK and its like) load nothing; some leave wild offsets.
        if (outside(offset, fileSize, b.length)) {
          fileSize = 0;
          offset = 0;
        }
      }
      checkRange("segment " + i, offset, fileSize, b.length);
      if (type == Segment.PT_LOAD
          && (Long.compareUnsigned(fileSize, memorySize) > 0
              || Long.compareUnsigned(memorySize, 1L << 40) > 0
              || (wide
                  ? virtual + memorySize < 0 && virtual >= 0
                  : virtual + memorySize > 1L << 32))) {
        throw new ImageException(
            "ELF segment %d takes 0x%x bytes of memory at 0x%x for 0x%x bytes of file"
                .formatted(i, memorySize, virtual, fileSize));
      }
      out.add(new Segment(type, flags, (int) offset, virtual, physical, fileSize, memorySize));
    }
    return out;
  }

  private static List<Section> sections(byte[] b, boolean wide) {
    long table = wide ? LittleEndian.u64(b, 40) : LittleEndian.u32(b, 32);
    int stride = LittleEndian.u16(b, wide ? 58 : 46);
    int count = LittleEndian.u16(b, wide ? 60 : 48);
    int names = LittleEndian.u16(b, wide ? 62 : 50);
    if (table == 0 || count == 0) {
      return List.of();
    }
    if (count >= RESERVED_INDEX) {
      throw new ImageException("ELF claims %d section headers".formatted(count));
    }
    checkTable("section header", table, stride, wide ? 64 : 40, count, b.length);
    List<Section> raw = new ArrayList<>(count);
    int[] nameOffsets = new int[count];
    for (int i = 0; i < count; i++) {
      int at = (int) table + i * stride;
      nameOffsets[i] = LittleEndian.s32(b, at);
      int type = LittleEndian.s32(b, at + 4);
      long flags = word(b, at + 8, wide);
      long address = word(b, at + (wide ? 16 : 12), wide);
      long offset = word(b, at + (wide ? 24 : 16), wide);
      long size = word(b, at + (wide ? 32 : 20), wide);
      if (type == 0 || type == Section.SHT_NOBITS) {
        offset = 0; // holds no bytes; its offset means nothing
        if (size < 0 || size > 1L << 40) {
          throw new ImageException("ELF section %d claims 0x%x bytes of memory".formatted(i, size));
        }
      } else {
        checkRange("section " + i, offset, size, b.length);
      }
      raw.add(
          new Section(
              "",
              type,
              flags,
              address,
              (int) offset,
              size,
              LittleEndian.s32(b, at + (wide ? 40 : 24)),
              LittleEndian.s32(b, at + (wide ? 44 : 28)),
              word(b, at + (wide ? 56 : 36), wide)));
    }
    if (names >= count || !raw.get(names).hasBytes()) {
      throw new ImageException(
          "ELF section name table is section %d of %d, or holds no bytes".formatted(names, count));
    }
    Section table1 = raw.get(names);
    List<Section> out = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Section s = raw.get(i);
      String name = i == 0 ? "" : name(b, table1, nameOffsets[i] & 0xffff_ffffL, i);
      out.add(
          new Section(
              name,
              s.type(),
              s.flags(),
              s.address(),
              s.offset(),
              s.size(),
              s.link(),
              s.info(),
              s.entrySize()));
    }
    return out;
  }

  private static String name(byte[] b, Section table, long offset, int index) {
    if (offset >= table.size()) {
      throw new ImageException(
          "ELF section %d has its name at 0x%x of a 0x%x-byte name table"
              .formatted(index, offset, table.size()));
    }
    int from = table.offset() + (int) offset;
    int limit = (int) Math.min((long) table.offset() + table.size(), (long) from + MAX_NAME + 1);
    for (int at = from; at < limit; at++) {
      if (b[at] == 0) {
        return new String(b, from, at - from, StandardCharsets.ISO_8859_1);
      }
    }
    throw new ImageException("ELF section %d has an unterminated name".formatted(index));
  }

  private static int end(byte[] b, boolean wide, List<Section> sections, List<Segment> segments) {
    long end = wide ? 64 : 52;
    long sectionTable = wide ? LittleEndian.u64(b, 40) : LittleEndian.u32(b, 32);
    if (!sections.isEmpty()) {
      end = Math.max(end, sectionTable + (long) sections.size() * (wide ? 64 : 40));
    }
    for (Section s : sections) {
      if (s.hasBytes()) {
        end = Math.max(end, s.offset() + s.size());
      }
    }
    for (Segment s : segments) {
      end = Math.max(end, s.offset() + s.fileSize());
    }
    return (int) end;
  }

  private static long word(byte[] b, int at, boolean wide) {
    return wide ? LittleEndian.u64(b, at) : LittleEndian.u32(b, at);
  }

  private static boolean outside(long offset, long size, int length) {
    return offset < 0 || size < 0 || offset > length || size > length - offset;
  }

  private static void checkTable(
      String what, long table, int stride, int expected, int count, int length) {
    if (stride != expected) {
      throw new ImageException(
          "ELF %s entries must be %d bytes, found %d".formatted(what, expected, stride));
    }
    if (outside(table, (long) stride * count, length)) {
      throw new ImageException(
          "ELF %s table of %d entries at 0x%x does not fit into the file's 0x%x bytes"
              .formatted(what, count, table, length));
    }
  }

  private static void checkRange(String what, long offset, long size, int length) {
    if (outside(offset, size, length)) {
      throw new ImageException(
          "ELF %s needs 0x%x bytes at 0x%x, but the file has 0x%x (truncated or damaged)"
              .formatted(what, size, offset, length));
    }
  }

  private static String machineName(int machine) {
    return switch (machine) {
      case EM_386 -> "i386";
      case EM_X86_64 -> "x86-64";
      case 8 -> "MIPS";
      case 20 -> "PowerPC";
      case 21 -> "PowerPC64";
      case 22 -> "S/390";
      case 40 -> "ARM";
      case 50 -> "IA-64";
      case 183 -> "AArch64";
      case 243 -> "RISC-V";
      case 258 -> "LoongArch";
      default -> "not x86";
    };
  }
}
