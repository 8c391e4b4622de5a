package org.hypergraft.annotator.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Finds a kernel's kallsyms tables without symbols, by their structure. Four layouts are in use
 * (scripts/kallsyms.c over the versions); all share {@code num_syms, names, markers} in front of
 * the token table and its index:
 *
 * <ul>
 *   <li>5.10: offsets, relative_base, num_syms, names, markers, token_table, token_index
 *   <li>6.1: the same with seqs_of_names between markers and token_table
 *   <li>6.4 and later: offsets, relative_base, seqs_of_names after token_index
 *   <li>7.x: the same without relative_base; offsets are relative to themselves
 * </ul>
 *
 * <p>Nothing is believed because it is likely: 256 tokens must agree with the token index, every
 * marker with the name it marks, and the addresses must ascend and lie in the image. Two readings
 * that both hold are reported, not chosen between.
 */
final class KallsymsFinder {
  /** The single-character tokens of the ten digits, which every kernel's names use. */
  private static final byte[] DIGITS = digits();

  private static final int MIN_SYMBOLS = 256;
  private static final int MAX_SYMBOLS = 4_000_000;

  /** Longest token accepted; the build's are pairs of pairs, well below this. */
  private static final int MAX_TOKEN = 128;

  /**
   * Share of symbols that must lie in loaded memory, in percent; per-CPU and absolute ones need
   * not.
   */
  private static final int MIN_INSIDE = 90;

  /** Steps to spend on false starts before giving up; real kernels take a few million. */
  private static final long MAX_STEPS = 400_000_000;

  private final byte[] b;
  private final Elf elf;
  private final boolean wide;
  private final int from;
  private final int to;
  private final AddressMap map;
  private final Steps steps;

  private int tokenTable;
  private int tokenIndex;
  private int[] tokenStart;
  private int[] tokenLength;

  private KallsymsFinder(byte[] b, Elf elf, int from, int to, Steps steps) {
    this.b = b;
    this.steps = steps;
    this.elf = elf;
    this.wide = elf.bits() == 64;
    this.from = from;
    this.to = to;
    this.map = new AddressMap(elf);
  }

  /** Bounds the search in data made to look like tables everywhere. */
  private static final class Steps {
    private long left = MAX_STEPS;

    void spend(long n) {
      left -= n;
      if (left < 0) {
        throw new ImageException(
            "kallsyms: too many places look like symbol tables, and none holds");
      }
    }
  }

  /** How the build stored addresses. */
  private enum Rule {
    /** Negative: base - 1 - v; else absolute (CONFIG_KALLSYMS_ABSOLUTE_PERCPU). */
    PERCPU_ABSOLUTE("absolute per-CPU"),
    /** base + unsigned v. */
    BASE_RELATIVE("base relative"),
    /** Address of the field + v. */
    SELF_RELATIVE("self relative");

    final String label;

