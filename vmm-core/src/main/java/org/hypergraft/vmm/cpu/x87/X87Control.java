package org.hypergraft.vmm.cpu.x87;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.X87State;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Control, environment and state instructions of the x87 unit. */
public final class X87Control {
  private X87Control() {}

  public static void fninit(Cpu c, Op o) {
    X87.available(c);
    X87.init(c);
  }

  public static void fnclex(Cpu c, Op o) {
    X87.available(c);
    c.x87.status &= ~(X87.EXCEPTIONS | X87.STACK_FAULT | X87.SUMMARY | X87.BUSY);
  }

  public static void fwait(Cpu c, Op o) {
    X87.waitInstruction(c);
  }

  public static void fnop(Cpu c, Op o) {
    X87.waiting(c);
  }

  /** FNENI, FNDISI, FNSETPM: nothing since the 387. */
  public static void ignored(Cpu c, Op o) {
    X87.available(c);
  }

  public static void fldcw(Cpu c, Op o) {
    X87.waiting(c);
    X87.setControl(c, (int) c.mmu.read16(o.address(c)));
  }

  public static void fnstcw(Cpu c, Op o) {
    X87.available(c);
    c.mmu.write16(o.address(c), c.x87.control);
  }

  /** To memory. */
  public static void fnstsw(Cpu c, Op o) {
    X87.available(c);
    c.mmu.write16(o.address(c), X87.statusWord(c));
  }

  /** To AX. */
  public static void fnstswAx(Cpu c, Op o) {
    X87.available(c);
    c.r[Cpu.RAX] = c.r[Cpu.RAX] & ~0xffffL | X87.statusWord(c);
  }

  public static void fincstp(Cpu c, Op o) {
    X87.waiting(c);
    c.x87.top = c.x87.top + 1 & 7;
    c.x87.status &= ~X87.C1;
  }

  public static void fdecstp(Cpu c, Op o) {
    X87.waiting(c);
    c.x87.top = c.x87.top - 1 & 7;
    c.x87.status &= ~X87.C1;
  }

  public static void ffree(Cpu c, Op o) {
    X87.waiting(c);
    c.x87.valid &= ~(1 << X87.physical(c, o.d));
    c.x87.status &= ~X87.C1;
  }

  public static void ffreep(Cpu c, Op o) {
    ffree(c, o);
    X87.pop(c);
  }

  public static void fnstenv(Cpu c, Op o) {
    X87.available(c);
    long la = o.address(c);
    int size = environmentSize(o);
    c.mmu.probeWrite(la, size);
    storeEnvironment(c, la, size);
    c.x87.control |= X87.EXCEPTIONS;
    X87.resummarize(c);
  }

  public static void fldenv(Cpu c, Op o) {
    X87.waiting(c);
    long la = o.address(c);
    int size = environmentSize(o);
    c.mmu.probeRead(la, size);
    loadEnvironment(c, la, size);
  }

  public static void fnsave(Cpu c, Op o) {
    X87.available(c);
    long la = o.address(c);
    int size = environmentSize(o);
    c.mmu.probeWrite(la, size + 80);
    storeEnvironment(c, la, size);
    for (int i = 0; i < 8; i++) {
      int p = X87.physical(c, i);
      c.mmu.write64(la + size + 10 * i, c.x87.significand[p]);
      c.mmu.write16(la + size + 10 * i + 8, c.x87.signExponent[p]);
    }
    X87.init(c);
  }

  public static void frstor(Cpu c, Op o) {
    X87.waiting(c);
    long la = o.address(c);
    int size = environmentSize(o);
    c.mmu.probeRead(la, size + 80);
    loadEnvironment(c, la, size);
    for (int i = 0; i < 8; i++) {
      int p = X87.physical(c, i);
      c.x87.significand[p] = c.mmu.read64(la + size + 10 * i);
      c.x87.signExponent[p] = (int) c.mmu.read16(la + size + 10 * i + 8);
    }
  }

  /** 14 bytes with a 16-bit operand size, else 28 (Intel SDM vol. 1, 8.1.10). */
  private static int environmentSize(Op o) {
    return o.size == 2 ? 14 : 28;
  }

