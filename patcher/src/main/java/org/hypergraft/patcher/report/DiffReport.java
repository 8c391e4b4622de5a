package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.diff.ChangeCounts;
import org.hypergraft.patcher.diff.ImageDiff;
import org.hypergraft.patcher.diff.SiteChange;
import org.hypergraft.patcher.rewrite.HypergraftNote;

/** Two images side by side. JSON always has every site; {@link #SCHEMA} names its form. */
public final class DiffReport implements Document {
  /** How much the text tells. */
  public enum Detail {
    /** Counts by table and operation. */
    OPERATIONS,
    /** Counts by function below them. */
    FUNCTIONS,
    /** Every site, with bytes and instructions, and the counts by operation. */
    ASSEMBLY
  }

  /** Name and version of the JSON form; members may be added within a version. */
  static final String SCHEMA = "hypergraft-diff-1";

  /** Least and greatest width of the left column, in characters. */
  private static final int NARROW = 24;

  private static final int WIDE = 72;

  /** Functions that are listed below an operation; JSON and the page have all. */
  private static final int FUNCTIONS = 20;

  private final ImageDiff diff;
  private final Detail detail;

  /** A report on differences. */
  public DiffReport(ImageDiff diff, Detail detail) {
    this.diff = diff;
    this.detail = detail;
  }

  @Override
  public void text(PrintWriter out) {
    out.println("- " + diff.first().name() + ", " + state(diff.first()));
    out.println("+ " + diff.second().name() + ", " + state(diff.second()));
    out.println();
    if (detail == Detail.ASSEMBLY) {
      int column = column();
      diff.changes().forEach(c -> site(out, c, column));
    }
    counts(out);
    diff.data()
        .forEach((name, n) -> out.println(Text.count(n, "byte") + " of data differ in " + name));
    out.println(Text.count(diff.changes().size(), "site") + " with different code");
  }

  /** Whether and how an image was patched. */
  static String state(GuestImage image) {
    return HypergraftNote.of(image).map(n -> "patched: " + n.options()).orElse("not patched");
  }

  private void counts(PrintWriter out) {
    Map<String, List<ChangeCounts>> functions =
        detail == Detail.FUNCTIONS
            ? diff.byFunction().stream()
                .collect(Collectors.groupingBy(c -> c.table() + " " + c.operation()))
            : Map.of();
    TextTable rows = new TextTable("table", "operation", ">+", ">-", ">~");
    for (ChangeCounts o : diff.byOperation()) {
      row(rows, o.table().isEmpty() ? "none" : o.table(), o.operation(), o);
      List<ChangeCounts> below = functions.getOrDefault(o.table() + " " + o.operation(), List.of());
      for (ChangeCounts f : below.subList(0, Math.min(FUNCTIONS, below.size()))) {
        row(rows, "", "  " + (f.function().isEmpty() ? "no symbol" : f.function()), f);
      }
      if (below.size() > FUNCTIONS) {
        rows.row(
            "", "  and " + Text.count(below.size() - FUNCTIONS, "more function"), null, null, null);
      }
    }
    if (!rows.isEmpty()) {
      rows.print(out, "");
      out.println();
    }
  }

  private static void row(TextTable rows, String table, String name, ChangeCounts n) {
    rows.row(table, name, shown(n.added()), shown(n.removed()), shown(n.changed()));
  }

  private static Integer shown(int n) {
    return n == 0 ? null : n;
  }

  private void site(PrintWriter out, SiteChange c, int column) {
    out.printf(
        "%s %x %s  %s%s%n",
        c.kind().sign(),
        c.address(),
        c.symbol(),
        c.operation(),
        c.table().isEmpty() ? "" : "  " + c.table());
    out.println("    " + columns(column, Text.bytes(c.before()), Text.bytes(c.after())));
    List<String> before = diff.before(c);
    List<String> after = diff.after(c);
    for (int i = 0; i < Math.max(before.size(), after.size()); i++) {
      String left = i < before.size() ? before.get(i) : "";
      String right = i < after.size() ? after.get(i) : "";
      out.println("    " + columns(column, left, right));
    }
    out.println();
  }

  private int column() {
    int longest = NARROW;
    for (SiteChange c : diff.changes()) {
      longest = Math.max(longest, 3 * c.length());
      for (String line : diff.before(c)) {
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
        .put("schema", SCHEMA)
        .put("kernel", diff.first().banner().orElse(null))
        .put("first", image(diff.first()))
        .put("second", image(diff.second()))
        .list("byOperation", diff.byOperation(), o -> counts(o, false))
        .list("byFunction", diff.byFunction(), f -> counts(f, true))
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
                    .put("beforeText", diff.before(c))
                    .put("afterText", diff.after(c)));
  }

  /** What identifies an image: its name, its hash and how it was patched. */
  static Json image(GuestImage image) {
    return new Json()
        .put("name", image.name())
        .put("sha256", image.sha256())
        .put("options", HypergraftNote.of(image).map(HypergraftNote::options).orElse(null));
  }

  private static Json counts(ChangeCounts n, boolean function) {
    Json json = new Json().put("table", n.table()).put("operation", n.operation());
    if (function) {
      json.put("function", n.function());
    }
    return json.put("added", n.added()).put("removed", n.removed()).put("changed", n.changed());
  }
}
