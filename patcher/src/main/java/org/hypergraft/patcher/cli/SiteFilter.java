package org.hypergraft.patcher.cli;

import java.util.List;
import picocli.CommandLine.Option;

/** Which sites are wanted, as {@code sites} and {@code diff} take it. */
final class SiteFilter {
  @Option(
      names = "--table",
      paramLabel = "NAME",
      split = ",",
      description = "Only the sites of these tables.")
  private List<String> tables = List.of();

  @Option(
      names = "--operation",
      paramLabel = "PREFIX",
      description = "Only operations that start so.")
  private String operation = "";

  @Option(
      names = "--symbol",
      paramLabel = "PREFIX",
      description = "Only sites in functions that start so.")
  private String symbol = "";

  /** The tables that were named; none when all are wanted. */
  List<String> tables() {
    return tables;
  }

  /**
   * Whether a site is wanted.
   *
   * @param table its table
   * @param does its operation
   * @param place the function it lies in; may have an offset behind it
   */
  boolean admits(String table, String does, String place) {
    return (tables.isEmpty() || tables.contains(table))
        && does.startsWith(operation)
        && place.startsWith(symbol);
  }
}
