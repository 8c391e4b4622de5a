package org.hypergraft.patcher.rewrite;

import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.image.Section;

/**
 * The old bytes of everything a patched image changed, kept in a section of the image itself: any
 * output can be compared with its original, verified and reverted without another file.
 *
 * <p>Layout, little endian, numbers of variable length (7 bits a byte, low first) unless said
 * otherwise: magic (4 bytes); length of the original payload; CRC-32 of each of its pages (4 bytes
 * each); number of leading bytes that kept their place; length and bytes of the end of the original
 * ELF, from there on; count of runs, then for each run the distance from the end of the previous
 * one, its length and its old bytes; count of removed relocation entries, then each as kind (1
 * byte) and address (8 bytes); the same of added ones.
 */
public final class UndoLog {
  /** Section that holds the log; not loaded. */
  public static final String SECTION = ".hypergraft.undo";

  private static final int MAGIC = 0x31554748; // "HGU1"

  /** Bytes that share a checksum. */
  public static final int PAGE = 4096;

  /** Relocation kinds by their number in the log. */
  private static final List<Relocations.Kind> KINDS =
      List.of(
          Relocations.Kind.ABSOLUTE_64, Relocations.Kind.INVERSE_32, Relocations.Kind.ABSOLUTE_32);

  /** One stretch of changed bytes: payload offset and what was there. */
  @SuppressWarnings("ArrayRecordComponent") // read-only within the package
  public record Run(int offset, byte[] before) {}

  private final int originalLength;
  private final int[] pageCrcs;
  private final int keptBytes;
  private final byte[] originalEnd;
  private final List<Run> runs;
  private final List<Relocations.Entry> removed;
  private final List<Relocations.Entry> added;

  UndoLog(
      int originalLength,
      int[] pageCrcs,
      int keptBytes,
      byte[] originalEnd,
      List<Run> runs,
      List<Relocations.Entry> removed,
      List<Relocations.Entry> added) {
    this.originalLength = originalLength;
    this.pageCrcs = pageCrcs;
    this.keptBytes = keptBytes;
    this.originalEnd = originalEnd;
    this.runs = List.copyOf(runs);
    this.removed = List.copyOf(removed);
    this.added = List.copyOf(added);
  }

  /** The log of a patched image. */
  public static Optional<UndoLog> of(GuestImage image) {
    Optional<Section> s = image.section(SECTION);
    if (s.isEmpty() || !s.get().hasBytes()) {
      return Optional.empty();
    }
    ByteBuffer b =
        ByteBuffer.wrap(image.payload(), s.get().offset(), (int) s.get().size())
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
    try {
      return Optional.of(read(b, image));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new ImageException(
          "%s: section %s is damaged at byte 0x%x of 0x%x"
              .formatted(image.name(), SECTION, b.position(), b.limit()),
          e);
    }
  }

