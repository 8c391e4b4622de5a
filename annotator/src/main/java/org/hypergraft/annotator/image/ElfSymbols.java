package org.hypergraft.annotator.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The names of a {@code .symtab} (gABI chapter 4, "Symbol Table"), sorted by address. */
final class ElfSymbols implements SymbolNames {
  private static final int STT_SECTION = 3;
  private static final int STT_FILE = 4;
  private static final int STT_FUNC = 2;
  private static final int STB_LOCAL = 0;
  private static final int STB_WEAK = 2;
  private static final int SHN_ABS = 0xfff1;

  /** A kernel with debug information has some 400,000 symbols. */
  private static final int MAX_SYMBOLS = 2_000_000;

  /** Longer names are cut; KSYM_NAME_LEN is 512. */
  private static final int MAX_NAME = 512;

  private final byte[] b;
  private final Elf elf;
  private final boolean wide;
  private final int strings;
  private final int stringsEnd;
  private final int[] entries;

  private ElfSymbols(byte[] b, Elf elf, Section strings, int[] entries) {
    this.b = b;
    this.elf = elf;
    this.wide = elf.bits() == 64;
    this.strings = strings.offset();
    this.stringsEnd = (int) (strings.offset() + strings.size());
    this.entries = entries;
  }

  /** The table, or null when the ELF has none with a named symbol in it. */
  static SymbolTable read(byte[] b, Elf elf) {
    for (Section s : elf.sections()) {
      if (s.type() == Section.SHT_SYMTAB && s.size() > 0) {
        return read(b, elf, s);
      }
    }
    return null;
  }

  private static SymbolTable read(byte[] b, Elf elf, Section table) {
    boolean wide = elf.bits() == 64;
    int stride = wide ? 24 : 16;
    if (table.entrySize() != stride
        || table.link() <= 0
        || table.link() >= elf.sections().size()
        || !elf.sections().get(table.link()).hasBytes()) {
      throw new ImageException(
          "%s has entries of %d bytes and string section %d; expected %d and one of %d sections"
              .formatted(
                  table.name(), table.entrySize(), table.link(), stride, elf.sections().size()));
    }
    Section strings = elf.sections().get(table.link());
    int count = (int) (table.size() / stride);
    if (count > MAX_SYMBOLS) {
      throw new ImageException(
          "%s claims %d symbols, more than %d".formatted(table.name(), count, MAX_SYMBOLS));
    }
    int[] entries = new int[count];
    long[] keys = new long[count];
    int n = 0;
    for (int i = 1; i < count; i++) {
      int at = table.offset() + i * stride;
      long name = LittleEndian.u32(b, at);
      int type = LittleEndian.u8(b, at + (wide ? 4 : 12)) & 15;
      int section = LittleEndian.u16(b, at + (wide ? 6 : 14));
      if (section == 0 || type == STT_SECTION || type == STT_FILE || name >= strings.size()) {
        continue;
      }
      if (b[strings.offset() + (int) name] != 0) {
        entries[n] = at;
        keys[n++] = value(b, at, wide);
      }
    }
    if (n == 0) {
      return null;
    }
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (x, y) -> Long.compareUnsigned(keys[x], keys[y]));
    int[] sorted = new int[n];
    long[] addresses = new long[n];
    for (int i = 0; i < n; i++) {
      sorted[i] = entries[order[i]];
      addresses[i] = keys[order[i]];
    }
    return new SymbolTable(table.name(), elf, new ElfSymbols(b, elf, strings, sorted), addresses);
  }

  private static long value(byte[] b, int at, boolean wide) {
    return wide ? LittleEndian.u64(b, at + 8) : LittleEndian.u32(b, at + 4);
  }

  private int nameAt(int index) {
    return strings + LittleEndian.s32(b, entries[index]);
  }

  private int limit(int from) {
    return Math.min(stringsEnd, from + MAX_NAME);
  }

  @Override
  public String name(int index) {
    int from = nameAt(index);
    int limit = limit(from);
    int end = from;
    while (end < limit && b[end] != 0) {
      end++;
    }
    return new String(b, from, end - from, StandardCharsets.ISO_8859_1);
  }

  @Override
  public char type(int index) {
    int at = entries[index];
    int info = LittleEndian.u8(b, at + (wide ? 4 : 12));
    int number = LittleEndian.u16(b, at + (wide ? 6 : 14));
    int bind = info >> 4;
    char letter;
    if (number == SHN_ABS) {
      letter = 'a';
    } else if (number >= elf.sections().size()) {
      return '?';
    } else {
      Section s = elf.sections().get(number);
      boolean code = (info & 15) == STT_FUNC || ((info & 15) == 0 && s.executable());
      if (bind == STB_WEAK) {
        return code ? 'W' : 'V';
      }
      letter = code ? 't' : !s.hasBytes() ? 'b' : s.writable() ? 'd' : 'r';
    }
    return bind == STB_LOCAL ? letter : Character.toUpperCase(letter);
  }

  @Override
  public int hash(int index) {
    int hash = HASH_SEED;
    int from = nameAt(index);
    int limit = limit(from);
    for (int at = from; at < limit && b[at] != 0; at++) {
      hash = SymbolNames.step(hash, b[at]);
    }
    return hash;
  }

  @Override
  public boolean matches(int index, byte[] name) {
    int from = nameAt(index);
    return from + name.length < stringsEnd
        && b[from + name.length] == 0
        && Arrays.equals(b, from, from + name.length, name, 0, name.length);
  }

  @Override
  public long size(int index) {
    int at = entries[index];
    return wide ? LittleEndian.u64(b, at + 16) : LittleEndian.u32(b, at + 8);
  }
}
