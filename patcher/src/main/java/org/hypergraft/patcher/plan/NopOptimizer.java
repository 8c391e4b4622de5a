package org.hypergraft.patcher.plan;

/** The kernel's tidying of padding, in its two generations. */
final class NopOptimizer {
  private final RuleContext c;

  NopOptimizer(RuleContext c) {
    this.c = c;
  }

  /**
   * {@code optimize_nops()} of 5.10 to 6.5: a run of more than one single-byte NOP becomes longer
   * ones.
   */
  void runs(byte[] b, int from, int length, long address) {
    int end = from + length;
    int i = from;
    while (i < end) {
      if ((b[i] & 0xff) == 0x90) {
        int j = i;
        while (j < end && (b[j] & 0xff) == 0x90) {
          j++;
        }
        if (j - i > 1) {
          c.nops().fill(b, i, j - i);
        }
        i = j;
      } else {
        int n = c.decode(b, i, end, address + (i - from));
        if (n == 0) {
          return;
        }
        i += n;
      }
    }
  }

  /**
   * {@code optimize_nops()} of 6.6 and later: neighbouring NOPs of any kind become one, or a jump
   * over them; a site that already ends with exactly one NOP is done.
   */
  void merge(byte[] b, int from, int length, long address) {
    int end = from + length;
    int i = from;
    while (i < end) {
      int n = c.decode(b, i, end, address + (i - from));
      if (n == 0) {
        return;
      }
      int next = i + n;
      if (isNop(b, i)) {
        if (next == end) {
          return;
        }
        while (next < end) {
          n = c.decode(b, next, end, address + (next - from));
          if (n == 0 || !isNop(b, next)) {
            break;
          }
          next += n;
        }
        c.nops().single(b, i, next - i);
      }
      i = next;
    }
  }

  /** Of the instruction just decoded at {@code at}: 90 without REP, or 0F 1F. */
  private boolean isNop(byte[] b, int at) {
    int op = at + c.insn().opcodeOffset;
    int first = b[op] & 0xff;
    if (first == 0x90) {
      return c.insn().opcodeOffset == 0 || (b[at] & 0xff) != 0xf3;
    }
    return first == 0x0f
        && c.insn().length > c.insn().opcodeOffset + 1
        && (b[op + 1] & 0xff) == 0x1f;
  }
}
