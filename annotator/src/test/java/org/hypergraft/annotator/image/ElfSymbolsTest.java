package org.hypergraft.annotator.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ElfSymbolsTest {
  private static final long TEXT = TestElf.TEXT + 0x200;

  /** name, info (bind << 4 | type), section, value, size. */
  private record Entry(String name, int info, int section, long value, long size) {}

  private static GuestImage image(Entry... entries) {
    StringBuilder strings = new StringBuilder("\0");
    ByteBuffer table =
        ByteBuffer.allocate(24 * (entries.length + 1)).order(ByteOrder.LITTLE_ENDIAN);
    table.position(24);
    for (Entry e : entries) {
      table.putInt(e.name.isEmpty() ? 0 : strings.length());
      table.put((byte) e.info).put((byte) 0).putShort((short) e.section);
      table.putLong(e.value).putLong(e.size);
      strings.append(e.name).append('\0');
    }
    byte[] elf =
        TestElf.elf64()
            .section(".text", 1, 6, new byte[0x100])
            .section(".data", 1, 3, new byte[0x100])
            .section(".strtab", 3, 0, strings.toString().getBytes(StandardCharsets.US_ASCII))
            .section(".symtab", 2, 0, table.array(), 3, 1, 24)
            .build();
    return GuestImage.parse(elf, "symbols");
  }

  private static final GuestImage IMAGE =
      image(
          new Entry("late", 0x12, 1, TEXT + 0x40, 0x10),
          new Entry("local", 0x02, 1, TEXT, 0),
          new Entry("file.c", 0x04, 0xfff1, 0, 0),
          new Entry("", 0x03, 1, TEXT, 0),
          new Entry("undefined", 0x10, 0, 0, 0),
          new Entry("weak", 0x22, 1, TEXT + 0x40, 0),
          new Entry("label", 0x00, 1, TEXT + 0x60, 0),
          new Entry("table", 0x11, 2, TEXT + 0x100, 0x80),
          new Entry("twin", 0x01, 2, TEXT + 0x180, 8),
          new Entry("twin", 0x01, 2, TEXT + 0x190, 8));

  @Test
  void symbolsComeSortedWithTheirLetters() {
    SymbolTable symbols = IMAGE.symbols();
    assertEquals(".symtab", symbols.origin());
    assertEquals(
        List.of("local t", "late T", "weak W", "label t", "table D", "twin d", "twin d"),
        symbols.all().stream().map(s -> s.name() + " " + s.type()).toList());
    assertEquals(0x40, symbols.find("local").orElseThrow().size());
    assertEquals(0x10, symbols.find("late").orElseThrow().size());
  }

  @Test
  void addressesAreNamed() {
    SymbolTable symbols = IMAGE.symbols();
    assertEquals("local", symbols.covering(TEXT + 0x3f).orElseThrow().name());
    assertEquals("late", symbols.covering(TEXT + 0x40).orElseThrow().name());
    assertTrue(symbols.covering(TEXT + 0x110).isEmpty());
    assertEquals("table", symbols.nearest(TEXT + 0x110).orElseThrow().name());
    assertTrue(symbols.covering(TEXT - 1).isEmpty());
    assertEquals("label+0x1f", symbols.describe(TEXT + 0x7f));
    assertEquals("late", symbols.describe(TEXT + 0x40));
    assertEquals("table+0x8", symbols.describe(TEXT + 0x108));
    assertEquals("0x1234", symbols.describe(0x1234));
  }

  @Test
  void namesAreFound() {
    SymbolTable symbols = IMAGE.symbols();
    assertEquals(TEXT + 0x180, symbols.addressOf("twin"));
    assertEquals(2, symbols.findAll("twin").size());
    assertFalse(symbols.contains("undefined"));
    assertFalse(symbols.contains(""));
    assertFalse(symbols.contains("lat"));
    ImageException e = assertThrows(ImageException.class, () -> symbols.addressOf("nobody"));
    assertTrue(e.getMessage().contains("nobody"), e.getMessage());
  }

  @Test
  void imageWithoutSymbolsHasNone() {
    SymbolTable none = GuestImage.parse(TestElf.small(false), "bare").symbols();
    assertEquals(0, none.size());
    assertEquals("none", none.origin());
    assertTrue(none.find("x").isEmpty());
    assertTrue(none.covering(0xc1000210L).isEmpty());
    assertEquals("0xc1000210", none.describe(0xc1000210L));
  }
}
