package org.hypergraft.annotator.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The manuals' rules one by one, above all where objdump is laxer, stricter or older. */
class DecoderRulesTest {
  @ParameterizedTest
  @CsvSource({
    // Intel ignores 66 on near branches in 64-bit code; objdump follows AMD.
    "64, 66e811223344, CALL",
    "64, 660f8411223344, JCC",
    "64, 66c3, RET",
    // REX counts only directly before the opcode.
    "64, 4866b811 22, MOV",
    "64, 4840b811223344, MOV",
    // The last of F2 and F3 selects.
    "64, f2f30f10c0, MOVSS",
    "64, f3f20f10c0, MOVSD",
    "64, 66f30fb8c1, POPCNT",
    "64, f390, PAUSE",
    "64, f34190, XCHG",
    "64, 4190, XCHG",
    "64, 6690, NOP",
    "64, 0f1f00, NOP",
    "64, f30fbcc1, TZCNT",
    "64, f20fbcc1, BSF",
    "64, f30fbdc1, LZCNT",
    "64, f30f1efa, ENDBR64",
    "64, f30f1efb, ENDBR32",
    "64, f30f1ef9, NOP",
    "64, 0fb9cc, UD1",
    "64, 0fffc8, UD0",
    "64, 0f0b, UD2",
    "64, d6, UDB",
    // LFENCE ignores the rm field (SDM).
    "64, 0faee9, LFENCE",
    // Newer than objdump 2.40: FRED, LKGS, PBNDKB, code prefetch.
    "64, f30f01ca, ERETU",
    "64, f20f01ca, ERETS",
    "64, f20f00f0, LKGS",
    "64, 0f01c7, PBNDKB",
    "64, 0f183d00000000, PREFETCHIT0",
    // One byte, two meanings.
    "32, c5f877, VZEROUPPER",
    "32, c54508, LDS",
    "32, 6208, BOUND",
    "32, 40, INC",
    "64, 6308, MOVSXD",
    "32, 6308, ARPL",
    "32, d6, SALC",
    "16, 66ea112233445566, JMPF",
    "16, 0f22c0, MOV",
    "64, 8f00, POP",
    "32, f30fc7f0, RDRAND",
    "64, f30fc7f0, SENDUIPI"
  })
  void mnemonic(int mode, String hex, Mnemonic expected) {
    assertEquals(expected, Vectors.decode(mode, hex).mnemonic);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "06",
        "27",
        "62c0",
        "9a112233445566",
        "ea112233445566",
        "ce",
        "60",
        "82c001",
        "c500",
        "f090",
        "f089c0",
        "f08900f0",
        "f0833c2400",
        "f0c70000000000",
        "8ec8",
        "8ef0",
        "8cf0",
        "0f20c8",
        "0f22e8",
        "440f21c0",
        "0f24c0",
        "660f01ca",
        "f30f01c5",
        "66c5f877",
        "f3c5f877",
        "48c5f877",
        "c5f077",
        "c4e17977",
        "c4e27949c8",
        "62f17c9858c0",
        "62f17c8858c0",
        "62f17c6858c0",
        "62f1fc0858c0",
        "62f17c4a2bc0",
        "62f27d08900490",
        "62f27d09900400",
        "c4e2799204 90",
        "0f38ff00",
        "0f3aff00",
        "0fc7c8",
        "0f0fc011",
        "fff8",
        "fed0"
      })
  void refused(String hex) {
    assertEquals(0, Vectors.length(64, hex), hex);
  }

  @Test
  void fifteenBytesAndNoMore() {
    assertEquals(15, Vectors.length(64, "66".repeat(14) + "90"));
    assertEquals(0, Vectors.length(64, "66".repeat(15) + "90"));
    Insn in = new Insn();
    byte[] prefixes = new byte[64];
    Arrays.fill(prefixes, (byte) 0x66);
    assertEquals(0, Decoder.decode(prefixes, 0, 64, 0, 64, in));
    assertEquals(15, in.length);
    assertEquals(0, Decoder.decode(prefixes, 0, 3, 0, 64, in));
    assertEquals(3, in.length);
  }

  @Test
  void registers() {
    Insn in = Vectors.decode(64, "88e0");
    assertEquals(Insn.GPR_HIGH, in.kind[1]);
    assertEquals(0, in.reg[1]);
    in = Vectors.decode(64, "4088e0");
    assertEquals(Insn.GPR, in.kind[1]);
    assertEquals(4, in.reg[1]);
    in = Vectors.decode(64, "4d89c7");
    assertEquals(15, in.reg[0]);
    assertEquals(8, in.reg[1]);
    assertEquals(8, in.size[0]);
    in = Vectors.decode(64, "8ed8");
    assertEquals(Insn.SEG, in.kind[0]);
    assertEquals(3, in.reg[0]);
    in = Vectors.decode(64, "440f20c0");
    assertEquals(Insn.CR, in.kind[1]);
    assertEquals(8, in.reg[1]);
    // MOV to and from control registers ignores mod.
    in = Vectors.decode(64, "0f2018");
    assertEquals(Insn.GPR, in.kind[0]);
    assertEquals(3, in.reg[1]);
  }

  @Test
  void addressing() {
    Insn in = Vectors.decode(64, "488b05 78563412");
    assertEquals(Insn.RIP, in.base);
    assertEquals(3, in.dispOffset);
    assertEquals(4, in.dispSize);
    assertEquals(0x1000 + 7 + 0x12345678, in.ripTarget());
    in = Vectors.decode(32, "8b0578563412");
    assertEquals(-1, in.base);
    in = Vectors.decode(64, "8b042578563412");
    assertEquals(-1, in.base);
    assertEquals(-1, in.index);
    assertEquals(3, in.segment);
    in = Vectors.decode(64, "654a8b84e5 00ffffff");
    assertEquals(5, in.base);
    assertEquals(12, in.index);
    assertEquals(8, in.scale);
    assertEquals(-256, in.disp);
    assertEquals(5, in.segment);
    assertTrue(in.segmentOverride);
    in = Vectors.decode(64, "8b45f8");
    assertEquals(2, in.segment, "RBP base is in SS");
    in = Vectors.decode(64, "418b45f8");
    assertEquals(3, in.segment, "R13 base is in DS");
    in = Vectors.decode(64, "2e8b00");
    assertFalse(in.segmentOverride, "CS is ignored in 64-bit code");
    in = Vectors.decode(64, "643e8b00");
    assertEquals(4, in.segment, "DS does not undo FS");
    in = Vectors.decode(16, "8b42fe");
    assertEquals(5, in.base);
    assertEquals(6, in.index);
    assertEquals(2, in.addrSize);
    assertEquals(2, in.segment);
    in = Vectors.decode(16, "8b1e3412");
    assertEquals(-1, in.base);
    assertEquals(0x1234, in.disp);
    in = Vectors.decode(64, "67 8b05 00000080");
    assertEquals(4, in.addrSize);
    assertEquals(Insn.RIP, in.base);
    in = Vectors.decode(64, "a1 8877665544332211");
    assertEquals(0x1122334455667788L, in.disp);
    assertEquals(8, in.dispSize);
    assertEquals(Insn.MEM, in.kind[1]);
    assertEquals(4, in.size[1]);
  }

  @Test
  void compressedDisplacement() {
    assertEquals(64, Vectors.decode(64, "62f17e486f4001").disp, "full vector");
    assertEquals(-4, Vectors.decode(64, "62f17c585840ff").disp, "broadcast element");
    assertEquals(8, Vectors.decode(64, "62f1ff08104001").disp, "scalar");
    assertEquals(32, Vectors.decode(64, "62f17c485a4001").disp, "half vector");
    assertEquals(4, Vectors.decode(64, "62f27d488a4001").disp, "compress: one element");
    assertEquals(4, Vectors.decode(64, "62f27d4992449001").disp, "gather: one element");
    assertEquals(16, Vectors.decode(64, "62f37d4819400100").disp, "quarter");
    assertEquals(0x100, Vectors.decode(64, "62f17e486f8000010000").disp, "disp32 is not scaled");
  }

  @Test
  void operandSizes() {
    assertEquals(8, Vectors.decode(64, "50").opSize);
    assertEquals(2, Vectors.decode(64, "6650").opSize);
    assertEquals(8, Vectors.decode(64, "e800000000").opSize);
    assertEquals(8, Vectors.decode(64, "66c3").opSize);
    assertEquals(8, Vectors.decode(64, "c20800").opSize);
    assertEquals(4, Vectors.decode(64, "cf").opSize);
    assertEquals(8, Vectors.decode(64, "48cf").opSize);
    assertEquals(8, Vectors.decode(64, "48cb").opSize);
    assertEquals(4, Vectors.decode(64, "ca0800").opSize);
    assertEquals(1, Vectors.decode(64, "f3a4").opSize);
    assertEquals(8, Vectors.decode(64, "f348a5").opSize);
    assertEquals(2, Vectors.decode(64, "66ef").opSize);
    assertEquals(4, Vectors.decode(64, "48ef").opSize, "OUT has no 64-bit form");
    assertEquals(4, Vectors.decode(64, "0fb6c0").opSize);
    assertEquals(1, Vectors.decode(64, "80c001").opSize);
    assertEquals(10, Vectors.decode(64, "0f0110").size[0]);
    assertEquals(6, Vectors.decode(32, "0f0110").size[0]);
    assertEquals(2, Vectors.decode(64, "8c18").size[0]);
    assertEquals(8, Vectors.decode(64, "488cd8").size[0]);
    assertEquals(6, Vectors.decode(64, "ff28").size[0]);
    assertEquals(10, Vectors.decode(64, "48ff28").size[0]);
    assertEquals(32, Vectors.decode(64, "c5fd6f00").opSize);
    assertEquals(2, Vectors.decode(32, "66d920").opSize);
  }

  @Test
  void immediates() {
    Insn in = Vectors.decode(64, "4883c0ff");
    assertEquals(-1, in.imm);
    assertEquals(8, in.size[1]);
    assertEquals(1, in.immSize);
    assertEquals(3, in.immOffset);
    in = Vectors.decode(64, "48b88877665544332211");
    assertEquals(0x1122334455667788L, in.imm);
    in = Vectors.decode(64, "4881c000000080");
    assertEquals(Integer.MIN_VALUE, in.imm);
    assertEquals(0x80, Vectors.decode(64, "cd80").imm, "vectors are unsigned");
    assertEquals(0xff, Vectors.decode(64, "e4ff").imm, "ports are unsigned");
    assertEquals(0xfff0, Vectors.decode(64, "c2f0ff").imm, "RET's count is unsigned");
    in = Vectors.decode(64, "d1e0");
    assertEquals(1, in.imm);
    assertEquals(0, in.immSize);
    in = Vectors.decode(64, "d3e0");
    assertEquals(Insn.GPR, in.kind[1]);
    assertEquals(1, in.reg[1]);
    assertEquals(1, in.size[1]);
    in = Vectors.decode(64, "c8100003");
    assertEquals(0x10, in.imm);
    assertEquals(3, in.imm2);
    in = Vectors.decode(32, "ea785634120800");
    assertEquals(0x12345678, in.imm);
    assertEquals(8, in.imm2);
    assertEquals(Insn.FAR, in.kind[0]);
    in = Vectors.decode(64, "48c705f0ffffff78563412");
    assertEquals(3, in.dispOffset);
    assertEquals(7, in.immOffset);
    assertEquals(0x1000 + 11 - 16, in.ripTarget());
  }

  @Test
  void branches() {
    Insn in = Vectors.decode(64, "e8fbffffff");
    assertEquals(0x1000, in.imm);
    assertEquals(Insn.REL, in.kind[0]);
    assertEquals(1, in.immOffset);
    in = Vectors.decode(64, "0f8400000000");
    assertEquals(4, in.cond);
    assertEquals(2, in.immOffset);
    assertEquals(0xff01, Vectors.decode(16, "e9feee").imm, "IP wraps at 64 KiB");
    assertEquals(8, Vectors.decode(64, "ff2500000000").size[0]);
    in = Vectors.decode(64, "67e300");
    assertEquals(Mnemonic.JECXZ, in.mnemonic);
    assertEquals(Mnemonic.JRCXZ, Vectors.decode(64, "e300").mnemonic);
    assertEquals(Mnemonic.JCXZ, Vectors.decode(16, "e300").mnemonic);
  }

  @Test
  void prefixes() {
    Insn in = Vectors.decode(64, "f048 0fb10a");
    assertTrue(in.lock);
    assertEquals(2, in.opcodeOffset);
    in = Vectors.decode(64, "f3 48ab");
    assertTrue(in.rep);
    assertTrue(Vectors.decode(64, "f2ae").repne);
    assertFalse(Vectors.decode(64, "f30f10c0").rep, "F3 belongs to the opcode");
    assertFalse(Vectors.decode(64, "f390").rep);
    assertEquals(0, Vectors.decode(64, "f3ab").operands, "string operands are implicit");
    in = Vectors.decode(64, "62f17cdb58c0");
    assertEquals(3, in.opmask);
    assertTrue(in.zeroing);
    assertEquals(2, in.rounding);
    assertEquals(2, in.vectorLength);
    in = Vectors.decode(64, "62a27d4193449001");
    assertEquals(1, in.opmask);
    assertTrue(in.indexSize > 0);
  }
}
