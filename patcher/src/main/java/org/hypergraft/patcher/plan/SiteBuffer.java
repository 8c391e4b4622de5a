package org.hypergraft.patcher.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hypergraft.annotator.image.Relocations;

/**
 * The bytes of one site, or of several that overlap, on their way from what the image has to what
 * the kernel would make of them. Reused from site to site. Positions are relative to its start.
 */
final class SiteBuffer {
  private long start;
  private int length;
  private byte[] bytes = new byte[512];
  private byte[] original = new byte[512];
  private boolean[] open = new boolean[512];
  private int openCount;
  private String reason;
  private final List<Relocations.Entry> relocations = new ArrayList<>();
  private List<Relocations.Entry> originalRelocations = List.of();

  /** Starts over with {@code count} bytes of {@code source}. */
  void load(long address, byte[] source, int offset, int count, Relocations tail) {
    if (count > bytes.length) {
      bytes = new byte[count * 2];
      original = new byte[count * 2];
      open = new boolean[count * 2];
    } else if (openCount > 0) {
      Arrays.fill(open, false);
    }
    start = address;
    length = count;
    System.arraycopy(source, offset, bytes, 0, count);
    System.arraycopy(source, offset, original, 0, count);
    openCount = 0;
    reason = null;
    relocations.clear();
    originalRelocations = tail == null ? List.of() : tail.overlapping(address, address + count);
    relocations.addAll(originalRelocations);
  }

  long start() {
    return start;
  }

  int length() {
    return length;
  }

  /** The bytes as they are now; rules read them and write them through {@link #write}. */
  byte[] bytes() {
    return bytes;
  }

  /**
   * Replaces bytes. Relocated fields in the range are gone with them.
   *
   * @throws Refusal when a relocated field lies across the border of the range
   */
  void write(int at, byte[] source, int from, int count) throws Refusal {
    System.arraycopy(source, from, bytes, at, count);
    if (openCount > 0) {
      for (int i = at; i < at + count; i++) {
        openCount -= open[i] ? 1 : 0;
        open[i] = false;
      }
    }
    if (!relocations.isEmpty()) {
      dropRelocations(start + at, start + at + count);
    }
  }

  private void dropRelocations(long from, long to) throws Refusal {
    for (int i = relocations.size() - 1; i >= 0; i--) {
      Relocations.Entry e = relocations.get(i);
      long end = e.address() + e.kind().size();
      if (end <= from || e.address() >= to) {
        continue;
      }
      if (e.address() < from || end > to) {
        throw new Refusal(
            "the relocated field at 0x%x lies across the border of the replaced bytes"
                .formatted(e.address()));
      }
      relocations.remove(i);
    }
  }

  /** Says that a relocated field of that kind is now at a position. */
  void addRelocation(Relocations.Kind kind, int at) {
    relocations.add(new Relocations.Entry(kind, start + at));
  }

  /** Says that the facts do not decide what these bytes become. */
  void leaveOpen(int at, int count, String why) {
    for (int i = at; i < at + count; i++) {
      openCount += open[i] ? 0 : 1;
      open[i] = true;
    }
    reason = why;
  }

  /** Whether any byte is open. */
  boolean isOpen() {
    return openCount > 0;
  }

  /** Why bytes are open. */
  String reason() {
    return reason;
  }

  boolean changed() {
    return !Arrays.equals(bytes, 0, length, original, 0, length);
  }

  /** Relocated fields that are no longer there. */
  List<Relocations.Entry> removedRelocations() {
    return minus(originalRelocations, relocations);
  }

  /** Relocated fields that were not there before. */
  List<Relocations.Entry> addedRelocations() {
    return minus(relocations, originalRelocations);
  }

  private static List<Relocations.Entry> minus(
      List<Relocations.Entry> a, List<Relocations.Entry> b) {
    if (a.isEmpty()) {
      return List.of();
    }
    List<Relocations.Entry> out = new ArrayList<>(a);
    out.removeAll(b);
    return out;
  }
}
