package org.hypergraft.patcher.diff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.site.SiteIndex;
import org.hypergraft.annotator.site.SiteMap;

/** Walks the bytes of two images and names what differs by the tables of their original. */
final class Comparison {
  private static final String CODE = "code";

  private final GuestImage first;
  private final GuestImage second;
  private final GuestImage original;
  private final SiteIndex index;
  private final Insn insn = new Insn();
  private final BitSet seen = new BitSet();
  private final List<SiteChange> changes = new ArrayList<>();
  private final Map<String, Integer> data = new TreeMap<>();

  Comparison(GuestImage first, GuestImage second, GuestImage original) {
    this.first = first;
    this.second = second;
    this.original = original;
    index = new SiteIndex(SiteMap.of(original));
  }

  ImageDiff run() {
    for (Section s : original.elf().sections()) {
      if (s.allocated() && s.hasBytes()) {
        section(s);
      }
    }
    changes.sort((x, y) -> Long.compareUnsigned(x.address(), y.address()));
    return new ImageDiff(first, second, original.symbols(), changes, data);
  }

  private void section(Section s) {
    byte[] a = first.payload();
    byte[] b = second.payload();
    int end = (int) (s.offset() + s.size());
    if (end > a.length || end > b.length) {
      throw new ImageException(
          "%s and %s are not images of the same kernel: the original's section %s ends at byte 0x%x"
              .formatted(first.name(), second.name(), s.name(), end));
    }
    int at = s.offset();
    long delta = s.address() - s.offset();
    while (at < end) {
      int k = Arrays.mismatch(a, at, end, b, at, end);
      if (k < 0) {
        return;
      }
      at += k;
      int i = s.executable() ? index.covering(at + delta) : -1;
      if (i >= 0) {
        if (!seen.get(i)) {
          seen.set(i);
          add(index.address(i), index.length(i), index.table(i), index.operation(i));
        }
        at = (int) (index.address(i) + index.length(i) - delta);
        continue;
      }
      if (s.executable() && !s.writable()) {
        at = code(at, s, delta);
        continue;
      }
      int stop = at + 1;
      while (stop < end && a[stop] != b[stop]) {
        stop++;
      }
      data.merge(s.name(), stop - at, Integer::sum);
      at = stop;
    }
  }

  /**
   * Code that no table names: the whole instruction of the original around the difference.
   *
   * @return where to go on
   */
  private int code(int at, Section s, long delta) {
    int start = at;
    int stop = at + 1;
    Optional<Symbol> function = original.symbols().covering(at + delta);
    if (function.isPresent()) {
      byte[] b = original.payload();
      int end = (int) (s.offset() + s.size());
      int p = (int) (function.get().address() - delta);
      while (p <= at) {
        int n = Decoder.decode(b, p, end, p + delta, original.elf().bits(), insn);
        if (n == 0) {
          break; // data among the code: shown byte by byte
        }
        if (p + n > at) {
          start = p;
          stop = p + n;
        }
        p += n;
      }
    }
    add(start + delta, stop - start, "", CODE);
    return stop;
  }

  private void add(long address, int length, String table, String operation) {
    byte[] before = first.bytes(address, length);
    byte[] after = second.bytes(address, length);
    byte[] pristine = original.bytes(address, length);
    SiteChange.Kind kind =
        Arrays.equals(before, pristine)
            ? SiteChange.Kind.ADDED
            : Arrays.equals(after, pristine) ? SiteChange.Kind.REMOVED : SiteChange.Kind.CHANGED;
    Optional<Symbol> function =
        original.symbols().covering(address).or(() -> original.symbols().nearest(address));
    changes.add(
        new SiteChange(
            address,
            function.map(Symbol::name).orElse(""),
            function.map(f -> address - f.address()).orElse(0L),
            table,
            operation,
            kind,
            before,
            after));
  }
}
