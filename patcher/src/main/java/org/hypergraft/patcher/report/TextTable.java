package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows of cells in aligned columns, two spaces apart; numbers to the right. */
public final class TextTable {
  private final String[] titles;
  private final boolean[] right;
  private final List<String[]> rows = new ArrayList<>();

  /** Column titles; one that starts with {@code >} aligns its column to the right. */
  public TextTable(String... titles) {
    this.titles = titles.clone();
    right = new boolean[titles.length];
    for (int i = 0; i < titles.length; i++) {
      if (titles[i].startsWith(">")) {
        right[i] = true;
        this.titles[i] = titles[i].substring(1);
      }
    }
  }

  /** Adds a row; numbers are grouped, null is an empty cell. */
  public TextTable row(Object... cells) {
    if (cells.length != titles.length) {
      throw new IllegalArgumentException(cells.length + " cells for " + titles.length + " columns");
    }
    String[] row = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      Object cell = cells[i];
      if (cell == null) {
        row[i] = "";
      } else if (cell instanceof Long || cell instanceof Integer) {
        row[i] = Text.number(((Number) cell).longValue());
      } else {
        row[i] = cell.toString();
      }
    }
    rows.add(row);
    return this;
  }

  public boolean isEmpty() {
    return rows.isEmpty();
  }

  /** Prints titles and rows, each line after {@code indent} and without trailing spaces. */
  public void print(PrintWriter out, String indent) {
    int[] width = new int[titles.length];
    for (int i = 0; i < width.length; i++) {
      width[i] = titles[i].length();
      for (String[] row : rows) {
        width[i] = Math.max(width[i], row[i].length());
      }
    }
    line(out, indent, titles, width);
    for (String[] row : rows) {
      line(out, indent, row, width);
    }
  }

  private void line(PrintWriter out, String indent, String[] cells, int[] width) {
    StringBuilder s = new StringBuilder(indent);
    for (int i = 0; i < cells.length; i++) {
      String pad = " ".repeat(width[i] - cells[i].length());
      s.append(i == 0 ? "" : "  ").append(right[i] ? pad + cells[i] : cells[i] + pad);
    }
    out.println(s.toString().stripTrailing());
  }
}
