package org.hypergraft.patcher.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class MemorySizeTest {
  private final MemorySize sizes = new MemorySize();

  @Test
  void unitsAreBinary() {
    assertEquals(256L << 20, sizes.convert("256M"));
    assertEquals(256L << 20, sizes.convert("256MiB"));
    assertEquals(1L << 30, sizes.convert("1g"));
    assertEquals(0x10000000L, sizes.convert("0x10000000"));
    assertEquals(10L << 10, sizes.convert("010k"));
  }

  @Test
  void nonsenseIsRefused() {
    for (String s : new String[] {"", "lots", "-1M", "0", "1T", "M", "99999999999G"}) {
      assertThrows(TypeConversionException.class, () -> sizes.convert(s), s);
    }
  }
}
