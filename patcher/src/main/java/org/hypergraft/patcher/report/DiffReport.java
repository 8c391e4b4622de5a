package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.Map;
import org.hypergraft.patcher.diff.ImageDiff;
import org.hypergraft.patcher.diff.SiteChange;

/** Two images side by side. */
public final class DiffReport implements Document {
  /** Least and greatest width of the left column, in characters. */
  private static final int NARROW = 24;

  private static final int WIDE = 72;

  private final ImageDiff diff;
  private final boolean summary;

  /**
   * A report on differences.
   *
   * @param summary whether the text has the counts only
   */
  public DiffReport(ImageDiff diff, boolean summary) {
    this.diff = diff;
    this.summary = summary;
  }

  @Override
  public void text(PrintWriter out) {
    out.println("- " + diff.first());
    out.println("+ " + diff.second());
    if (!summary) {
      int column = column();
      for (SiteChange c : diff.changes()) {
        out.println();
        out.printf(
            "%s %x %s  %s%s%n",
            c.kind().sign(),
            c.address(),
            c.symbol(),
            c.operation(),
            c.table().isEmpty() ? "" : "  " + c.table());
        out.println("    " + columns(column, Text.bytes(c.before()), Text.bytes(c.after())));
        int lines = Math.max(c.beforeText().size(), c.afterText().size());
        for (int i = 0; i < lines; i++) {
          String left = i < c.beforeText().size() ? c.beforeText().get(i) : "";
          String right = i < c.afterText().size() ? c.afterText().get(i) : "";
          out.println("    " + columns(column, left, right));
        }
      }
    }
    out.println();
    TextTable counts = new TextTable("operation", ">+", ">-", ">~");
    diff.counts()
        .forEach(
            (operation, n) ->
                counts.row(
                    operation,
                    count(n, SiteChange.Kind.ADDED),
                    count(n, SiteChange.Kind.REMOVED),
                    count(n, SiteChange.Kind.CHANGED)));
    if (!counts.isEmpty()) {
      counts.print(out, "  ");
      out.println();
    }
    diff.data()
        .forEach((name, n) -> out.println(Text.count(n, "byte") + " of data differ in " + name));
    out.println(Text.count(diff.changes().size(), "site") + " with different code");
  }

  private static Object count(Map<SiteChange.Kind, Integer> counts, SiteChange.Kind kind) {
    return counts.get(kind);
  }

  private int column() {
    int longest = NARROW;
    for (SiteChange c : diff.changes()) {
      longest = Math.max(longest, 3 * c.length());
      for (String line : c.beforeText()) {
        longest = Math.max(longest, line.length());
      }
    }
    return Math.min(longest + 2, WIDE);
  }

  private static String columns(int column, String left, String right) {
    String pad = " ".repeat(Math.max(2, column - left.length()));
    return (left + pad + right).stripTrailing();
  }

  @Override
  public Json json() {
    Json data = new Json();
    diff.data().forEach(data::put);
    return new Json()
        .put("first", diff.first())
        .put("second", diff.second())
        .list(
            "byOperation",
            diff.counts().entrySet(),
            e ->
                new Json()
                    .put("operation", e.getKey())
                    .put("added", e.getValue().getOrDefault(SiteChange.Kind.ADDED, 0))
                    .put("removed", e.getValue().getOrDefault(SiteChange.Kind.REMOVED, 0))
                    .put("changed", e.getValue().getOrDefault(SiteChange.Kind.CHANGED, 0)))
        .put("data", data)
        .put("count", diff.changes().size())
        .list(
            "changes",
            diff.changes(),
            c ->
                new Json()
                    .address("address", c.address())
                    .put("length", c.length())
                    .put("symbol", c.symbol())
                    .put("table", c.table())
                    .put("operation", c.operation())
                    .put("kind", c.kind().sign())
                    .put("before", Text.bytes(c.before()))
                    .put("after", Text.bytes(c.after()))
                    .put("beforeText", c.beforeText())
                    .put("afterText", c.afterText()));
  }
}
