package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;
import org.objectweb.asm.Label;

/** Data movement: moves, conversions, address computation, conditional moves, the stack. */
final class MoveCompiler {
  private final Code c;

  MoveCompiler(Code c) {
    this.c = c;
  }

  /** Emits the instruction. Returns whether it is one of this family. */
  boolean compile(Insn i) {
    switch (i.mnemonic) {
      case MOV -> move(i);
      case MOVZX -> {
        c.pushUnsigned(i, 1, i.size[1]);
        c.storeRegister(i, 0, i.size[0]);
      }
      case MOVSX, MOVSXD -> {
        c.pushSigned(i, 1, i.size[1]);
        c.storeRegister(i, 0, i.size[0]);
      }
      case LEA -> {
        c.effective(i);
        c.storeRegister(i, 0, i.opSize);
      }
      case CWDE -> extend(2, 4);
      case CDQE -> extend(4, 8);
      case CDQ -> signFill(4);
      case CQO -> signFill(8);
      case XCHG -> exchange(i);
      case CMOVCC -> conditionalMove(i);
      case SETCC -> setCondition(i);
      case PUSH -> push(i);
      case POP -> pop(i);
      case LEAVE -> leave();
      case NOP, ENDBR64, PREFETCHT0, PREFETCHW, PREFETCHNTA -> {}
      default -> {
        return false;
      }
    }
    return true;
  }

  private void move(Insn i) {
    int size = i.size[0];
    if (i.kind[0] == Insn.MEM) {
      c.mv.visitVarInsn(ALOAD, Locals.MMU);
      c.address(i);
      c.pushUnsigned(i, 1, size);
      c.mmu("write" + 8 * size, "(JJ)V");
    } else if (size == 8 || size == 4) {
      c.pushUnsigned(i, 1, size);
      c.storeLong(Locals.register(i.reg[0]));
    } else {
      c.pushUnsigned(i, 1, size);
      c.storeRegister(i, 0, size);
    }
  }

  private void extend(int from, int to) {
    c.loadLong(Locals.register(0));
    c.signed(from);
    c.unsigned(to);
    c.storeLong(Locals.register(0));
  }

  private void signFill(int size) {
    c.loadLong(Locals.register(0));
    c.signed(size);
    c.integer(63);
    c.op(LSHR);
    c.unsigned(size);
    c.storeLong(Locals.register(2));
  }

  private void exchange(Insn i) {
    c.pushUnsigned(i, 0, i.opSize);
    c.storeLong(Locals.T0);
    c.pushUnsigned(i, 1, i.opSize);
    c.storeRegister(i, 0, i.opSize);
    c.loadLong(Locals.T0);
    c.storeRegister(i, 1, i.opSize);
  }

  private void conditionalMove(Insn i) {
    // the source is read, and may fault, whatever the condition
    c.pushUnsigned(i, 1, i.opSize);
    c.storeLong(Locals.T0);
    Label take = new Label();
    Label end = new Label();
    Conditions.jumpIf(c, i.cond, take);
    if (i.opSize == 4) {
      // a 32-bit destination is zero-extended even when nothing moves
      c.loadLong(Locals.register(i.reg[0]));
      c.unsigned(4);
      c.storeLong(Locals.register(i.reg[0]));
    }
    c.jump(GOTO, end);
    c.label(take);
    c.loadLong(Locals.T0);
    c.storeRegister(i, 0, i.opSize);
    c.label(end);
  }

  private void setCondition(Insn i) {
    Label set = new Label();
    Label end = new Label();
    Conditions.jumpIf(c, i.cond, set);
    c.op(LCONST_0);
    c.storeLong(Locals.T0);
    c.jump(GOTO, end);
    c.label(set);
    c.op(LCONST_1);
    c.storeLong(Locals.T0);
    c.label(end);
    if (i.kind[0] == Insn.MEM) {
      c.mv.visitVarInsn(ALOAD, Locals.MMU);
      c.address(i);
      c.loadLong(Locals.T0);
      c.mmu("write8", "(JJ)V");
    } else {
      c.loadLong(Locals.T0);
      c.storeRegister(i, 0, 1);
    }
  }

  private void push(Insn i) {
    c.pushUnsigned(i, 0, 8);
    c.storeLong(Locals.T0);
    pushT0();
  }

  /** Pushes local T0 on the guest's stack; RSP changes only after the write went through. */
  void pushT0() {
    int rsp = Locals.register(4);
    c.loadLong(rsp);
    c.longValue(8);
    c.op(LSUB);
    c.storeLong(Locals.EA);
    c.mv.visitVarInsn(ALOAD, Locals.MMU);
    c.loadLong(Locals.EA);
    c.loadLong(Locals.T0);
    c.mmu("write64", "(JJ)V");
    c.loadLong(Locals.EA);
    c.storeLong(rsp);
  }

  private void pop(Insn i) {
    int rsp = Locals.register(4);
    popTo(Locals.T0);
    // POP RSP keeps the value read; a memory operand based on RSP uses the incremented one
    c.loadLong(rsp);
    c.longValue(8);
    c.op(LADD);
    c.storeLong(rsp);
    c.loadLong(Locals.T0);
    c.storeRegister(i, 0, 8);
  }

  /** Reads the top of the guest's stack. */
  void popTo(int local) {
    c.mv.visitVarInsn(ALOAD, Locals.MMU);
    c.loadLong(Locals.register(4));
    c.mmu("read64", "(J)J");
    c.storeLong(local);
  }

  private void leave() {
    int rbp = Locals.register(5);
    c.mv.visitVarInsn(ALOAD, Locals.MMU);
    c.loadLong(rbp);
    c.mmu("read64", "(J)J");
    c.storeLong(Locals.T0);
    c.loadLong(rbp);
    c.longValue(8);
    c.op(LADD);
    c.storeLong(Locals.register(4));
    c.loadLong(Locals.T0);
    c.storeLong(rbp);
  }
}
