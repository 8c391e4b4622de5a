package org.hypergraft.patcher.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Relocations;

/**
 * What every patchable site of an image becomes, and what changes with it. Immutable; entries are
 * in address order and do not overlap.
 */
public final class Plan {
  /**
   * One site, or several that overlap.
   *
   * @param address link address
   * @param length bytes
   * @param table the first table that names it, in the order the kernel applies them
   * @param operation what it does
   * @param action what happens to it
   * @param reason why it is kept or refused; empty for PATCH
   * @param replacement its final bytes; for KEEP and REFUSE those it has
   */
  @SuppressWarnings("ArrayRecordComponent") // made for one caller
  public record Entry(
      long address,
      int length,
      String table,
      String operation,
      Action action,
      String reason,
      byte[] replacement) {}

  /**
   * A table that is left to the guest as a whole.
   *
   * @param table its name
   * @param entries how many entries it has
   * @param reason why
   */
  public record Untouched(String table, int entries, String reason) {}

  /**
   * Bytes outside the sites that change with them: table entries, constants.
   *
   * @param offset payload offset
   * @param before what is there
   * @param after what goes there
   * @param purpose for people
   */
  @SuppressWarnings("ArrayRecordComponent") // four bytes that nobody changes
  public record Edit(int offset, byte[] before, byte[] after, String purpose) {}

  private final GuestImage image;
  private final PlanOptions options;
  private final int count;
  private final long[] address;
  private final int[] offset;
  private final int[] length;
  private final int[] table;
  private final int[] operation;
  private final byte[] action;
  private final int[] reason;
  private final int[] pool;
  private final byte[] poolBytes;
  private final List<String> names;
  private final List<Untouched> untouched;
  private final List<Edit> edits;
  private final List<Relocations.Entry> removed;
  private final List<Relocations.Entry> added;
  private final List<String> requires;
  private final List<String> sealObstacles;

  private Plan(Builder b) {
    image = b.image;
    options = b.options;
    count = b.count;
    address = Arrays.copyOf(b.address, count);
    offset = Arrays.copyOf(b.offset, count);
    length = Arrays.copyOf(b.length, count);
    table = Arrays.copyOf(b.table, count);
    operation = Arrays.copyOf(b.operation, count);
    action = Arrays.copyOf(b.action, count);
    reason = Arrays.copyOf(b.reason, count);
    pool = Arrays.copyOf(b.pool, count);
    poolBytes = Arrays.copyOf(b.poolBytes, b.poolSize);
    names = List.copyOf(b.names);
    untouched = List.copyOf(b.untouched);
    edits = List.copyOf(b.edits);
    removed = List.copyOf(b.removed);
    added = List.copyOf(b.added);
    requires = List.copyOf(b.requires);
    sealObstacles = List.copyOf(b.sealObstacles);
  }

  /** The image that was planned for. */
  public GuestImage image() {
    return image;
  }

  public PlanOptions options() {
    return options;
  }

  /** Number of entries. */
  public int size() {
    return count;
  }

  public Entry entry(int i) {
    return new Entry(
        address[i],
        length[i],
        table(i),
        operation(i),
        action(i),
        names.get(reason[i]),
        action(i) == Action.PATCH
            ? Arrays.copyOfRange(poolBytes, pool[i], pool[i] + length[i])
            : Arrays.copyOfRange(image.payload(), offset[i], offset[i] + length[i]));
  }