  private static void storeEnvironment(Cpu c, long la, int size) {
    X87State s = c.x87;
    boolean real = c.realSegments();
    long ip = real ? s.instruction + ((long) s.instructionSelector << 4) : s.instruction;
    long data = real ? s.data + ((long) s.dataSelector << 4) : s.data;
    int[] words = {s.control, X87.statusWord(c), tagWord(s)};
    if (size == 14) {
      for (int i = 0; i < 3; i++) {
        c.mmu.write16(la + 2 * i, words[i]);
      }
      c.mmu.write16(la + 6, ip);
      c.mmu.write16(la + 10, data);
      long high = ip >>> 16 & 0xf;
      c.mmu.write16(la + 8, real ? high << 12 | s.opcode : s.instructionSelector);
      c.mmu.write16(la + 12, real ? (data >>> 16 & 0xf) << 12 : s.dataSelector);
      return;
    }
    for (int i = 0; i < 3; i++) {
      c.mmu.write32(la + 4 * i, words[i] | 0xffff0000L);
    }
    if (real) {
      c.mmu.write32(la + 12, ip & 0xffff | 0xffff0000L);
      c.mmu.write32(la + 16, (ip >>> 16 & 0xffff) << 12 | s.opcode);
      c.mmu.write32(la + 20, data & 0xffff | 0xffff0000L);
      c.mmu.write32(la + 24, (data >>> 16 & 0xffff) << 12);
    } else {
      c.mmu.write32(la + 12, ip);
      c.mmu.write32(la + 16, s.instructionSelector & 0xffff | (long) s.opcode << 16);
      c.mmu.write32(la + 20, data);
      c.mmu.write32(la + 24, s.dataSelector & 0xffff | 0xffff0000L);
    }
  }

  private static void loadEnvironment(Cpu c, long la, int size) {
    X87State s = c.x87;
    boolean real = c.realSegments();
    int step = size == 14 ? 2 : 4;
    int control = (int) c.mmu.read16(la);
    int status = (int) c.mmu.read16(la + step);
    int tags = (int) c.mmu.read16(la + 2 * step);
    if (size == 14) {
      long high = c.mmu.read16(la + 8);
      long dataHigh = c.mmu.read16(la + 12);
      s.instruction = c.mmu.read16(la + 6) | (real ? (high & 0xf000) << 4 : 0);
      s.data = c.mmu.read16(la + 10) | (real ? (dataHigh & 0xf000) << 4 : 0);
      s.instructionSelector = real ? 0 : (int) high;
      s.dataSelector = real ? 0 : (int) dataHigh;
      s.opcode = real ? (int) high & 0x7ff : 0;
    } else {
      long high = c.mmu.read32(la + 16);
      long dataHigh = c.mmu.read32(la + 24);
      s.instruction = c.mmu.read32(la + 12);
      s.data = c.mmu.read32(la + 20);
      if (real) {
        s.instruction = s.instruction & 0xffff | (high >>> 12 & 0xffff) << 16;
        s.data = s.data & 0xffff | (dataHigh >>> 12 & 0xffff) << 16;
        s.instructionSelector = 0;
        s.dataSelector = 0;
        s.opcode = (int) high & 0x7ff;
      } else {
        s.instructionSelector = (int) high & 0xffff;
        s.opcode = (int) (high >>> 16) & 0x7ff;
        s.dataSelector = (int) dataHigh & 0xffff;
      }
    }
    s.valid = 0;
    for (int i = 0; i < 8; i++) {
      if ((tags >>> 2 * i & 3) != 3) {
        s.valid |= 1 << i;
      }
    }
    s.control = control & 0x1f7f | 0x40;
    X87.setStatusWord(c, status);
  }

  /** The full tag word: 0 valid, 1 zero, 2 special, 3 empty (Intel SDM vol. 1, figure 8-7). */
  private static int tagWord(X87State s) {
    int tags = 0;
    for (int i = 0; i < 8; i++) {
      int exponent = s.signExponent[i] & 0x7fff;
      long m = s.significand[i];
      int tag;
      if ((s.valid >>> i & 1) == 0) {
        tag = 3;
      } else if (exponent == 0 && m == 0) {
        tag = 1;
      } else if (exponent == 0 || exponent == 0x7fff || m >= 0) {
        tag = 2;
      } else {
        tag = 0;
      }
      tags |= tag << 2 * i;
    }
    return tags;
  }
}
