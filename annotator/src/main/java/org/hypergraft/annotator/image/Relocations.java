package org.hypergraft.annotator.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The relocation tail that a relocatable kernel build appends to the ELF: runs of 32-bit link
 * addresses of fields which the boot stub adjusts when it moves the kernel. Runs are led by a zero
 * word and read backwards from the payload's end (arch/x86/tools/relocs.c writes them, {@code
 * handle_relocations} in arch/x86/boot/compressed/misc.c applies them). Immutable.
 */
public final class Relocations {
  /** What is at an address the tail names. */
  public enum Kind {
    /** A 64-bit absolute address; the slide is added. */
    ABSOLUTE_64(8),
    /** A 32-bit RIP-relative reference to absolute per-CPU data; the slide is subtracted. */
    INVERSE_32(4),
    /** A 32-bit absolute (64-bit kernels: sign-extended) address; the slide is added. */
    ABSOLUTE_32(4);

    private final int size;

    Kind(int size) {
      this.size = size;
    }

    /** Bytes of the field. */
    public int size() {
      return size;
    }
  }

  /** Which runs there are, in file order. */
  public enum Layout {
    /** No tail: the kernel is not relocatable, or this is a bare vmlinux. */
    NONE,
    /** 64-bit kernels up to 6.14. */
    ABS64_INVERSE32_ABS32,
    /** 64-bit kernels with per-CPU data at ordinary addresses. */
    ABS64_ABS32,
    /** i386. */
    ABS32;

    /** The kinds of the runs, in file order. */
    public List<Kind> runs() {
      return switch (this) {
        case NONE -> List.of();
        case ABS64_INVERSE32_ABS32 -> List.of(Kind.ABSOLUTE_64, Kind.INVERSE_32, Kind.ABSOLUTE_32);
        case ABS64_ABS32 -> List.of(Kind.ABSOLUTE_64, Kind.ABSOLUTE_32);
        case ABS32 -> List.of(Kind.ABSOLUTE_32);
      };
    }
  }

  /**
   * One relocated field.
   *
   * @param kind what the field holds
   * @param address its link address
   */
  public record Entry(Kind kind, long address) {}

  /** Real kernels have some 300,000 entries; checking them takes time for each. */
  private static final int MAX_ENTRIES = 4_000_000;

  private final Layout layout;
  private final int offset;
  private final boolean wide;
  private final Map<Kind, int[]> runs;
  private final Map<Kind, int[]> sorted = new EnumMap<>(Kind.class);

  private Relocations(Layout layout, int offset, boolean wide, Map<Kind, int[]> runs) {
    this.layout = layout;
    this.offset = offset;
    this.wide = wide;
    this.runs = runs;
    for (Kind kind : layout.runs()) {
      int[] copy = runs.get(kind).clone();
      Arrays.sort(copy);
      sorted.put(kind, copy);
    }
  }

  static Relocations none(int offset, boolean wide) {
    return new Relocations(Layout.NONE, offset, wide, new EnumMap<>(Kind.class));
  }

  /**
   * Reads the tail {@code payload[from..]}.
   *
   * @throws ImageException when it is no well-formed tail for this word size
   */
  static Relocations parse(byte[] payload, int from, boolean wide) {
    int length = payload.length - from;
    if (length == 0) {
      return none(from, wide);
    }
    if (length % 4 != 0 || LittleEndian.s32(payload, from) != 0) {
      throw new ImageException(
          ("relocation tail of %d bytes at payload byte 0x%x: expected 32-bit words starting "
                  + "with 0, found %s")
              .formatted(length, from, length < 4 ? "a fragment" : hex(payload, from)));
    }
    if (length / 4 > MAX_ENTRIES) {
      throw new ImageException(
          "relocation tail of %d bytes at payload byte 0x%x: more than %d entries"
              .formatted(length, from, MAX_ENTRIES));
    }
    List<int[]> found = new ArrayList<>();
    int at = from;
    while (at < payload.length) {
      int start = at + 4;
      at = start;
      while (at < payload.length && LittleEndian.s32(payload, at) != 0) {
        at += 4;
      }
      int[] run = new int[(at - start) / 4];
      for (int i = 0; i < run.length; i++) {
        run[i] = LittleEndian.s32(payload, start + 4 * i);
      }
      found.add(run);
      if (found.size() > 3) {
        break;
      }
    }
    Layout layout =
        switch (found.size()) {
          case 1 -> wide ? Layout.NONE : Layout.ABS32;
          case 2 -> wide ? Layout.ABS64_ABS32 : Layout.NONE;
          case 3 -> wide ? Layout.ABS64_INVERSE32_ABS32 : Layout.NONE;
          default -> Layout.NONE;
        };
    if (layout == Layout.NONE) {
      throw new ImageException(
          "relocation tail at payload byte 0x%x has %s runs; a %d-bit kernel has %s"
              .formatted(
                  from,
                  found.size() > 3 ? "more than 3" : String.valueOf(found.size()),
                  wide ? 64 : 32,
                  wide ? "2 or 3" : "1"));
    }
    Map<Kind, int[]> runs = new EnumMap<>(Kind.class);
    for (int i = 0; i < found.size(); i++) {
      runs.put(layout.runs().get(i), found.get(i));
    }
    return new Relocations(layout, from, wide, runs);
  }

  private static String hex(byte[] b, int at) {
    return "0x%08x".formatted(LittleEndian.s32(b, at));
  }

  public Layout layout() {
    return layout;
  }

