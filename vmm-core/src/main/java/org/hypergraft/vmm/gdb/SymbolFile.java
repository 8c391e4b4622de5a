package org.hypergraft.vmm.gdb;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.Elf;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.OrcTable;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.image.Segment;
import org.hypergraft.annotator.image.Symbol;

/**
 * An ELF file with nothing but a kernel's symbols, at run-time addresses, and how to unwind its
 * stack, as debuggers read it. The kernels that distributions ship have no symbol table and no
 * frame information; their own kallsyms and ORC tables become that.
 *
 * <p>Layout and constants: System V gABI chapter 4, "Object Files".
 */
final class SymbolFile {
  private static final int SHT_PROGBITS = 1;
  private static final int SHT_SYMTAB = 2;
  private static final int SHT_STRTAB = 3;
  private static final int SHT_NOBITS = 8;
  private static final int SHF_ALLOC = 2;
  private static final int SHN_ABS = 0xfff1;
  private static final int STT_OBJECT = 1;
  private static final int STT_FUNC = 2;
  private static final int STB_GLOBAL = 1 << 4;

  /** Most sections taken over; a kernel has fewer than a hundred. */
  private static final int MAX_SECTIONS = 1000;

  private final GuestImage image;
  private final long offset;
  private final boolean wide;

  /** A stretch of the kernel's memory that symbols lie in. */
  private record Place(String name, long start, long size, long flags) {}

  /** A section header to be. */
  private record Header(
      int name,
      int type,
      long flags,
      long address,
      long at,
      long size,
      int link,
      int info,
      int entry) {}

  private SymbolFile(GuestImage image, long offset) {
    this.image = image;
    this.offset = offset;
    wide = image.is64Bit();
  }

  /**
   * The bytes of the file.
   *
   * @param offset run-time less link addresses
   */
  static byte[] of(GuestImage image, long offset) {
    return new SymbolFile(image, offset).build();
  }

  private byte[] build() {
    List<Place> places = places();
    Strings names = new Strings();
    Strings sectionNames = new Strings();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    List<Header> headers = new ArrayList<>();
    headers.add(new Header(0, 0, 0, 0, 0, 0, 0, 0, 0));
    for (Place p : places) {
      int name = sectionNames.add(p.name);
      headers.add(new Header(name, SHT_NOBITS, p.flags, p.start + offset, 0, p.size, 0, 0, 0));
    }
    int head = wide ? 64 : 52;
    int symbolSize = wide ? 24 : 16;
    int locals = symbols(body, places, names, symbolSize);
    int table = headers.size();
    int tableName = sectionNames.add(".symtab");
    int tableSize = body.size();
    headers.add(
        new Header(tableName, SHT_SYMTAB, 0, 0, head, tableSize, table + 1, locals, symbolSize));
    strings(headers, body, head, sectionNames.add(".strtab"), names);
    OrcTable.of(image)
        .ifPresent(
            orc -> {
              pad(body);
              byte[] frames = FrameSection.of(orc, offset);
              int name = sectionNames.add(".debug_frame");
              headers.add(
                  new Header(name, SHT_PROGBITS, 0, 0, head + body.size(), frames.length, 0, 0, 0));
              body.writeBytes(frames);
            });
    strings(headers, body, head, sectionNames.add(".shstrtab"), sectionNames);
    pad(body);
    long headersAt = head + (long) body.size();
    ByteBuffer out =
        ByteBuffer.allocate((int) headersAt + headers.size() * (wide ? 64 : 40))
            .order(ByteOrder.LITTLE_ENDIAN);
    header(out, headersAt, headers.size());
    out.put(body.toByteArray());
    headers.forEach(h -> put(out, h));
    return out.array();
  }

  private static void pad(ByteArrayOutputStream body) {
    while (body.size() % 8 != 0) {
      body.write(0);
    }
  }

