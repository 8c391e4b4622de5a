package org.hypergraft.vmm.machine;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.LongFunction;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.WriteWatcher;

/**
 * The guest's writes to its own text: how many stores there were, and how many of them changed a
 * byte. Addresses are link addresses.
 */
public final class TextWrites implements WriteWatcher {
  /** Gets one store. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * @param linkAddress first byte
     * @param size bytes, 1 to 8
     * @param changed whether any byte got another value
     */
    void store(long linkAddress, int size, boolean changed);
  }

  /** Stores that are kept one by one; the totals go on counting beyond. */
  private static final int LIMIT = 8 << 20;

  private final GuestRam ram;
  private final KernelPlace place;

  /** Physical address in bits 16 up, size in bits 8-15, bit 0: changed. */
  private long[] stores = new long[1 << 12];

  private int kept;
  private long all;
  private long changing;

  /** Physical range of the code that only runs at boot. */
  private long initFrom;

  private long initTo;
  private boolean initFreed;

  TextWrites(GuestRam ram, KernelPlace place) {
    this.ram = ram;
    this.place = place;
  }

  /** Begins to count stores to the pages of the text, when symbols say where that is. */
  void watch(Breakpoints breakpoints) {
    watch("_text", "_etext");
    if (watch("_sinittext", "_einittext")) {
      initFrom = physical("_sinittext");
      // Its last page is freed as a whole, with whatever code lies behind it there.
      initTo = -(-physical("_einittext") & -GuestRam.PAGE_SIZE);
    }
    // Linux's init/main.c: after this function's entry boot code is only memory
    OptionalLong free = place.address("free_initmem");
    if (free.isPresent()) {
      breakpoints.at(
          free.getAsLong(),
          view -> {
            initFreed = true;
            return true;
          });
    }
  }

  /** Watches the code between two symbols; returns whether there is any. */
  private boolean watch(String first, String last) {
    long from = physical(first);
    long length = physical(last) - from;
    boolean there = length > 0 && ram.contains(from, length);
    if (there) {
      ram.watch(from, from + length);
    }
    return there;
  }

  /** Guest-physical address of a symbol, -1 if there is none. */
  private long physical(String symbol) {
    return place.image().symbols().find(symbol).map(s -> place.physical(s.address())).orElse(-1L);
  }

  @Override
  public void writing(long gpa, int size, long value) {
    if (initFreed && gpa >= initFrom && gpa < initTo) {
      return;
    }
    boolean changed = false;
    for (int i = 0; i < size && !changed; i++) {
      changed = ram.u8(gpa + i) != (int) (value >>> 8 * i & 0xff);
    }
    all++;
    if (changed) {
      changing++;
    }
    if (kept < LIMIT) {
      if (kept == stores.length) {
        stores = Arrays.copyOf(stores, kept * 2);
      }
      stores[kept++] = gpa << 16 | size << 8 | (changed ? 1 : 0);
    }
  }

  /** Stores to the pages of the text. */
  public long all() {
    return all;
  }

  /** Those that changed a byte. */
  public long changing() {
    return changing;
  }

  /** Visits the stores in the order in which they happened. */
  public void forEach(Visitor visitor) {
    for (int i = 0; i < kept; i++) {
      long s = stores[i];
      visitor.store(place.linkOf(s >>> 16), (int) (s >>> 8 & 0xff), (s & 1) != 0);
    }
  }

  /** Stores that changed a byte, by whatever a link address is attributed to. */
  public Map<String, Long> changingBy(LongFunction<String> attribution) {
    Map<String, long[]> tally = new HashMap<>();
    forEach(
        (address, size, changed) -> {
          if (changed) {
            tally.computeIfAbsent(attribution.apply(address), k -> new long[1])[0]++;
          }
        });
    Map<String, Long> counts = new TreeMap<>();
    tally.forEach((name, n) -> counts.put(name, n[0]));
    return counts;
  }
}
