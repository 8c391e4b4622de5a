package org.hypergraft.vmm.cpu.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.junit.jupiter.api.Test;

/** AMD's bit fields, which no other processor can be asked about (AMD APM vol. 4). */
class Sse4aTest {
  private static final long VALUE = 0x0123_4567_89ab_cdefL;
  private final Cpu c = new Cpu(0);

  private final Op op =
      new Op() {
        @Override
        public Op exec(Cpu cpu) {
          throw new AssertionError();
        }

        @Override
        protected Op fresh() {
          throw new AssertionError();
        }
      };

  private void field(int length, int index) {
    c.cr4 = 1 << 9; // OSFXSR
    op.d = 1;
    op.s = 1;
    op.t = 2;
    op.aux = Simd.SSE;
    op.size = Avx.IMMEDIATE;
    op.imm = length | index << 8;
  }

  @Test
  void extraction() {
    int[][] cases = {{8, 0}, {8, 8}, {1, 63}, {16, 4}, {0, 0}};
    long[] results = {0xef, 0xcd, 0, 0xbcde, VALUE};
    for (int i = 0; i < cases.length; i++) {
      field(cases[i][0], cases[i][1]);
      c.x[4] = VALUE;
      c.x[5] = 7;
      Sse4a.extrq(c, op);
      assertEquals(results[i], c.x[4]);
      op.size = 0;
      c.x[4] = VALUE;
      c.x[8] = op.imm;
      Sse4a.extrq(c, op);
      assertEquals(results[i], c.x[4], "by register");
    }
  }

  @Test
  void insertion() {
    int[][] cases = {{8, 0}, {16, 24}, {4, 60}, {0, 0}};
    long[] results = {
      0x0123_4567_89ab_cdffL, 0x0123_45ee_ffab_cdefL, 0xf123_4567_89ab_cdefL, 0xaabb_ccdd_eeffL
    };
    for (int i = 0; i < cases.length; i++) {
      field(cases[i][0], cases[i][1]);
      c.x[4] = VALUE;
      c.x[8] = 0xaabb_ccdd_eeffL;
      Sse4a.insertq(c, op);
      assertEquals(results[i], c.x[4]);
      op.size = 0;
      c.x[4] = VALUE;
      c.x[9] = op.imm;
      Sse4a.insertq(c, op);
      assertEquals(results[i], c.x[4], "by register");
    }
  }
}