  /** All entries as objects; a large plan has more than a hundred thousand. */
  public List<Entry> entries() {
    List<Entry> out = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      out.add(entry(i));
    }
    return out;
  }

  public long address(int i) {
    return address[i];
  }

  /** Payload offset of entry {@code i}. */
  public int offset(int i) {
    return offset[i];
  }

  public int length(int i) {
    return length[i];
  }

  public String table(int i) {
    return names.get(table[i]);
  }

  public String operation(int i) {
    return names.get(operation[i]);
  }

  public Action action(int i) {
    return ACTIONS[action[i]];
  }

  private static final Action[] ACTIONS = Action.values();

  /** Whether a PATCH entry differs from what the image has. */
  public boolean changes(int i) {
    return action(i) == Action.PATCH
        && !Arrays.equals(
            poolBytes,
            pool[i],
            pool[i] + length[i],
            image.payload(),
            offset[i],
            offset[i] + length[i]);
  }

  /** Copies entry {@code i}'s final bytes to a position. */
  public void copyReplacement(int i, byte[] to, int at) {
    System.arraycopy(poolBytes, pool[i], to, at, length[i]);
  }

  /** Index of the entry that covers an address, or -1. */
  public int covering(long linkAddress) {
    int low = 0;
    int high = count;
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (address[mid] <= linkAddress) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    return low > 0 && linkAddress < address[low - 1] + length[low - 1] ? low - 1 : -1;
  }

  /** Tables that the guest keeps. */
  public List<Untouched> untouched() {
    return untouched;
  }

  /** Changes outside the sites. */
  public List<Edit> edits() {
    return edits;
  }

  /** Relocated fields that are gone with replaced bytes. */
  public List<Relocations.Entry> removedRelocations() {
    return removed;
  }

  /** Relocated fields that came with replacement bytes. */
  public List<Relocations.Entry> addedRelocations() {
    return added;
  }

  /** What the result needs of its environment, one item each, for people and the output's note. */
  public List<String> requires() {
    return requires;
  }

  /** Why the image cannot be sealed although that was asked for; empty when it can. */
  public List<String> sealObstacles() {
    return sealObstacles;
  }

  /** Entries by action. */
  public Map<Action, Integer> counts() {
    Map<Action, Integer> out = new EnumMap<>(Action.class);
    for (int i = 0; i < count; i++) {
      out.merge(action(i), 1, Integer::sum);
    }
    return out;
  }

  /** Entries by table and action. */
  public Map<String, Map<Action, Integer>> countsByTable() {
    Map<String, Map<Action, Integer>> out = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      out.computeIfAbsent(table(i), t -> new EnumMap<>(Action.class))
          .merge(action(i), 1, Integer::sum);
    }
    return out;
  }

  /** Entries by operation and action. */
  public Map<String, Map<Action, Integer>> countsByOperation() {
    Map<String, Map<Action, Integer>> out = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      out.computeIfAbsent(operation(i), t -> new EnumMap<>(Action.class))
          .merge(action(i), 1, Integer::sum);
    }
    return out;
  }

  /** Kept or refused entries by reason. */
  public Map<String, Integer> reasons() {
    Map<String, Integer> out = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      if (action(i) != Action.PATCH) {
        out.merge(names.get(reason[i]), 1, Integer::sum);
      }
    }
    return out;
  }

  /** Collects a plan; entries in any order. */
  static final class Builder {
    private final GuestImage image;
    private final PlanOptions options;
    private int count;
    private long[] address = new long[4096];
    private int[] offset = new int[4096];
    private int[] length = new int[4096];
    private int[] table = new int[4096];
    private int[] operation = new int[4096];
    private byte[] action = new byte[4096];
    private int[] reason = new int[4096];
    private int[] pool = new int[4096];
    private byte[] poolBytes = new byte[1 << 16];
    private int poolSize;
    private final List<String> names = new ArrayList<>();
    private final Map<String, Integer> nameIndex = new HashMap<>();
    private final List<Untouched> untouched = new ArrayList<>();
    private final List<Edit> edits = new ArrayList<>();
    private final List<Relocations.Entry> removed = new ArrayList<>();
    private final List<Relocations.Entry> added = new ArrayList<>();
    private List<String> requires = List.of();
    private final List<String> sealObstacles = new ArrayList<>();

    Builder(GuestImage image, PlanOptions options) {
      this.image = image;
      this.options = options;
      name("");
    }

    private int name(String s) {
      return nameIndex.computeIfAbsent(
          s,
          k -> {
            names.add(k);
            return names.size() - 1;
          });
    }

    @SuppressWarnings("EnumOrdinal") // a column of this run, read back through the same enum
    void add(SiteBuffer b, int at, String tableName, String op, Action a, String why) {
      if (count == address.length) {
        grow();
      }
      address[count] = b.start();
      offset[count] = at;
      length[count] = b.length();
      table[count] = name(tableName);
      operation[count] = name(op);
      action[count] = (byte) a.ordinal();
      reason[count] = name(why);
      if (a == Action.PATCH) {
        if (poolSize + b.length() > poolBytes.length) {
          poolBytes =
              Arrays.copyOf(poolBytes, Math.max(2 * poolBytes.length, poolSize + b.length()));
        }
        pool[count] = poolSize;
        System.arraycopy(b.bytes(), 0, poolBytes, poolSize, b.length());
        poolSize += b.length();
        removed.addAll(b.removedRelocations());
        added.addAll(b.addedRelocations());
      }
      count++;
    }

    private void grow() {
      int n = count * 2;
      address = Arrays.copyOf(address, n);
      offset = Arrays.copyOf(offset, n);
      length = Arrays.copyOf(length, n);
      table = Arrays.copyOf(table, n);
      operation = Arrays.copyOf(operation, n);
      action = Arrays.copyOf(action, n);
      reason = Arrays.copyOf(reason, n);
      pool = Arrays.copyOf(pool, n);
    }

    void untouched(String tableName, int entries, String why) {
      untouched.add(new Untouched(tableName, entries, why));
    }

    void edit(Edit e) {
      edits.add(e);
    }

    void requires(List<String> items) {
      requires = items;
    }

    void sealObstacle(String why) {
      sealObstacles.add(why);
    }

    Plan build() {
      Collections.sort(edits, (x, y) -> Integer.compare(x.offset(), y.offset()));
      return new Plan(this);
    }
  }
}
