package org.hypergraft.annotator.site;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.image.GuestImage;

/**
 * A 64-bit kernel of a few pages with annotation tables of every kind, for tests that must not
 * depend on a real one. Code, replacements, data and tables lie at fixed places.
 */
public final class SyntheticKernel {
  public static final long BASE = 0xffffffff81000000L;
  public static final long TEXT = BASE + 0x1000;
  public static final long REPLACEMENT = BASE + 0x3000;
  public static final long DATA = BASE + 0x4000;

  /** The paravirtual table: 16 slots at the start of .data. */
  public static final long PV_OPS = DATA;

  private static final int TEXT_SIZE = 0x2000;
  private static final int REPLACEMENT_SIZE = 0x800;
  private static final int DATA_SIZE = 0x800;
  private static final int TABLES = 0x5000;

  private record Sym(String name, long address, int section) {}

  private final byte[] image = new byte[TABLES];
  private final Map<String, ByteArrayOutputStream> tables = new LinkedHashMap<>();
  private final Map<String, Integer> tableAt = new LinkedHashMap<>();
  private final List<Sym> symbols = new ArrayList<>();
  private final List<long[]> alternatives = new ArrayList<>();
  private final boolean separateFlags;
  private int[][] tail;

  /**
   * @param separateFlags whether .altinstructions has the 14-byte layout
   */
  public SyntheticKernel(boolean separateFlags) {
    this.separateFlags = separateFlags;
    Arrays.fill(image, 0x1000, 0x1000 + TEXT_SIZE, (byte) 0xcc);
    function("_text", 0);
    data("pv_ops", 0);
  }

  /** Puts code at an offset into .text. */
  public SyntheticKernel code(int at, String hex) {
    return put(0x1000 + at, hex);
  }

  /** Puts bytes at an offset into the replacements. */
  public SyntheticKernel replacement(int at, String hex) {
    return put(0x3000 + at, hex);
  }

