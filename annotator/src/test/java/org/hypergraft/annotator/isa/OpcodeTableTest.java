package org.hypergraft.annotator.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OpcodeTableTest {
  @Test
  void namesEveryMnemonic() {
    Set<Mnemonic> unused = EnumSet.complementOf(EnumSet.of(Mnemonic.INVALID));
    OpcodeTable table = OpcodeTable.load();
    for (int i = 1; i < table.rows.length; i++) {
      unused.remove(table.rows[i].mnemonic);
    }
    assertEquals(EnumSet.noneOf(Mnemonic.class), unused);
  }

  @Test
  void everyRowCanBeReached() {
    OpcodeTable table = OpcodeTable.load();
    boolean[] reached = new boolean[table.rows.length];
    for (int root : table.roots) {
      mark(table, root, reached);
    }
    for (int i = 1; i < reached.length; i++) {
      assertTrue(reached[i], "row " + i + " " + table.rows[i].mnemonic + " is hidden by another");
    }
  }

  private static void mark(OpcodeTable table, int reference, boolean[] reached) {
    if (reference > 0) {
      reached[reference] = true;
    } else if (reference < 0) {
      int values = OpcodeTable.values(table.nodes[-reference]);
      for (int v = 0; v < values; v++) {
        mark(table, table.nodes[1 - reference + v], reached);
      }
    }
  }

  @Test
  void saysWhereATableIsWrong() {
    assertMessage("map 1\n90 NOPE\n", "line 2");
    assertMessage("map 1\n90 NOP Xx\n", "unknown operand \"Xx\"");
    assertMessage("map 1\n90 NOP - maybe\n", "unknown flag \"maybe\"");
    assertMessage("map 1\n90 NOP\n90 PAUSE\n", "cannot be told apart: NOP PAUSE");
    assertMessage("map 1\n90 NOP\n90/1 PAUSE\n", "disagree on ModRM");
  }

  private static void assertMessage(String text, String expected) {
    String message =
        assertThrows(IllegalStateException.class, () -> new OpcodeTable(text)).getMessage();
    assertTrue(message.contains(expected), message);
  }
}
