package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import java.util.Locale;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Flags;

/**
 * Shifts, rotates, bit tests and bit scans. Where flags are wanted that depend on a count or on
 * flags not known before the code runs, the semantics that tier 0 uses are called.
 */
final class ShiftCompiler {
  private static final String BINARY = "(" + Code.CPU_TYPE + "JJ)J";
  private static final String EFFECT = "(" + Code.CPU_TYPE + "JJ)V";

  private final Code c;

  ShiftCompiler(Code c) {
    this.c = c;
  }

  /** Emits the instruction. Returns whether it is one of this family. */
  boolean compile(Insn i, boolean live) {
    switch (i.mnemonic) {
      case SHL, SHR, SAR -> shift(i, live);
      case ROL, ROR -> rotate(i, live);
      case BT, BTS, BTR, BTC -> bitTest(i, live);
      case BSF -> call(i, "Bits", "bsf", live);
      case BSR -> call(i, "Bits", "bsr", live);
      default -> {
        return false;
      }
    }
    return true;
  }

  /** The count of an instruction with an immediate one. */
  static int count(Insn i) {
    return (int) i.imm & mask(i);
  }

  private static int mask(Insn i) {
    return i.opSize == 8 ? 63 : 31;
  }

  private void shift(Insn i, boolean live) {
    boolean constant = i.kind[1] == Insn.IMM;
    if (live && !(constant && count(i) != 0)) {
      call(i, "Shift", i.mnemonic.name().toLowerCase(Locale.ROOT), true);
      return;
    }
    int size = i.opSize;
    c.pushDestination(i, size, i.mnemonic == Mnemonic.SAR);
    if (live) {
      shiftWithFlags(i, count(i));
    } else {
      pushCount(i);
      c.op(opcode(i));
    }
    c.storeDestination(i, size);
  }

  private static int opcode(Insn i) {
    return switch (i.mnemonic) {
      case SHL -> LSHL;
      case SHR -> LUSHR;
      default -> LSHR;
    };
  }

  private void pushCount(Insn i) {
    if (i.kind[1] == Insn.IMM) {
      c.integer(count(i));
    } else {
      c.pushUnsigned(i, 1, 1);
      c.op(L2I);
      c.integer(mask(i));
      c.op(IAND);
    }
  }

  /** Replaces the long on the stack by its shifted value; {@code n} is not zero. */
  private void shiftWithFlags(Insn i, int n) {
    int bits = 8 * i.opSize;
    c.storeLong(Locals.T0);
    c.loadLong(Locals.T0);
    c.integer(n);
    c.op(opcode(i));
    switch (i.mnemonic) {
      case SHL -> {
        c.signed(i.opSize);
        c.storeLong(Locals.FR);
        // the last bit shifted out at the top
        if (n <= bits) {
          bit(bits - n);
        } else {
          c.op(LCONST_0);
        }
        c.loadLong(Locals.FR);
        c.mv.visitMethodInsn(INVOKESTATIC, Code.FLAG_BITS, "leftShift", "(JJ)J", false);
      }
      case SHR -> {
        c.storeLong(Locals.FR);
        bit(n - 1);
        // OF is the bit below the top one, which is clear
        c.loadLong(Locals.FR);
        c.integer(bits - 2);
        c.op(LUSHR);
        c.op(LCONST_1);
        c.op(LAND);
        c.integer(Integer.numberOfTrailingZeros(Flags.OF));
        c.op(LSHL);
        c.op(LOR);
      }
      default -> {
        c.storeLong(Locals.FR);
        bit(n - 1);
      }
    }
    c.explicitFlags();
  }

  /** Pushes a bit of T0. */
  private void bit(int n) {
    c.loadLong(Locals.T0);
    c.integer(Math.min(n, 63));
    c.op(LSHR);
    c.op(LCONST_1);
    c.op(LAND);
  }

  private void rotate(Insn i, boolean live) {
    boolean left = i.mnemonic == Mnemonic.ROL;
    if (live || i.opSize < 4) {
      call(i, "Shift", left ? "rol" : "ror", true);
      return;
    }
    boolean wide = i.opSize == 8;
    c.pushDestination(i, i.opSize, false);
    if (!wide) {
      c.op(L2I);
    }
    pushCount(i);
    c.mv.visitMethodInsn(
        INVOKESTATIC,
        wide ? "java/lang/Long" : "java/lang/Integer",
        left ? "rotateLeft" : "rotateRight",
        wide ? "(JI)J" : "(II)I",
        false);
    if (!wide) {
      c.op(I2L);
    }
    c.storeDestination(i, i.opSize);
  }

  /** BT and its kin on registers: CF becomes the bit, the other flags stay. */
  private void bitTest(Insn i, boolean live) {
    int size = i.opSize;
    c.pushUnsigned(i, 0, size);
    c.storeLong(Locals.T0);
    c.pushUnsigned(i, 1, size);
    c.longValue(mask(i));
    c.op(LAND);
    c.storeLong(Locals.T1);
    if (live) {
      if (c.kind == Code.UNKNOWN) {
        c.flagsToCpu();
        c.mv.visitVarInsn(ALOAD, Locals.CPU);
        c.loadLong(Locals.T0);
        c.loadLong(Locals.T1);
        c.mv.visitMethodInsn(INVOKESTATIC, Code.SEMANTICS + "Bits", "bt" + 8 * size, EFFECT, false);
        c.flagsFromCpu();
      } else {
        c.pushAllButCarry();
        c.loadLong(Locals.T0);
        c.loadLong(Locals.T1);
        c.op(L2I);
        c.op(LUSHR);
        c.op(LCONST_1);
        c.op(LAND);
        c.op(LOR);
        c.storeLong(Locals.FA);
        c.flags(c.kind == Flags.RAW ? Flags.RAW : Flags.EXPLICIT);
      }
    }
    switch (i.mnemonic) {
      case BTS -> changeBit(i, LOR, false);
      case BTR -> changeBit(i, LAND, true);
      case BTC -> changeBit(i, LXOR, false);
      default -> {}
    }
  }

  private void changeBit(Insn i, int opcode, boolean inverted) {
    c.loadLong(Locals.T0);
    c.op(LCONST_1);
    c.loadLong(Locals.T1);
    c.op(L2I);
    c.op(LSHL);
    if (inverted) {
      c.longValue(-1);
      c.op(LXOR);
    }
    c.op(opcode);
    c.storeRegister(i, 0, i.opSize);
  }

  /** A shared semantic function of two operands, with the flags in and out through the Cpu. */
  private void call(Insn i, String owner, String name, boolean live) {
    int size = i.opSize;
    boolean scan = owner.equals("Bits");
    if (scan) {
      c.pushUnsigned(i, 1, size);
      c.storeLong(Locals.T1);
      // the old destination survives a zero source
      c.loadLong(Locals.register(i.reg[0]));
      c.storeLong(Locals.T0);
    } else {
      c.pushDestination(i, size, false);
      c.storeLong(Locals.T0);
      c.pushUnsigned(i, 1, 1);
      c.storeLong(Locals.T1);
    }
    if (live) {
      c.flagsToCpu();
    }
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.loadLong(Locals.T0);
    c.loadLong(Locals.T1);
    c.mv.visitMethodInsn(INVOKESTATIC, Code.SEMANTICS + owner, name + 8 * size, BINARY, false);
    if (live) {
      c.flagsFromCpu();
    }
    c.storeDestination(i, size);
  }
}
