package org.hypergraft.annotator.kernels;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

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
   * flavour words.
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
    int asked = words.stream().mapToInt(w -> w.isEmpty() ? 0 : w.split("-", -1).length).sum();
    return Math.max(0, flavour.size() - asked);
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