  private List<Place> places() {
    List<Place> places = new ArrayList<>();
    for (Section s : image.elf().sections()) {
      if (s.allocated() && s.address() != 0 && places.size() < MAX_SECTIONS) {
        places.add(new Place(s.name(), s.address(), s.size(), s.flags()));
      }
    }
    for (Segment s : image.elf().segments()) {
      if (image.elf().sections().isEmpty() && s.loaded() && places.size() < MAX_SECTIONS) {
        long flags = SHF_ALLOC | (s.writable() ? 1 : 0) | (s.executable() ? 4 : 0);
        String name = s.executable() ? ".text" : ".data";
        places.add(new Place(name, s.virtualAddress(), s.memorySize(), flags));
      }
    }
    return places;
  }

  /** Writes the table, local symbols first; returns the index of the first global one. */
  private int symbols(ByteArrayOutputStream to, List<Place> places, Strings names, int symbolSize) {
    to.writeBytes(new byte[symbolSize]);
    int locals = 1;
    ByteBuffer one = ByteBuffer.allocate(symbolSize).order(ByteOrder.LITTLE_ENDIAN);
    for (boolean global : new boolean[] {false, true}) {
      int section = 0;
      for (Symbol s : image.symbols().all()) {
        if (Character.isUpperCase(s.type()) != global) {
          continue;
        }
        if (section >= places.size() || !inside(places.get(section), s.address())) {
          section = find(places, s.address());
        }
        int info = (s.isText() ? STT_FUNC : STT_OBJECT) | (global ? STB_GLOBAL : 0);
        boolean placed = section < places.size();
        int index = placed ? section + 1 : SHN_ABS;
        long value = placed ? s.address() + offset : s.address();
        one.clear();
        one.putInt(names.add(s.name()));
        if (wide) {
          one.put((byte) info).put((byte) 0).putShort((short) index);
          one.putLong(value).putLong(s.size());
        } else {
          one.putInt((int) value).putInt((int) s.size());
          one.put((byte) info).put((byte) 0).putShort((short) index);
        }
        to.writeBytes(one.array());
        locals += global ? 0 : 1;
      }
    }
    return locals;
  }

  private static boolean inside(Place p, long address) {
    return Long.compareUnsigned(address - p.start, p.size) < 0;
  }

  private static int find(List<Place> places, long address) {
    int i = 0;
    while (i < places.size() && !inside(places.get(i), address)) {
      i++;
    }
    return i;
  }

  private static void strings(
      List<Header> headers, ByteArrayOutputStream body, int head, int name, Strings strings) {
    byte[] bytes = strings.bytes();
    headers.add(new Header(name, SHT_STRTAB, 0, 0, head + body.size(), bytes.length, 0, 0, 0));
    body.writeBytes(bytes);
  }

  private void header(ByteBuffer out, long headersAt, int count) {
    out.put(new byte[] {0x7f, 'E', 'L', 'F', (byte) (wide ? 2 : 1), 1, 1}).position(16);
    out.putShort((short) 2).putShort((short) (wide ? Elf.EM_X86_64 : Elf.EM_386)).putInt(1);
    if (wide) {
      out.putLong(0).putLong(0).putLong(headersAt);
    } else {
      out.putInt(0).putInt(0).putInt((int) headersAt);
    }
    out.putInt(0).putShort((short) (wide ? 64 : 52)).putShort((short) 0).putShort((short) 0);
    out.putShort((short) (wide ? 64 : 40)).putShort((short) count).putShort((short) (count - 1));
  }

  private void put(ByteBuffer out, Header h) {
    out.putInt(h.name).putInt(h.type);
    if (wide) {
      out.putLong(h.flags).putLong(h.address).putLong(h.at).putLong(h.size);
      out.putInt(h.link).putInt(h.info).putLong(1).putLong(h.entry);
    } else {
      out.putInt((int) h.flags).putInt((int) h.address).putInt((int) h.at).putInt((int) h.size);
      out.putInt(h.link).putInt(h.info).putInt(1).putInt(h.entry);
    }
  }

  /** A string table: names are told by where they begin. */
  private static final class Strings {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Strings() {
      bytes.write(0);
    }

    int add(String name) {
      int at = bytes.size();
      bytes.writeBytes(name.getBytes(StandardCharsets.ISO_8859_1));
      bytes.write(0);
      return at;
    }

    byte[] bytes() {
      return bytes.toByteArray();
    }
  }
}
