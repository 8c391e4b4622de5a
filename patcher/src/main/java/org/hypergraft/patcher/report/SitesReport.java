package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.hypergraft.annotator.site.Site;

/** The annotated places of an image, one per line, with counts by table below. */
public final class SitesReport implements Document {
  private final List<Site> sites;

  /** A report on these sites, in the order to be shown. */
  public SitesReport(List<Site> sites) {
    this.sites = List.copyOf(sites);
  }

  @Override
  public void text(PrintWriter out) {
    int table = "table".length();
    int operation = "operation".length();
    Map<String, Integer> counts = new TreeMap<>();
    for (Site s : sites) {
      table = Math.max(table, s.table().length());
      operation = Math.max(operation, Math.min(40, s.operation().length()));
      counts.merge(s.table(), 1, Integer::sum);
    }
    String line = "%-16s  %6s  %-" + table + "s  %-" + operation + "s  %-40s  %s%n";
    out.printf(line, "address", "length", "table", "operation", "symbol", "bytes");
    for (Site s : sites) {
      out.printf(
          line,
          Long.toHexString(s.address()),
          s.length(),
          s.table(),
          s.operation(),
          s.symbol(),
          Text.bytes(s.bytes()));
    }
    out.println();
    counts.forEach((name, n) -> out.println(Text.count(n, "site") + " in " + name));
    out.println(Text.count(sites.size(), "site"));
  }

  @Override
  public Json json() {
    return new Json()
        .put("count", sites.size())
        .list(
            "sites",
            sites,
            s ->
                new Json()
                    .address("address", s.address())
                    .put("length", s.length())
                    .put("table", s.table())
                    .put("operation", s.operation())
                    .put("symbol", s.symbol())
                    .put("bytes", Text.bytes(s.bytes())));
  }
}