    Rule(String label) {
      this.label = label;
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // moves arrays about, is never compared
  private record Names(int numSymsAt, int count, int[] start, short[] lengths, boolean sequences) {}

  @SuppressWarnings("ArrayRecordComponent")
  private record Reading(String label, long[] addresses) {}

  /** The symbols, or null when the payload has no kallsyms tables. */
  static SymbolTable find(byte[] b, Elf elf) {
    List<SymbolTable> found = new ArrayList<>();
    List<Integer> places = new ArrayList<>();
    Steps steps = new Steps();
    for (int[] area : areas(elf)) {
      int at = area[0];
      while ((at = LittleEndian.indexOf(b, at, area[1], DIGITS)) >= 0) {
        KallsymsFinder finder = new KallsymsFinder(b, elf, area[0], area[1], steps);
        steps.spend(1000);
        if (finder.tokens(at)) {
          found.add(finder.table());
          places.add(finder.tokenTable);
        }
        at++;
      }
      if (!found.isEmpty()) {
        break;
      }
    }
    if (found.size() > 1) {
      throw new ImageException(
          "kallsyms is ambiguous: complete tables end at payload bytes 0x%x and 0x%x"
              .formatted(places.get(0), places.get(1)));
    }
    return found.isEmpty() ? null : found.get(0);
  }

  /** Read-only data first: the tables are there in every kernel that has section headers. */
  private static List<int[]> areas(Elf elf) {
    List<int[]> out = new ArrayList<>();
    elf.section(".rodata")
        .filter(Section::hasBytes)
        .ifPresent(s -> out.add(new int[] {s.offset(), (int) (s.offset() + s.size())}));
    for (Segment s : elf.segments()) {
      if (s.loaded() && s.fileSize() > 0) {
        out.add(new int[] {s.offset(), (int) (s.offset() + s.fileSize())});
      }
    }
    return out;
  }

  private static byte[] digits() {
    byte[] out = new byte[20];
    for (int i = 0; i < 10; i++) {
      out[2 * i] = (byte) ('0' + i);
    }
    return out;
  }

  /** Token table around the digits, proven by the token index that follows it. */
  private boolean tokens(int digits) {
    int first = digits;
    for (int token = '0'; token > 1; token--) {
      first = previousToken(first);
      if (first < 0) {
        return false;
      }
    }
    tokenStart = new int[256];
    tokenLength = new int[256];
    int at = first;
    for (int i = 1; i < 256; i++) {
      int end = at;
      while (end < to && b[end] != 0) {
        end++;
      }
      if (end >= to || end == at || end - at > MAX_TOKEN) {
        return false;
      }
      tokenStart[i] = at;
      tokenLength[i] = end - at;
      at = end + 1;
    }
    for (int align : new int[] {4, 8}) {
      tokenIndex = alignUp(at, align);
      if (tokenIndex <= to - 512 && indexAgrees(first)) {
        return true;
      }
    }
    return false;
  }

  private int previousToken(int at) {
    int terminator = at - 1;
    if (terminator < from || b[terminator] != 0) {
      return -1;
    }
    int limit = Math.max(from, terminator - MAX_TOKEN);
    int i = terminator;
    while (i > limit && b[i - 1] != 0) {
      i--;
    }
    return i == terminator ? -1 : i;
  }

  /** What precedes token 0 need not be a NUL, so its start is taken from the index too. */
  private boolean indexAgrees(int first) {
    int skipped = LittleEndian.u16(b, tokenIndex + 2);
    tokenTable = first - skipped;
    if (skipped < 2 || skipped > MAX_TOKEN || tokenTable < from || b[first - 1] != 0) {
      return false;
    }
    tokenStart[0] = tokenTable;
    tokenLength[0] = skipped - 1;
    for (int i = 0; i < 256; i++) {
      if (LittleEndian.u16(b, tokenIndex + 2 * i) != tokenStart[i] - tokenTable) {
        return false;
      }
    }
    return true;
  }

  private SymbolTable table() {
    Names names = null;
    steps.spend((tokenTable - from) / 4);
    for (int at = alignDown(tokenTable - 8, 4); at >= from; at -= 4) {
      int n = LittleEndian.s32(b, at);
      if (n < MIN_SYMBOLS || n > MAX_SYMBOLS || tokenTable - at < 2L * n) {
        continue;
      }
      steps.spend(2000);
      Names candidate = names(at, n);
      if (candidate != null) {
        if (names != null) {
          throw new ImageException(
              "kallsyms is ambiguous: symbol counts at payload bytes 0x%x and 0x%x both fit"
                  .formatted(names.numSymsAt, at));
        }
        names = candidate;
      }
    }
    if (names == null) {
      throw new ImageException(
          "kallsyms token table at payload byte 0x%x, but no symbol count in front of it fits"
              .formatted(tokenTable));
    }
    Reading reading = addresses(names);
    String label =
        "kallsyms (%s%s)".formatted(reading.label, names.sequences ? ", seqs_of_names" : "");
    return new SymbolTable(
        label,
        elf,
        new Kallsyms(b, names.start, names.lengths, tokenStart, tokenLength),
        reading.addresses);
  }

  /** Reads n names behind {@code at} and checks them against the markers that must follow. */
  private Names names(int at, int n) {
    for (int align : new int[] {4, 8}) {
      Names names = names(at, n, alignUp(at + 4, align));
      if (names != null) {
        return names;
      }
    }
    return null;
  }

  private Names names(int numSymsAt, int n, int first) {
    if (!plausible(first, n)) {
      return null; // found out before anything is allocated
    }
    int[] start = new int[n];
    short[] lengths = new short[n];
    int[] marks = new int[(n + 255) / 256];
    int at = first;
    for (int i = 0; i < n; i++) {
      if (i % 256 == 0) {
        marks[i / 256] = at - first;
      }
      int length = b[at++] & 0xff;
      if (length >= 0x80) {
        length = (length & 0x7f) | ((b[at++] & 0xff) << 7);
      }
      start[i] = at;
      lengths[i] = (short) length;
      int expanded = 0;
      for (int end = at + length; at < end; at++) {
        expanded += tokenLength[b[at] & 0xff];
      }
      if (expanded > Kallsyms.MAX_NAME) {
        return null;
      }
    }
    for (int align : new int[] {4, 8}) {
      int markers = alignUp(at, align);
      if (markersAgree(markers, marks)) {
        int gap = tokenTable - (markers + 4 * marks.length);
        boolean sequences = gap >= 3 * n && gap < 3 * n + 8;
        if (sequences || (gap >= 0 && gap < 8)) {
          return new Names(numSymsAt, n, start, lengths, sequences);
        }
      }
    }
    return null;
  }

  /**
   * Whether n names stand there: a length each, two bytes of ULEB128 when it is a "big" one (6.1),
   * and an nm letter first.
   */
  private boolean plausible(int first, int n) {
    int at = first;
    for (int i = 0; i < n; i++) {
      if ((i & 0xfff) == 0xfff) {
        steps.spend(0x1000);
      }
      if (at >= tokenTable - 2) {
        return false;
      }
      int length = b[at++] & 0xff;
      if (length >= 0x80) {
        length = (length & 0x7f) | ((b[at++] & 0xff) << 7);
      }
      if (length == 0 || length > tokenTable - at || !isLetter(at)) {
        return false;
      }
      at += length;
    }
    return true;
  }

  /** Whether the name at {@code at} starts with an nm letter. */
  private boolean isLetter(int at) {
    int c = b[tokenStart[b[at] & 0xff]] | 0x20;
    return c >= 'a' && c <= 'z';
  }

  private boolean markersAgree(int markers, int[] marks) {
    if (markers + 4L * marks.length > tokenTable) {
      return false;
    }
    for (int i = 0; i < marks.length; i++) {
      if (LittleEndian.s32(b, markers + 4 * i) != marks[i]) {
        return false;
      }
    }
    return true;
  }

  /** Tries every address rule at the two places the layouts have for the offsets. */
  private Reading addresses(Names names) {
    List<Reading> holding = new ArrayList<>();
    int n = names.count;
    int word = wide ? 8 : 4;
    // Old layouts: offsets, base and count stand in this order in front of the names.
    int base = alignDown(names.numSymsAt - word, word);
    int offsets = alignDown(base - 4 * n, word);
    if (offsets >= from) {
      consider(holding, "offsets first", offsets, n, readWord(base));
    }
    // New layouts: behind the token index.
    int after = alignUp(tokenIndex + 512, word);
    int baseAfter = alignUp(after + 4 * n, word);
    if (baseAfter <= to - word) {
      consider(holding, "offsets last", after, n, readWord(baseAfter));
    }
    int packed = alignUp(tokenIndex + 512, 4);
    if (packed + 4L * n <= to) {
      long[] addresses = decode(packed, n, 0, Rule.SELF_RELATIVE);
      if (holds(addresses)) {
        holding.add(new Reading("offsets last, " + Rule.SELF_RELATIVE.label, addresses));
      }
    }
    if (holding.size() != 1) {
      throw new ImageException(
          "kallsyms names found at payload byte 0x%x, but %s for their addresses"
              .formatted(
                  names.numSymsAt,
                  holding.isEmpty()
                      ? "no known layout holds"
                      : "%d layouts hold (%s)"
                          .formatted(
                              holding.size(), holding.stream().map(Reading::label).toList())));
    }
    return holding.get(0);
  }

  private void consider(List<Reading> holding, String label, int offsets, int n, long base) {
    if (map.offsetOf(base, 1) < 0) {
      return;
    }
    for (Rule rule : new Rule[] {Rule.PERCPU_ABSOLUTE, Rule.BASE_RELATIVE}) {
      if (rule == Rule.PERCPU_ABSOLUTE && !wide) {
        continue; // only x86-64 ever had it
      }
      long[] addresses = decode(offsets, n, base, rule);
      if (holds(addresses)) {
        holding.add(new Reading(label + ", " + rule.label, addresses));
      }
    }
  }

  private long[] decode(int offsets, int n, long base, Rule rule) {
    long[] out = new long[n];
    long self = map.addressOf(offsets);
    for (int i = 0; i < n; i++) {
      int v = LittleEndian.s32(b, offsets + 4 * i);
      out[i] =
          switch (rule) {
            case PERCPU_ABSOLUTE -> v < 0 ? base - 1 - v : v;
            case BASE_RELATIVE -> base + (v & 0xffff_ffffL);
            case SELF_RELATIVE -> self + 4L * i + v;
          };
    }
    return out;
  }

  /** Ascending, nearly all in the image's memory, and not all the same. */
  private boolean holds(long[] addresses) {
    long[] lows = loads().mapToLong(Segment::virtualAddress).toArray();
    long[] sizes = loads().mapToLong(Segment::memorySize).toArray();
    int inside = 0;
    for (int i = 0; i < addresses.length; i++) {
      long address = addresses[i];
      if (i > 0 && Long.compareUnsigned(address, addresses[i - 1]) < 0) {
        return false;
      }
      for (int k = 0; k < lows.length; k++) {
        long in = address - lows[k];
        if (in >= 0 && in <= sizes[k]) {
          inside++;
          break;
        }
      }
    }
    return inside >= (long) addresses.length * MIN_INSIDE / 100
        && addresses[0] != addresses[addresses.length - 1]
        && Arrays.stream(lows).anyMatch(low -> low != 0);
  }

  private java.util.stream.Stream<Segment> loads() {
    // Segments linked at 0 hold per-CPU data; addresses there prove nothing.
    return elf.segments().stream().filter(s -> s.loaded() && s.virtualAddress() != 0);
  }

  private long readWord(int at) {
    return wide ? LittleEndian.u64(b, at) : LittleEndian.u32(b, at);
  }

  private static int alignUp(int at, int align) {
    return at + align - 1 & -align;
  }

  private static int alignDown(int at, int align) {
    return at & -align;
  }
}