  /** Puts a pointer at an offset into .data. */
  public SyntheticKernel pointer(int at, long value) {
    ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).putLong(0x4000 + at, value);
    return this;
  }

  private SyntheticKernel put(int at, String hex) {
    byte[] b = HexFormat.of().parseHex(hex.replace(" ", ""));
    System.arraycopy(b, 0, image, at, b.length);
    return this;
  }

  /** A function symbol at an offset into .text. */
  public SyntheticKernel function(String name, int at) {
    symbols.add(new Sym(name, TEXT + at, 1));
    return this;
  }

  /** A data symbol at an offset into .data. */
  public SyntheticKernel data(String name, int at) {
    symbols.add(new Sym(name, DATA + at, 3));
    return this;
  }

  /** {@code call *slot(%rip)} at an offset into .text, six bytes. */
  public SyntheticKernel indirectCall(int at, int slot) {
    ByteBuffer b = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0x1000 + at, (byte) 0xff).put(0x1001 + at, (byte) 0x15);
    b.putInt(0x1002 + at, (int) (PV_OPS + 8L * slot - (TEXT + at + 6)));
    return this;
  }

  /** An indirect call with its .parainstructions entry. */
  public SyntheticKernel paravirt(int at, int slot) {
    indirectCall(at, slot);
    byte[] e = new byte[16];
    ByteBuffer.wrap(e)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(TEXT + at)
        .put((byte) slot)
        .put((byte) 6);
    table(ParavirtTable.NAME).writeBytes(e);
    return this;
  }

  /** An .altinstructions entry; offsets are those of {@link #code} and {@link #replacement}. */
  public SyntheticKernel alternative(
      int at, int length, int replacement, int replacementLength, int feature, int flags) {
    alternatives.add(
        new long[] {
          TEXT + at, REPLACEMENT + replacement, feature, flags, length, replacementLength
        });
    return this;
  }

  /** An entry of a table of places. */
  public SyntheticKernel place(AddressTable.Kind kind, int at) {
    // Self-relative offsets are fixed when the tables have their addresses.
    byte[] e = new byte[4];
    ByteBuffer.wrap(e).order(ByteOrder.LITTLE_ENDIAN).putInt(at);
    table(kind.table()).writeBytes(e);
    return this;
  }

  /** A relocation tail with one run per kind of a kernel with absolute per-CPU data. */
  public SyntheticKernel tail(int[] absolute64, int[] inverse32, int[] absolute32) {
    tail = new int[][] {absolute64, inverse32, absolute32};
    return this;
  }

  private ByteArrayOutputStream table(String name) {
    return tables.computeIfAbsent(name, n -> new ByteArrayOutputStream());
  }

  /** The image, parsed. */
  public GuestImage parse() {
    return GuestImage.parse(build(), "synthetic");
  }

  /** Payload offset of a table of the last {@link #build}. */
  public int offsetOf(String table) {
    return tableAt.get(table);
  }

  /** Bytes of a table of the last {@link #build}. */
  public int sizeOf(String table) {
    return tables.get(table).size();
  }

  /** The ELF with its tail. */
  public byte[] build() {
    int stride = separateFlags ? 14 : 12;
    if (!alternatives.isEmpty()) {
      tables.put(AlternativeTable.NAME, new ByteArrayOutputStream());
      table(AlternativeTable.NAME).writeBytes(new byte[stride * alternatives.size()]);
    }
    int at = TABLES;
    for (Map.Entry<String, ByteArrayOutputStream> t : tables.entrySet()) {
      tableAt.put(t.getKey(), at);
      at = at + t.getValue().size() + 15 & -16;
    }
    int loaded = at;
    ByteArrayOutputStream strings = new ByteArrayOutputStream();
    strings.write(0);
    byte[] symtabBytes = new byte[24 * (symbols.size() + 1)];
    ByteBuffer symtab = ByteBuffer.wrap(symtabBytes).order(ByteOrder.LITTLE_ENDIAN).position(24);
    for (Sym s : symbols) {
      symtab.putInt(strings.size()).put((byte) (s.section() == 1 ? 0x12 : 0x11)).put((byte) 0);
      symtab.putShort((short) s.section()).putLong(s.address()).putLong(0);
      strings.writeBytes((s.name() + "\0").getBytes(StandardCharsets.US_ASCII));
    }
    List<Object[]> sections = new ArrayList<>();
    sections.add(new Object[] {".text", 1, 6, 0x1000, TEXT_SIZE, 0, 0});
    sections.add(new Object[] {".altinstr_replacement", 1, 6, 0x3000, REPLACEMENT_SIZE, 0, 0});
    sections.add(new Object[] {".data", 1, 3, 0x4000, DATA_SIZE, 0, 0});
    tables.forEach((n, b) -> sections.add(new Object[] {n, 1, 2, tableAt.get(n), b.size(), 0, 0}));
    int symtabIndex = sections.size() + 1;
    sections.add(new Object[] {".symtab", 2, 0, loaded, symtabBytes.length, symtabIndex + 1, 24});
    sections.add(new Object[] {".strtab", 3, 0, loaded + symtabBytes.length, strings.size(), 0, 0});
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    names.write(0);
    int[] nameAt = new int[sections.size() + 1];
    for (int i = 0; i < sections.size(); i++) {
      nameAt[i] = names.size();
      names.writeBytes((sections.get(i)[0] + "\0").getBytes(StandardCharsets.US_ASCII));
    }
    nameAt[sections.size()] = names.size();
    names.writeBytes(".shstrtab\0".getBytes(StandardCharsets.US_ASCII));
    int namesAt = loaded + symtabBytes.length + strings.size();
    sections.add(new Object[] {".shstrtab", 3, 0, namesAt, names.size(), 0, 0});
    int headers = namesAt + names.size() + 7 & -8;
    byte[] elf = new byte[headers + 64 * (sections.size() + 1)];
    ByteBuffer out = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
    out.put(image);
    for (Map.Entry<String, ByteArrayOutputStream> t : tables.entrySet()) {
      out.put(tableAt.get(t.getKey()), t.getValue().toByteArray());
    }
    fixTables(out, stride);
    out.put(loaded, symtabBytes).put(loaded + symtabBytes.length, strings.toByteArray());
    out.put(namesAt, names.toByteArray());
    header(out, loaded, headers, sections.size() + 1);
    for (int i = 0; i < sections.size(); i++) {
      Object[] s = sections.get(i);
      int h = headers + 64 * (i + 1);
      boolean alloc = ((int) s[2] & 2) != 0;
      out.putInt(h, nameAt[i]).putInt(h + 4, (int) s[1]).putLong(h + 8, (int) s[2]);
      out.putLong(h + 16, alloc ? BASE + (int) s[3] : 0).putLong(h + 24, (int) s[3]);
      out.putLong(h + 32, (int) s[4]).putInt(h + 40, (int) s[5]);
      out.putLong(h + 48, 1).putLong(h + 56, (int) s[6]);
    }
    return withTail(elf);
  }

  private void fixTables(ByteBuffer out, int stride) {
    for (int i = 0; i < alternatives.size(); i++) {
      long[] a = alternatives.get(i);
      int e = tableAt.get(AlternativeTable.NAME) + i * stride;
      out.putInt(e, (int) (a[0] - (BASE + e))).putInt(e + 4, (int) (a[1] - (BASE + e + 4)));
      if (separateFlags) {
        out.putShort(e + 8, (short) a[2]).putShort(e + 10, (short) a[3]);
      } else {
        out.putShort(e + 8, (short) (a[2] | a[3] << 15));
      }
      out.put(e + stride - 2, (byte) a[4]).put(e + stride - 1, (byte) a[5]);
    }
    for (AddressTable.Kind kind : AddressTable.Kind.values()) {
      if (tables.containsKey(kind.table())) {
        for (int i = 0; i < tables.get(kind.table()).size(); i += 4) {
          int e = tableAt.get(kind.table()) + i;
          out.putInt(e, (int) (TEXT + out.getInt(e) - (BASE + e)));
        }
      }
    }
  }

  private static void header(ByteBuffer out, int loaded, int headers, int count) {
    out.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    out.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
    out.putLong(24, 0x1000000).putLong(32, 64).putLong(40, headers);
    out.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) 1);
    out.putShort(58, (short) 64).putShort(60, (short) count).putShort(62, (short) (count - 1));
    out.putInt(64, 1).putInt(68, 7).putLong(72, 0).putLong(80, BASE).putLong(88, 0x1000000);
    out.putLong(96, loaded).putLong(104, loaded).putLong(112, 0x1000);
  }

  private byte[] withTail(byte[] elf) {
    if (tail == null) {
      return elf;
    }
    int words = Arrays.stream(tail).mapToInt(r -> r.length + 1).sum();
    byte[] whole = Arrays.copyOf(elf, elf.length + 4 * words);
    ByteBuffer out = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).position(elf.length);
    for (int[] run : tail) {
      out.putInt(0);
      for (int address : run) {
        out.putInt(address);
      }
    }
    return whole;
  }
}
