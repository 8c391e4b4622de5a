package org.hypergraft.patcher.validate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Two consoles compared line by line: timestamps are stripped, figures that a {@link ConsoleRule}
 * names are masked, and what still differs is kept.
 *
 * <p>printk's lines, told by their timestamps, are compared apart from the others: the kernel
 * prints whenever it likes, also into the middle of what a program writes.
 *
 * @param lines number of lines the original printed
 * @param allowed number of differing lines that a rule explains, by the rule's name
 * @param residual what no rule explains: {@code "- line"} of the original, {@code "+ line"} of the
 *     patched guest, in the order of the consoles, printk's first
 */
public record ConsoleComparison(int lines, Map<String, Integer> allowed, List<String> residual) {
  /** printk's {@code [ 0.123456] }, with or without a caller column. */
  private static final Pattern TIMESTAMP =
      Pattern.compile("(?:<\\d+>)?\\[ *\\d+\\.\\d{6}\\](?:\\[ *[TC]\\d+\\])? ?");

  /** Beyond this many pairs of lines the alignment is not worth its memory. */
  private static final long MAX_CELLS = 16_000_000;

  /** A line as printed (without its timestamp), as compared, and the rule that masked it. */
  private record Line(String text, String masked, ConsoleRule rule) {
    boolean movable() {
      return rule != null && rule.movable();
    }
  }

  /** A console's lines by who printed them, none of them blank. */
  private record Streams(List<Line> printk, List<Line> others) {
    static Streams of(String console) {
      Streams s = new Streams(new ArrayList<>(), new ArrayList<>());
      String begun = ""; // a line that printk cut off
      for (String raw : console.split("\\R")) {
        Matcher stamp = TIMESTAMP.matcher(raw);
        if (stamp.find()) {
          begun += raw.substring(0, stamp.start());
          add(s.printk, raw.substring(stamp.end()));
        } else {
          add(s.others, begun + raw);
          begun = "";
        }
      }
      add(s.others, begun);
      return s;
    }

    private static void add(List<Line> to, String text) {
      if (!text.isBlank()) {
        to.add(mask(text.stripTrailing()));
      }
    }

    int size() {
      return printk.size() + others.size();
    }
  }

  /** A line that only one of the consoles has in this place. */
  private record Odd(Line line, boolean original) {
    @Override
    public String toString() {
      return (original ? "- " : "+ ") + line.text();
    }
  }

  public ConsoleComparison {
    allowed = Map.copyOf(allowed);
    residual = List.copyOf(residual);
  }

  /** Whether the original printed nothing, which proves nothing. */
  public boolean empty() {
    return lines == 0;
  }

  /** Compares the consoles of the original and of the patched guest. */
  public static ConsoleComparison of(String original, String patched) {
    Streams a = Streams.of(original);
    Streams b = Streams.of(patched);
    List<Odd> residual = new ArrayList<>();
    Map<String, Integer> allowed = new TreeMap<>();
    align(a.printk(), b.printk(), residual, allowed);
    align(a.others(), b.others(), residual, allowed);
    pairMoved(residual, allowed);
    return new ConsoleComparison(a.size(), allowed, residual.stream().map(Odd::toString).toList());
  }

  /** Takes out the lines that both consoles have, in different places, where a rule allows it. */
  private static void pairMoved(List<Odd> residual, Map<String, Integer> allowed) {
    for (Odd gone : List.copyOf(residual)) {
      if (!gone.original() || !gone.line().movable()) {
        continue;
      }
      for (Odd found : residual) {
        if (!found.original() && same(gone.line(), found.line())) {
          residual.remove(gone);
          residual.remove(found);
          allowed.merge(gone.line().rule().name(), 1, Integer::sum);
          break;
        }
      }
    }
  }

  private static Line mask(String text) {
    for (ConsoleRule rule : ConsoleRule.ALL) {
      Matcher m = rule.line().matcher(text);
      if (m.matches()) {
        StringBuilder masked = new StringBuilder(text);
        for (int g = m.groupCount(); g > 0; g--) {
          if (m.start(g) >= 0) {
            masked.replace(m.start(g), m.end(g), "#");
          }
        }
        // A rule without groups lets the whole line vary; its name stands for it.
        String key = m.groupCount() == 0 ? "\0" + rule.name() + rule.line() : masked.toString();
        return new Line(text, key, rule);
      }
    }
    return new Line(text, text, null);
  }

  private static void align(
      List<Line> a, List<Line> b, List<Odd> residual, Map<String, Integer> allowed) {
    int start = 0;
    while (start < a.size() && start < b.size() && same(a.get(start), b.get(start))) {
      note(a.get(start), b.get(start), allowed);
      start++;
    }
    int endA = a.size();
    int endB = b.size();
    while (endA > start && endB > start && same(a.get(endA - 1), b.get(endB - 1))) {
      note(a.get(--endA), b.get(--endB), allowed);
    }
    List<Line> middleA = a.subList(start, endA);
    List<Line> middleB = b.subList(start, endB);
    if ((long) middleA.size() * middleB.size() > MAX_CELLS) {
      middleA.forEach(line -> residual.add(new Odd(line, true)));
      middleB.forEach(line -> residual.add(new Odd(line, false)));
      return;
    }
    int[][] common = commonTails(middleA, middleB);
    int i = 0;
    int j = 0;
    while (i < middleA.size() || j < middleB.size()) {
      if (i < middleA.size() && j < middleB.size() && same(middleA.get(i), middleB.get(j))) {
        note(middleA.get(i++), middleB.get(j++), allowed);
      } else if (j == middleB.size()
          || (i < middleA.size() && common[i + 1][j] >= common[i][j + 1])) {
        residual.add(new Odd(middleA.get(i++), true));
      } else {
        residual.add(new Odd(middleB.get(j++), false));
      }
    }
  }

  /** Length of the longest common subsequence of every pair of tails. */
  private static int[][] commonTails(List<Line> a, List<Line> b) {
    int[][] length = new int[a.size() + 1][b.size() + 1];
    for (int i = a.size() - 1; i >= 0; i--) {
      for (int j = b.size() - 1; j >= 0; j--) {
        length[i][j] =
            same(a.get(i), b.get(j))
                ? length[i + 1][j + 1] + 1
                : Math.max(length[i + 1][j], length[i][j + 1]);
      }
    }
    return length;
  }

  private static boolean same(Line a, Line b) {
    return a.masked().equals(b.masked());
  }

  private static void note(Line a, Line b, Map<String, Integer> allowed) {
    if (!a.text().equals(b.text())) {
      allowed.merge(a.rule().name(), 1, Integer::sum);
    }
  }
}
