package org.hypergraft.annotator.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Symbols in text; the syntax itself is covered by the golden vectors. */
class FormatterTest {
  private static final Symbolizer SYMBOLS = a -> a == 0x2000 ? "pv_ops+0x10" : null;

  @Test
  void namesBranchTargets() {
    Insn in = Vectors.decode(64, "e8fb0f0000");
    assertEquals("call   0x2000 <pv_ops+0x10>", Formatter.intel(in, SYMBOLS));
    assertEquals("call   0x2000 <pv_ops+0x10>", Formatter.att(in, SYMBOLS));
    assertEquals("call   0x2000", Formatter.att(in, Symbolizer.NONE));
  }

  @Test
  void namesRipRelativeOperands() {
    Insn in = Vectors.decode(64, "ff15fa0f0000");
    assertEquals("call   *0xffa(%rip)        # 0x2000 <pv_ops+0x10>", Formatter.att(in, SYMBOLS));
    assertEquals(
        "call   QWORD PTR [rip+0xffa]        # 0x2000 <pv_ops+0x10>", Formatter.intel(in, SYMBOLS));
  }

  @Test
  void printsWhatIsNoInstruction() {
    Insn in = new Insn();
    assertEquals(0, Decoder.decode(new byte[] {0x06}, 0, 1, 0, 64, in));
    assertEquals("(bad)", Formatter.intel(in, SYMBOLS));
    assertEquals("(bad)", Formatter.att(in, SYMBOLS));
  }
}
