package org.hypergraft.annotator.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A kernel release as {@code uname -r} prints it, split into version numbers and flavour words:
 * {@code 6.1.0-56-cloud-amd64} is 6, 1, 0, 56 and cloud, amd64.
 *
 * @param text the release itself
 * @param numbers version numbers, the packaging revision last
 * @param flavour words after the numbers, in order
 */
public record KernelRelease(String text, List<Integer> numbers, List<String> flavour)
    implements Comparable<KernelRelease> {
  private static final Comparator<KernelRelease> ORDER =
      Comparator.comparing(KernelRelease::numbers, KernelRelease::compareNumbers)
          .thenComparing(KernelRelease::text);

  /** Flavour words that name an architecture, and alone its plain flavour. */
  private static final Set<String> ARCHITECTURES = Set.of("amd64", "686");

  public KernelRelease {
    numbers = List.copyOf(numbers);
    flavour = List.copyOf(flavour);
  }

  /** Splits a release; text without a leading number gives no numbers. */
  public static KernelRelease parse(String release) {
    List<Integer> numbers = new ArrayList<>();
    List<String> flavour = new ArrayList<>();
    for (String part : release.toLowerCase(Locale.ROOT).split("[-+_]", -1)) {
      if (flavour.isEmpty()
          && part.matches("\\d{1,6}(\\.\\d{1,6})*")
          && !part.matches("[3-6]86")) { // Debian's i386 flavours are numbers too
        for (String number : part.split("\\.", -1)) {
          numbers.add(Integer.parseInt(number));
        }
      } else if (!part.isEmpty() && !part.matches("deb\\d+u?\\d*|bpo\\.\\d+|rc\\d+")) {
        flavour.add(part);
      }
    }
    return new KernelRelease(release, numbers, flavour);
  }

  /**
   * How well this release answers a selector such as {@code 6.1 cloud}: a version prefix, then
   * flavour words. A selector that names the architecture must name the whole flavour.
   *
   * @return flavour words the selector did not ask for, or -1 when it does not match
   */
  public int distance(String selector) {
    List<String> words =
        new ArrayList<>(Arrays.asList(selector.trim().toLowerCase(Locale.ROOT).split("\\s+", -1)));
    if (words.get(0).matches("\\d+(\\.\\d+)*")) {
      List<Integer> prefix =
          Arrays.stream(words.remove(0).split("\\.", -1)).map(Integer::valueOf).toList();
      if (prefix.size() > numbers.size() || !numbers.subList(0, prefix.size()).equals(prefix)) {
        return -1;
      }
    }
    for (String word : words) {
      if (!word.isEmpty() && !flavour.containsAll(List.of(word.split("-", -1)))) {
        return -1;
      }
    }
    List<String> asked =
        words.stream()
            .flatMap(w -> Arrays.stream(w.split("-", -1)))
            .filter(w -> !w.isEmpty())
            .toList();
    int others = Math.max(0, flavour.size() - asked.size());
    // "6.1 amd64" is Debian's plain flavour: a cloud or pae kernel has other tables.
    return others > 0 && asked.stream().anyMatch(ARCHITECTURES::contains) ? -1 : others;
  }

  @Override
  public int compareTo(KernelRelease other) {
    return ORDER.compare(this, other);
  }

  private static int compareNumbers(List<Integer> a, List<Integer> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      int order = Integer.compare(a.get(i), b.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.size(), b.size());
  }
}
