package org.hypergraft.annotator.image;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.RandomAccess;

/**
 * The symbols of an image in address order. Names are decoded when asked for; immutable and safe to
 * share.
 */
public final class SymbolTable {
  private final String origin;
  private final Elf elf;
  private final SymbolNames names;
  private final long[] addresses;
  private final Lazy<int[]> byName = new Lazy<>(this::index);
  private final Lazy<int[]> text = new Lazy<>(this::textIndexes);

  /**
   * @param origin where the symbols come from
   * @param addresses ascending, unsigned
   */
  SymbolTable(String origin, Elf elf, SymbolNames names, long[] addresses) {
    this.origin = origin;
    this.elf = elf;
    this.names = names;
    this.addresses = addresses;
  }

  static SymbolTable empty(Elf elf) {
    return new SymbolTable("none", elf, null, new long[0]);
  }

  /** {@code .symtab}, {@code kallsyms (...)} or {@code none}. */
  public String origin() {
    return origin;
  }

  public int size() {
    return addresses.length;
  }

  /** The symbol at a position in address order. */
  public Symbol get(int index) {
    return new Symbol(names.name(index), addresses[index], names.type(index), sizeOf(index));
  }

  /** All symbols in address order; each is decoded when read. */
  public List<Symbol> all() {
    return new View();
  }

  /** The symbol of that name; of several, the one with the lowest address. */
  public Optional<Symbol> find(String name) {
    int i = indexOf(name);
    return i < 0 ? Optional.empty() : Optional.of(get(i));
  }

  /** Every symbol of that name, ascending: static functions may share one. */
  public List<Symbol> findAll(String name) {
    byte[] wanted = name.getBytes(StandardCharsets.ISO_8859_1);
    List<Symbol> out = new ArrayList<>();
    if (size() > 0) {
      int[] table = byName.get();
      for (int slot = slot(hash(wanted), table); table[slot] != 0; slot = next(slot, table)) {
        if (names.matches(table[slot] - 1, wanted)) {
          out.add(get(table[slot] - 1));
        }
      }
    }
    return out;
  }

  /** Whether there is a symbol of that name. */
  public boolean contains(String name) {
    return indexOf(name) >= 0;
  }

  /**
   * The address of a symbol that must be there.
   *
   * @throws ImageException when it is not
   */
  public long addressOf(String name) {
    int i = indexOf(name);
    if (i < 0) {
      throw new ImageException(
          "symbol %s expected, but the image's symbols (%s, %d) have none of that name"
              .formatted(name, origin, size()));
    }
    return addresses[i];
  }

  /**
   * The function a code address belongs to: the nearest text symbol at or before it, in the same
   * section. Of several at one address, the first in table order, which is the order the kernel
   * itself prefers.
   */
  public Optional<Symbol> covering(long address) {
    int[] index = text.get();
    int low = 0;
    int high = index.length;
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (Long.compareUnsigned(addresses[index[mid]], address) <= 0) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    if (low == 0) {
      return Optional.empty();
    }
    int i = low - 1;
    while (i > 0 && addresses[index[i - 1]] == addresses[index[i]]) {
      i--;
    }
    return inOneSection(index[i], address);
  }

  /** The nearest symbol of any type at or before an address, in the same section. */
  public Optional<Symbol> nearest(long address) {
    int i = after(address) - 1;
    if (i < 0) {
      return Optional.empty();
    }
    while (i > 0 && addresses[i - 1] == addresses[i]) {
      i--;
    }
    return inOneSection(i, address);
  }

  /** {@code name}, {@code name+0x1f}, or the address in hex when no symbol covers it. */
  public String describe(long address) {
    Optional<Symbol> symbol = covering(address).or(() -> nearest(address));
    if (symbol.isEmpty()) {
      return "0x%x".formatted(address);
    }
    return Symbol.place(symbol.get().name(), address - symbol.get().address());
  }

  private Optional<Symbol> inOneSection(int index, long address) {
    if (elf.sections().isEmpty()) {
      return Optional.of(get(index));
    }
    Optional<Section> section = elf.sectionAt(address);
    return section.isPresent() && section.get().contains(addresses[index])
        ? Optional.of(get(index))
        : Optional.empty();
  }

  /** Index of the first symbol after an address. */
  private int after(long address) {
    int low = 0;
    int high = addresses.length;
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (Long.compareUnsigned(addresses[mid], address) <= 0) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    return low;
  }

  private long sizeOf(int index) {
    long stated = names.size(index);
    if (stated != 0) {
      return stated;
    }
    int next = after(addresses[index]);
    return next == addresses.length ? 0 : addresses[next] - addresses[index];
  }

  private int indexOf(String name) {
    if (size() == 0) {
      return -1;
    }
    byte[] wanted = name.getBytes(StandardCharsets.ISO_8859_1);
    int[] table = byName.get();
    for (int slot = slot(hash(wanted), table); table[slot] != 0; slot = next(slot, table)) {
      if (names.matches(table[slot] - 1, wanted)) {
        return table[slot] - 1;
      }
    }
    return -1;
  }

  /** Open addressing: index + 1 of a symbol, 0 where free; equal names stay in address order. */
  private int[] index() {
    int capacity = Integer.highestOneBit(Math.max(2, size())) * 4;
    int[] table = new int[capacity];
    for (int i = 0; i < addresses.length; i++) {
      int slot = slot(names.hash(i), table);
      while (table[slot] != 0) {
        slot = next(slot, table);
      }
      table[slot] = i + 1;
    }
    return table;
  }

  private static int slot(int hash, int[] table) {
    return (hash ^ (hash >>> 15)) & (table.length - 1);
  }

  private static int next(int slot, int[] table) {
    return (slot + 1) & (table.length - 1);
  }

  private static int hash(byte[] name) {
    int hash = SymbolNames.HASH_SEED;
    for (byte b : name) {
      hash = SymbolNames.step(hash, b);
    }
    return hash;
  }

  private int[] textIndexes() {
    int[] out = new int[addresses.length];
    int n = 0;
    for (int i = 0; i < addresses.length; i++) {
      if (Symbol.isText(names.type(i))) {
        out[n++] = i;
      }
    }
    return Arrays.copyOf(out, n);
  }

  private final class View extends AbstractList<Symbol> implements RandomAccess {
    @Override
    public Symbol get(int index) {
      return SymbolTable.this.get(index);
    }

    @Override
    public int size() {
      return SymbolTable.this.size();
    }
  }
}