  /** Payload offset of the tail: where the ELF ends. */
  public int offset() {
    return offset;
  }

  /** Entries of one kind; 0 when the layout has no such run. */
  public int count(Kind kind) {
    int[] run = runs.get(kind);
    return run == null ? 0 : run.length;
  }

  /** The link addresses of one kind in file order; a fresh array. */
  public long[] addresses(Kind kind) {
    int[] run = runs.get(kind);
    long[] out = new long[run == null ? 0 : run.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = widen(run[i]);
    }
    return out;
  }

  /** Whether a field of that kind starts at exactly this link address. */
  public boolean contains(Kind kind, long linkAddress) {
    int[] run = sorted.get(kind);
    return run != null
        && widen((int) linkAddress) == linkAddress
        && Arrays.binarySearch(run, (int) linkAddress) >= 0;
  }

  /** The field that starts at exactly this link address. */
  public Optional<Entry> at(long linkAddress) {
    for (Kind kind : layout.runs()) {
      if (contains(kind, linkAddress)) {
        return Optional.of(new Entry(kind, linkAddress));
      }
    }
    return Optional.empty();
  }

  /** The fields that have at least one byte in {@code [from, to)}, by kind and address. */
  public List<Entry> overlapping(long from, long to) {
    List<Entry> out = new ArrayList<>();
    for (Kind kind : layout.runs()) {
      int[] run = sorted.get(kind);
      long first = from - kind.size() + 1;
      // Kernel fields never straddle the sign change of the 32-bit word, so a signed search does.
      int i = Arrays.binarySearch(run, (int) first);
      for (i = i >= 0 ? i : -i - 1; i < run.length; i++) {
        long address = widen(run[i]);
        if (address >= to || address < first) {
          break;
        }
        if (out.isEmpty() || !out.get(out.size() - 1).equals(new Entry(kind, address))) {
          out.add(new Entry(kind, address));
        }
      }
    }
    return out;
  }

  private long widen(int stored) {
    return wide ? stored : stored & 0xffff_ffffL;
  }

  /**
   * The tail with entries removed and added: the order of what stays is kept; an added entry goes
   * where an ascending run wants it.
   *
   * @throws IllegalArgumentException when a removed entry is not there, an added one is, or the
   *     layout has no run for it
   */
  public Relocations edited(List<Entry> removed, List<Entry> added) {
    Map<Kind, int[]> changed = new EnumMap<>(runs);
    for (Kind kind : Kind.values()) {
      int[] out = ofKind(removed, kind);
      int[] in = ofKind(added, kind);
      if (out.length == 0 && in.length == 0) {
        continue;
      }
      if (!runs.containsKey(kind)) {
        throw new IllegalArgumentException("layout " + layout + " has no run of " + kind);
      }
      changed.put(kind, insert(remove(runs.get(kind), out, kind), in, kind));
    }
    return new Relocations(layout, offset, wide, changed);
  }

  private int[] ofKind(List<Entry> entries, Kind kind) {
    return entries.stream()
        .filter(e -> e.kind() == kind)
        .mapToInt(
            e -> {
              if (widen((int) e.address()) != e.address() || e.address() == 0) {
                throw new IllegalArgumentException(
                    "0x%x is no relocatable link address".formatted(e.address()));
              }
              return (int) e.address();
            })
        .sorted()
        .toArray();
  }

  private static int[] remove(int[] run, int[] gone, Kind kind) {
    boolean[] used = new boolean[gone.length];
    int[] out = new int[run.length];
    int n = 0;
    for (int entry : run) {
      int i = Arrays.binarySearch(gone, entry);
      if (i >= 0) {
        used[i] = true;
      } else {
        out[n++] = entry;
      }
    }
    for (int i = 0; i < used.length; i++) {
      if (!used[i]) {
        throw new IllegalArgumentException(
            "no %s relocation at 0x%x to remove".formatted(kind, gone[i] & 0xffff_ffffL));
      }
    }
    return Arrays.copyOf(out, n);
  }

  /** Merges ascending {@code added} into the run, which a kernel build leaves ascending. */
  private static int[] insert(int[] run, int[] added, Kind kind) {
    int[] out = new int[run.length + added.length];
    int from = 0;
    int n = 0;
    for (int entry : added) {
      while (from < run.length && Integer.compareUnsigned(run[from], entry) < 0) {
        out[n++] = run[from++];
      }
      if ((from < run.length && run[from] == entry) || (n > 0 && out[n - 1] == entry)) {
        throw new IllegalArgumentException(
            "a %s relocation at 0x%x exists already".formatted(kind, entry & 0xffff_ffffL));
      }
      out[n++] = entry;
    }
    System.arraycopy(run, from, out, n, run.length - from);
    return out;
  }

  /** The tail's bytes as a kernel build writes them; empty without a tail. */
  public byte[] toBytes() {
    int words = 0;
    for (Kind kind : layout.runs()) {
      words += 1 + runs.get(kind).length;
    }
    byte[] out = new byte[4 * words];
    int at = 0;
    for (Kind kind : layout.runs()) {
      at += 4;
      for (int entry : runs.get(kind)) {
        LittleEndian.put32(out, at, entry);
        at += 4;
      }
    }
    return out;
  }

  /** The ELF part of {@code payload} followed by this tail. */
  public byte[] appendTo(byte[] payload) {
    byte[] tail = toBytes();
    byte[] out = Arrays.copyOf(payload, offset + tail.length);
    System.arraycopy(tail, 0, out, offset, tail.length);
    return out;
  }
}
