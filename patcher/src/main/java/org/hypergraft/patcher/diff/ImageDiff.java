package org.hypergraft.patcher.diff;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.image.SymbolTable;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Formatter;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.patcher.rewrite.HypergraftNote;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.patcher.rewrite.UndoLog;

/** The differences between two images of one kernel, whatever was done to either. */
public final class ImageDiff {
  private final GuestImage first;
  private final GuestImage second;
  private final SymbolTable symbols;
  private final List<SiteChange> changes;
  private final Map<String, Integer> data;

  ImageDiff(
      GuestImage first,
      GuestImage second,
      SymbolTable symbols,
      List<SiteChange> changes,
      Map<String, Integer> data) {
    this.first = first;
    this.second = second;
    this.symbols = symbols;
    this.changes = List.copyOf(changes);
    this.data = Collections.unmodifiableMap(new TreeMap<>(data));
  }

  /**
   * Compares two images, one of which is, or knows, the original.
   *
   * @throws ImageException when they are not of the same kernel, or neither knows the original
   */
  public static ImageDiff of(GuestImage first, GuestImage second) {
    return of(first, second, Optional.empty());
  }

  /**
   * Compares two images.
   *
   * @param original the image that both were made from; needed when neither of the two is it or
   *     carries the log that leads back to it
   * @throws ImageException when they are not of the same kernel, or the original is not known
   */
  public static ImageDiff of(GuestImage first, GuestImage second, Optional<GuestImage> original) {
    sameKernel(first, second);
    if (original.isPresent()) {
      sameKernel(first, original.get());
      return new Comparison(first, second, Patcher.original(original.get())).run();
    }
    return new Comparison(first, second, originalOf(first, second)).run();
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

  /** Of the two, the one that was not patched; else what the first with an undo log leads to. */
  private static GuestImage originalOf(GuestImage first, GuestImage second) {
    List<GuestImage> both = List.of(first, second);
    Optional<GuestImage> known =
        both.stream()
            .filter(i -> HypergraftNote.of(i).isEmpty())
            .findFirst()
            .or(
                () ->
                    both.stream().filter(i -> i.section(UndoLog.SECTION).isPresent()).findFirst());
    return Patcher.original(
        known.orElseThrow(
            () ->
                new ImageException(
                    "%s and %s are both patched, and neither has the section %s that leads back to"
                            .formatted(first.name(), second.name(), UndoLog.SECTION)
                        + " the original; name it with --original")));
  }

  public GuestImage first() {
    return first;
  }

  public GuestImage second() {
    return second;
  }

  /** Places with different code, by address. */
  public List<SiteChange> changes() {
    return changes;
  }

  /** Bytes that differ in sections without code, by section. */
  public Map<String, Integer> data() {
    return data;
  }

  /** Whether nothing differs that the guest loads. */
  public boolean isEmpty() {
    return changes.isEmpty() && data.isEmpty();
  }

  /** The same comparison with fewer changes listed. */
  public ImageDiff only(Predicate<SiteChange> wanted) {
    return new ImageDiff(first, second, symbols, changes.stream().filter(wanted).toList(), data);
  }

  /** Counts by table and operation. */
  public List<ChangeCounts> byOperation() {
    return ChangeCounts.byOperation(changes);
  }

  /** Counts by table, operation and function. */
  public List<ChangeCounts> byFunction() {
    return ChangeCounts.byFunction(changes);
  }

  /** The instructions that start in a place, as the first image has them. */
  public List<String> before(SiteChange c) {
    return text(first, c);
  }

  /** The instructions that start in a place, as the second image has them. */
  public List<String> after(SiteChange c) {
    return text(second, c);
  }

  /** One that does not decode ends the list. */
  private List<String> text(GuestImage image, SiteChange c) {
    List<String> out = new ArrayList<>();
    Insn insn = new Insn();
    byte[] b = image.payload();
    int offset = image.offsetOf(c.address(), c.length());
    int at = 0;
    while (at < c.length()) {
      int limit = Math.min(b.length, offset + at + Decoder.MAX_LENGTH);
      int n = Decoder.decode(b, offset + at, limit, c.address() + at, image.elf().bits(), insn);
      if (n == 0) {
        out.add("(bad)");
        break;
      }
      out.add(Formatter.att(insn, this::name));
      at += n;
    }
    return out;
  }

  private String name(long address) {
    return symbols
        .nearest(address)
        .filter(s -> address - s.address() < Math.max(1, s.size()))
        .map(s -> Symbol.place(s.name(), address - s.address()))
        .orElse(null);
  }
}
