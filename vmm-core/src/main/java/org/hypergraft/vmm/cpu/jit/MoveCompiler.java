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
      case LEAVE -> leave(i);
      case NOP, ENDBR64, ENDBR32, PREFETCHT0, PREFETCHW, PREFETCHNTA, LFENCE, MFENCE, SFENCE -> {}
      default -> {
        return false;
      }
    }
    return true;
  }

  private void move(Insn i) {
    int size = i.size[0];
    if (i.kind[0] == Insn.MEM) {
      c.address(i);
      c.memory.beginWrite(size);
      c.pushUnsigned(i, 1, size);
      c.storeLong(Locals.T0);
      c.memory.writeHost(size, Locals.T0);
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
    int size = i.opSize;
    c.pushDestination(i, size, false);
    c.storeLong(Locals.T1);
    c.pushUnsigned(i, 1, size);
    c.storeDestination(i, size);
    c.loadLong(Locals.T1);
    c.storeRegister(i, 1, size);
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
    if (i.kind[0] == Insn.MEM) {
      c.address(i);
      c.memory.beginWrite(1);
    }
    Label set = new Label();
    Label end = new Label();
    Conditions.jumpIf(c, i.cond, set);
    c.op(LCONST_0);
    c.storeLong(Locals.T1);
    c.jump(GOTO, end);
    c.label(set);
    c.op(LCONST_1);
    c.storeLong(Locals.T1);
    c.label(end);
    c.loadLong(Locals.T1);
    c.storeDestination(i, 1);
  }

  private void push(Insn i) {
    c.pushUnsigned(i, 0, slot(i));
    c.storeLong(Locals.T0);
    pushT0(i);
  }

  /** Bytes of a stack slot. */
  static int slot(Insn i) {
    return i.mode == 64 ? 8 : 4;
  }

  /** Adds to RSP, in 32-bit code to ESP, and pushes the sum. */
  void movedStack(Insn i, int by) {
    c.loadLong(Locals.register(4));
    c.longValue(by);
    c.op(LADD);
    if (i.mode != 64) {
      c.unsigned(4);
    }
  }

  /** Pushes local T0 on the guest's stack; RSP changes only after the write went through. */
  void pushT0(Insn i) {
    int slot = slot(i);
    movedStack(i, -slot);
    c.storeLong(Locals.EA);
    c.memory.at(HotPages.Place.at(4));
    c.memory.beginWrite(slot);
    c.memory.writeHost(slot, Locals.T0);
    c.loadLong(Locals.EA);
    c.storeLong(Locals.register(4));
  }

  private void pop(Insn i) {
    popTo(i, Locals.T0);
    // POP RSP keeps the value read
    movedStack(i, slot(i));
    c.storeLong(Locals.register(4));
    c.loadLong(Locals.T0);
    c.storeRegister(i, 0, slot(i));
  }

  /** Reads the top of the guest's stack. */
  void popTo(Insn i, int local) {
    readStack(i, 4);
    c.storeLong(local);
  }

  private void readStack(Insn i, int pointer) {
    c.memory.at(HotPages.Place.at(pointer));
    c.loadLong(Locals.register(pointer));
    if (i.mode != 64) {
      c.unsigned(4);
    }
    c.storeLong(Locals.EA);
    c.memory.read(slot(i), false);
  }

  private void leave(Insn i) {
    int rbp = Locals.register(5);
    readStack(i, 5);
    c.storeLong(Locals.T0);
    c.loadLong(Locals.EA);
    c.longValue(slot(i));
    c.op(LADD);
    if (i.mode != 64) {
      c.unsigned(4);
    }
    c.storeLong(Locals.register(4));
    c.loadLong(Locals.T0);
    c.storeLong(rbp);
  }
}
