package org.hypergraft.patcher.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class TextTableTest {
  @Test
  void alignsColumns() {
    StringWriter s = new StringWriter();
    PrintWriter out = new PrintWriter(s);
    new TextTable("operation", ">sites").row("irq.disable", 1234).row("x", null).print(out, "  ");
    assertEquals(
        String.join(
            System.lineSeparator(), "  operation    sites", "  irq.disable  1,234", "  x", ""),
        s.toString());
  }

  @Test
  void sizesAndCounts() {
    assertEquals("53.4 MiB", Text.size(55_994_678));
    assertEquals("512 bytes", Text.size(512));
    assertEquals("1 site", Text.count(1, "site"));
    assertEquals("3,679 sites", Text.count(3679, "site"));
  }
}