  private static UndoLog read(ByteBuffer b, GuestImage image) {
    if (b.getInt() != MAGIC) {
      throw new IllegalArgumentException("magic");
    }
    int length = number(b);
    int[] crcs = new int[pages(length)];
    if (crcs.length > b.remaining() / 4) {
      throw new BufferUnderflowException();
    }
    for (int i = 0; i < crcs.length; i++) {
      crcs[i] = b.getInt();
    }
    int kept = number(b);
    byte[] end = bytes(b);
    int count = number(b);
    List<Run> runs = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < count; i++) {
      long start = (long) at + number(b);
      byte[] before = bytes(b);
      if (before.length == 0 || start > image.payload().length - before.length) {
        throw new IllegalArgumentException("run");
      }
      runs.add(new Run((int) start, before));
      at = (int) start + before.length;
    }
    UndoLog log = new UndoLog(length, crcs, kept, end, runs, entries(b), entries(b));
    if (kept > image.payload().length
        || kept > length
        || end.length > length - kept
        || b.hasRemaining()) {
      throw new IllegalArgumentException("lengths");
    }
    return log;
  }

  private static List<Relocations.Entry> entries(ByteBuffer b) {
    int count = number(b);
    List<Relocations.Entry> out = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int kind = b.get();
      if (kind < 0 || kind >= KINDS.size()) {
        throw new IllegalArgumentException("kind");
      }
      out.add(new Relocations.Entry(KINDS.get(kind), b.getLong()));
    }
    return out;
  }

  private static int number(ByteBuffer b) {
    long value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      byte next = b.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        if (value > Integer.MAX_VALUE) {
          break;
        }
        return (int) value;
      }
    }
    throw new IllegalArgumentException("number");
  }

  private static byte[] bytes(ByteBuffer b) {
    int n = number(b);
    if (n > b.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] out = new byte[n];
    b.get(out);
    return out;
  }

  byte[] toBytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 16);
    put32(out, MAGIC);
    put(out, originalLength);
    for (int crc : pageCrcs) {
      put32(out, crc);
    }
    put(out, keptBytes);
    put(out, originalEnd.length);
    out.writeBytes(originalEnd);
    put(out, runs.size());
    int at = 0;
    for (Run r : runs) {
      put(out, r.offset() - at);
      put(out, r.before().length);
      out.writeBytes(r.before());
      at = r.offset() + r.before().length;
    }
    put(out, removed);
    put(out, added);
    return out.toByteArray();
  }

  private static void put(ByteArrayOutputStream out, List<Relocations.Entry> entries) {
    put(out, entries.size());
    for (Relocations.Entry e : entries) {
      out.write(KINDS.indexOf(e.kind()));
      put32(out, (int) e.address());
      put32(out, (int) (e.address() >> 32));
    }
  }

  private static void put(ByteArrayOutputStream out, int value) {
    int left = value;
    while (left >= 0x80) {
      out.write((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    out.write(left);
  }

  private static void put32(ByteArrayOutputStream out, int value) {
    out.write(value);
    out.write(value >> 8);
    out.write(value >> 16);
    out.write(value >> 24);
  }

  /** Changed stretches, ascending. */
  public List<Run> runs() {
    return runs;
  }

  /** Relocation entries that the patch dropped. */
  public List<Relocations.Entry> removedRelocations() {
    return removed;
  }

  /** Relocation entries that the patch added. */
  public List<Relocations.Entry> addedRelocations() {
    return added;
  }

  /**
   * The original payload of a patched image.
   *
   * @throws ImageException when what comes out is not what the patch started from
   */
  public byte[] revert(GuestImage patched) {
    byte[] out = restore(patched);
    List<Integer> damaged = damagedPages(out);
    if (!damaged.isEmpty()) {
      throw new ImageException(
          "%s: it was changed after it was patched: %d pages differ, the first at payload byte 0x%x"
              .formatted(patched.name(), damaged.size(), damaged.get(0)));
    }
    return out;
  }

  /**
   * The same, whether or not the image was changed since.
   *
   * @throws ImageException when the log does not fit the image
   */
  public byte[] restore(GuestImage patched) {
    Relocations tail;
    try {
      tail = patched.relocations().edited(added, removed);
    } catch (IllegalArgumentException e) {
      throw new ImageException(
          "%s: its relocation tail does not fit its undo log: %s"
              .formatted(patched.name(), e.getMessage()),
          e);
    }
    byte[] words = tail.toBytes();
    long length = (long) keptBytes + originalEnd.length + words.length;
    if (length != originalLength) {
      throw new ImageException(
          "%s: its undo log describes an original of %d bytes, but leads to %d"
              .formatted(patched.name(), originalLength, length));
    }
    byte[] out = new byte[originalLength];
    System.arraycopy(patched.payload(), 0, out, 0, keptBytes);
    System.arraycopy(originalEnd, 0, out, keptBytes, originalEnd.length);
    System.arraycopy(words, 0, out, keptBytes + originalEnd.length, words.length);
    for (Run r : runs) {
      if (r.offset() > out.length - r.before().length) {
        throw new ImageException(
            "%s: its undo log changes bytes behind the original's end".formatted(patched.name()));
      }
      System.arraycopy(r.before(), 0, out, r.offset(), r.before().length);
    }
    return out;
  }

  /**
   * Pages of what {@link #restore} gave that are not as they were when the image was patched: their
   * payload offsets, ascending.
   */
  public List<Integer> damagedPages(byte[] restored) {
    int[] now = pageCrcs(restored);
    List<Integer> out = new ArrayList<>();
    for (int i = 0; i < now.length; i++) {
      if (now[i] != pageCrcs[i]) {
        out.add(i * PAGE);
      }
    }
    return out;
  }

  /** CRC-32 of each page of a payload, the last one cut short. */
  static int[] pageCrcs(byte[] payload) {
    int[] out = new int[pages(payload.length)];
    CRC32 crc = new CRC32();
    for (int i = 0; i < out.length; i++) {
      crc.reset();
      crc.update(payload, i * PAGE, Math.min(PAGE, payload.length - i * PAGE));
      out[i] = (int) crc.getValue();
    }
    return out;
  }

  private static int pages(int length) {
    return (int) ((length + (long) PAGE - 1) / PAGE);
  }

  /** Adds the runs in which {@code before[at..]} differs from {@code after[0..length)}. */
  static void differences(byte[] before, int at, byte[] after, int length, List<Run> out) {
    int i = 0;
    while (i < length) {
      int k = Arrays.mismatch(before, at + i, at + length, after, i, length);
      if (k < 0) {
        return;
      }
      int start = i + k;
      int end = start + 1;
      while (end < length && before[at + end] != after[end]) {
        end++;
      }
      out.add(new Run(at + start, Arrays.copyOfRange(before, at + start, at + end)));
      i = end;
    }
  }
}
