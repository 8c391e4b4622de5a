package org.hypergraft.patcher.diff;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * How many sites of one table, operation and function differ.
 *
 * @param function empty in a summary over all functions
 * @param added sites that only the second image changed
 * @param removed sites that only the first image changed
 * @param changed sites that both changed, differently
 */
public record ChangeCounts(
    String table, String operation, String function, int added, int removed, int changed) {
  /** All three. */
  public int total() {
    return added + removed + changed;
  }

  /** By table and operation, in that order. */
  static List<ChangeCounts> byOperation(List<SiteChange> changes) {
    return group(changes, c -> "");
  }

  /** By table, operation and function, in that order. */
  static List<ChangeCounts> byFunction(List<SiteChange> changes) {
    return group(changes, SiteChange::function);
  }

  private static List<ChangeCounts> group(
      List<SiteChange> changes, Function<SiteChange, String> function) {
    record Key(String table, String operation, String function) {}
    Map<Key, int[]> counts =
        new TreeMap<>(
            Comparator.comparing(Key::table)
                .thenComparing(Key::operation)
                .thenComparing(Key::function));
    for (SiteChange c : changes) {
      Key key = new Key(c.table(), c.operation(), function.apply(c));
      int[] n = counts.computeIfAbsent(key, k -> new int[SiteChange.Kind.values().length]);
      switch (c.kind()) {
        case ADDED -> n[0]++;
        case REMOVED -> n[1]++;
        case CHANGED -> n[2]++;
      }
    }
    List<ChangeCounts> out = new ArrayList<>(counts.size());
    counts.forEach(
        (k, n) -> out.add(new ChangeCounts(k.table, k.operation, k.function, n[0], n[1], n[2])));
    return out;
  }
}
