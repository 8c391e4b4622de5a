package org.hypergraft.annotator.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random bytes never throw, never make a long instruction, always decode the same. */
class DecoderFuzzTest {
  private static final int SIZE = 1 << 20;

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 64})
  void randomBytes(int mode) {
    byte[] code = new byte[SIZE];
    new Random(20_000 + mode).nextBytes(code);
    sweep(code, mode);
  }

  /** Prefixes and escapes are rare in uniform noise; here they are common. */
  @ParameterizedTest
  @ValueSource(ints = {16, 32, 64})
  void prefixHeavyBytes(int mode) {
    int[] favourites = {
      0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x3e, 0x64, 0x65, 0x40, 0x48, 0x4f, 0x0f, 0x38, 0x3a,
      0xc4, 0xc5, 0x62, 0x8f, 0xf1, 0xe2, 0x7c, 0x7d, 0x48, 0x04, 0x05, 0x24, 0x25, 0x84
    };
    Random random = new Random(30_000 + mode);
    byte[] code = new byte[SIZE];
    random.nextBytes(code);
    for (int i = 0; i < SIZE; i++) {
      if (random.nextInt(5) < 2) {
        code[i] = (byte) favourites[random.nextInt(favourites.length)];
      }
    }
    sweep(code, mode);
  }

  private static void sweep(byte[] code, int mode) {
    Insn in = new Insn();
    Insn again = new Insn();
    byte[] alone = new byte[Decoder.MAX_LENGTH];
    int valid = 0;
    for (int p = 0; p < code.length; p++) {
      int length = Decoder.decode(code, p, code.length, 0x1000 + p, mode, in);
      assertTrue(in.length <= Decoder.MAX_LENGTH && p + in.length <= code.length);
      assertTrue(length == 0 || length == in.length);
      if (length == 0) {
        assertEquals(Mnemonic.INVALID, in.mnemonic);
        continue;
      }
      valid++;
      // Nothing outside the instruction matters: not position, not what follows.
      System.arraycopy(code, p, alone, 0, length);
      assertEquals(length, Decoder.decode(alone, 0, length, 0x1000 + p, mode, again));
      assertEquals(in.mnemonic, again.mnemonic);
      assertEquals(in.imm, again.imm);
      assertEquals(in.disp, again.disp);
      if ((p & 31) == 0) {
        assertEquals(Formatter.intel(in, Symbolizer.NONE), Formatter.intel(again, Symbolizer.NONE));
        assertTrue(!Formatter.att(in, Symbolizer.NONE).isEmpty());
      }
    }
    assertTrue(valid > code.length / 4, "only " + valid + " valid instructions");
  }
}
