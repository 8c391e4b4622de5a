package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.vmm.cpu.Flags;
import org.objectweb.asm.Label;

/**
 * Branches on x86 conditions. With the kind of the flags known, the comparison is made on the
 * operands themselves; otherwise {@link Flags#test} decides.
 */
final class Conditions {
  private Conditions() {}

  /** Jumps to {@code to} if condition {@code cond} (0-15) holds. */
  static void jumpIf(Code c, int cond, Label to) {
    boolean negate = (cond & 1) != 0;
    boolean done =
        switch (c.kind) {
          case Flags.SUB, Code.DIFFERENCE64, Code.DIFFERENCE32 ->
              subtraction(c, cond >> 1, negate, to);
          case Flags.ADD -> addition(c, cond >> 1, negate, to);
          case Flags.LOGIC -> logic(c, cond >> 1, negate, to);
          case Flags.EXPLICIT -> explicit(c, cond >> 1, negate, to);
          case Flags.RAW -> raw(c, cond >> 1, negate, to);
          default -> false;
        };
    if (!done) {
      c.flagsToCpu();
      c.mv.visitVarInsn(ALOAD, Locals.CPU);
      c.integer(cond);
      c.mv.visitMethodInsn(INVOKESTATIC, Code.FLAGS, "test", "(" + Code.CPU_TYPE + "I)Z", false);
      c.jump(IFNE, to);
    }
  }

  private static boolean subtraction(Code c, int pair, boolean negate, Label to) {
    switch (pair) {
      case 1 -> unsignedCompare(c, Locals.FA, Locals.FB, negate ? IFGE : IFLT, to);
      case 2 -> compare(c, Locals.FA, Locals.FB, negate ? IFNE : IFEQ, to);
      case 3 -> unsignedCompare(c, Locals.FA, Locals.FB, negate ? IFGT : IFLE, to);
      case 4 -> compareZero(c, negate ? IFGE : IFLT, to);
      case 6 -> compare(c, Locals.FA, Locals.FB, negate ? IFGE : IFLT, to);
      case 7 -> compare(c, Locals.FA, Locals.FB, negate ? IFGT : IFLE, to);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static boolean addition(Code c, int pair, boolean negate, Label to) {
    switch (pair) {
      case 1 -> unsignedCompare(c, Locals.FR, Locals.FA, negate ? IFGE : IFLT, to);
      case 2 -> compareZero(c, negate ? IFNE : IFEQ, to);
      case 4 -> compareZero(c, negate ? IFGE : IFLT, to);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static boolean logic(Code c, int pair, boolean negate, Label to) {
    switch (pair) {
      case 0, 1 -> {
        // OF and CF are clear
        if (negate) {
          c.jump(GOTO, to);
        }
      }
      case 2, 3 -> compareZero(c, negate ? IFNE : IFEQ, to);
      case 4, 6 -> compareZero(c, negate ? IFGE : IFLT, to);
      case 7 -> compareZero(c, negate ? IFGT : IFLE, to);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static boolean raw(Code c, int pair, boolean negate, Label to) {
    int bits =
        switch (pair) {
          case 0 -> Flags.OF;
          case 1 -> Flags.CF;
          case 2 -> Flags.ZF;
          case 3 -> Flags.CF | Flags.ZF;
          case 4 -> Flags.SF;
          case 5 -> Flags.PF;
          default -> 0;
        };
    if (bits == 0) {
      return false;
    }
    c.loadLong(Locals.FA);
    c.op(L2I);
    c.integer(bits);
    c.op(IAND);
    c.jump(negate ? IFEQ : IFNE, to);
    return true;
  }

  private static boolean explicit(Code c, int pair, boolean negate, Label to) {
    switch (pair) {
      case 0, 1 -> raw(c, pair, negate, to);
      case 2 -> compareZero(c, negate ? IFNE : IFEQ, to);
      case 4 -> compareZero(c, negate ? IFGE : IFLT, to);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static void compareZero(Code c, int jump, Label to) {
    c.pushResult();
    c.op(LCONST_0);
    c.op(LCMP);
    c.jump(jump, to);
  }

  private static void compare(Code c, int a, int b, int jump, Label to) {
    c.loadLong(a);
    c.loadLong(b);
    c.op(LCMP);
    c.jump(jump, to);
  }

  private static void unsignedCompare(Code c, int a, int b, int jump, Label to) {
    c.loadLong(a);
    c.longValue(Long.MIN_VALUE);
    c.op(LADD);
    c.loadLong(b);
    c.longValue(Long.MIN_VALUE);
    c.op(LADD);
    c.op(LCMP);
    c.jump(jump, to);
  }
}
