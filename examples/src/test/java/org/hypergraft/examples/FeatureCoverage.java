package org.hypergraft.examples;

import java.io.PrintStream;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.SiteMap;

/**
 * Which alternatives the processors of a matrix made kernels take: what none of them took was
 * compared in its other form only.
 */
final class FeatureCoverage {
  /** One kernel. */
  private static final class Seen {
    private final String[] features;
    private final BitSet taken = new BitSet();
    private int boots;

    Seen(SiteMap sites, AlternativeTable table) {
      features = new String[table.entries()];
      for (int i = 0; i < features.length; i++) {
        features[i] = (table.not(i) ? "!" : "") + sites.features().name(table.feature(i));
      }
    }
  }

  private final Map<String, Seen> kernels = new TreeMap<>();

  /** Takes down what one boot decided. */
  void add(String kernel, SiteMap sites, Profile profile) {
    AlternativeTable table = sites.alternatives().orElseThrow();
    Seen seen = kernels.computeIfAbsent(kernel, k -> new Seen(sites, table));
    for (int i = 0; i < table.entries(); i++) {
      if (profile.has(table.feature(i)) != table.not(i)) {
        seen.taken.set(i);
      }
    }
    seen.boots++;
  }

  /** Entries of a kernel that some boot took. */
  int taken(String kernel) {
    return kernels.get(kernel).taken.cardinality();
  }

  /** The features of the entries that no boot took, with the number of entries, by kernel. */
  void print(PrintStream out) {
    kernels.forEach(
        (kernel, seen) -> {
          Map<String, Integer> untaken = new TreeMap<>();
          for (int i = 0; i < seen.features.length; i++) {
            if (!seen.taken.get(i)) {
              untaken.merge(seen.features[i], 1, Integer::sum);
            }
          }
          out.printf(
              "alternatives: %s: %d of %d entries taken in %d boots; features that none took: %s%n",
              kernel, seen.taken.cardinality(), seen.features.length, seen.boots, untaken);
        });
  }
}
