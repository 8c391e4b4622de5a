package org.hypergraft.patcher.diff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Formatter;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Symbolizer;
import org.hypergraft.annotator.site.SiteIndex;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.rewrite.Patcher;

/**
 * The differences between two images of the same kernel.
 *
 * @param first name of the first image
 * @param second name of the second image
 * @param changes sites with different code, by address
 * @param data bytes that differ in sections without code, by section
 */
public record ImageDiff(
    String first, String second, List<SiteChange> changes, Map<String, Integer> data) {

  public ImageDiff {
    changes = List.copyOf(changes);
    data = java.util.Collections.unmodifiableMap(new TreeMap<>(data));
  }

  /**
   * Compares two images.
   *
   * @throws ImageException when they are not of the same kernel
   */
  public static ImageDiff of(GuestImage first, GuestImage second) {
    sameKernel(first, second);
    GuestImage original = Patcher.original(first);
    SiteMap sites = SiteMap.of(original);
    return new Comparison(first, second, original, sites).run();
  }

  private static void sameKernel(GuestImage a, GuestImage b) {
    boolean same =
        a.elf().segments().equals(b.elf().segments())
            && a.banner().equals(b.banner())
            && a.buildId().equals(b.buildId());
    if (!same) {
      throw new ImageException(
          "%s and %s are not images of the same kernel: %s, %s"
              .formatted(
                  a.name(),
                  b.name(),
                  a.banner().orElse("no version line"),
                  b.banner().orElse("no version line")));
    }
  }

  /** Changes by operation and kind. */
  public Map<String, Map<SiteChange.Kind, Integer>> counts() {
    Map<String, Map<SiteChange.Kind, Integer>> out = new TreeMap<>();
    for (SiteChange c : changes) {
      out.computeIfAbsent(c.operation(), o -> new EnumMap<>(SiteChange.Kind.class))
          .merge(c.kind(), 1, Integer::sum);
    }
    return out;
  }

  private static final class Comparison {
    private final GuestImage first;
    private final GuestImage second;
    private final GuestImage original;
    private final SiteMap sites;
    private final SiteIndex index;
    private final Insn insn = new Insn();
    private final List<SiteChange> changes = new ArrayList<>();
    private final Map<String, Integer> data = new TreeMap<>();

    Comparison(GuestImage first, GuestImage second, GuestImage original, SiteMap sites) {
      this.first = first;
      this.second = second;
      this.original = original;
      this.sites = sites;
      index = new SiteIndex(sites);
    }

    ImageDiff run() {
      for (Section s : original.elf().sections()) {
        if (s.allocated() && s.hasBytes()) {
          section(s);
        }
      }
      changes.sort((x, y) -> Long.compareUnsigned(x.address(), y.address()));
      return new ImageDiff(first.name(), second.name(), changes, data);
    }

    private void section(Section s) {
      byte[] a = first.payload();
      byte[] b = second.payload();
      int end = (int) (s.offset() + s.size());
      int at = s.offset();
      long delta = s.address() - s.offset();
      BitSet seen = new BitSet();
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
        int stop = at + 1;
        while (stop < end && a[stop] != b[stop]) {
          stop++;
        }
        if (s.executable() && !s.writable()) {
          add(at + delta, stop - at, "", "code");
        } else {
          data.merge(s.name(), stop - at, Integer::sum);
        }
        at = stop;
      }
    }

    private void add(long address, int length, String table, String operation) {
      byte[] before = first.bytes(address, length);
      byte[] after = second.bytes(address, length);
      byte[] pristine = original.bytes(address, length);
      SiteChange.Kind kind =
          Arrays.equals(before, pristine)
              ? SiteChange.Kind.ADDED
              : Arrays.equals(after, pristine) ? SiteChange.Kind.REMOVED : SiteChange.Kind.CHANGED;
      changes.add(
          new SiteChange(
              address,
              length,
              original.symbols().size() == 0 ? "" : original.symbols().describe(address),
              table,
              operation,
              kind,
              before,
              after,
              text(first, address, length),
              text(second, address, length)));
    }

    /** The instructions that start in the range; one that does not decode ends the list. */
    private List<String> text(GuestImage image, long address, int length) {
      List<String> out = new ArrayList<>();
      int offset = sites.code().offsetOf(address, length);
      byte[] b = image.payload();
      Symbolizer names = this::name;
      int at = 0;
      while (at < length) {
        int n =
            Decoder.decode(
                b,
                offset + at,
                Math.min(b.length, offset + at + Decoder.MAX_LENGTH),
                address + at,
                image.elf().bits(),
                insn);
        if (n == 0) {
          out.add("(bad)");
          break;
        }
        out.add(Formatter.att(insn, names));
        at += n;
      }
      return out;
    }

    private String name(long address) {
      return original
          .symbols()
          .nearest(address)
          .filter(s -> address - s.address() < Math.max(1, s.size()))
          .map(s -> describe(s, address))
          .orElse(null);
    }

    private static String describe(Symbol s, long address) {
      long in = address - s.address();
      return in == 0 ? s.name() : s.name() + "+0x" + Long.toHexString(in);
    }
  }
}
