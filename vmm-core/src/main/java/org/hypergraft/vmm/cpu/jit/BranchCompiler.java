package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.vmm.cpu.Cpu;
import org.objectweb.asm.Label;

/** Jumps, calls and returns. */
final class BranchCompiler {
  private final Code c;
  private final MoveCompiler moves;
  private final RegionFlow flow;

  BranchCompiler(Code c, MoveCompiler moves, RegionFlow flow) {
    this.c = c;
    this.moves = moves;
    this.flow = flow;
  }

  /**
   * Emits the branch that ends a block.
   *
   * @param number of the branch within the region
   * @param next the block whose code follows
   */
  void compile(RegionBlock b, int number, long next) {
    Insn i = b.last();
    switch (i.mnemonic) {
      case JCC -> {
        flow.branch(b.target(), i.cond);
        flow.go(b.end(), next);
      }
      case JMP -> {
        if (b.direct()) {
          flow.go(b.target(), next);
        } else {
          readTarget(i);
          computed(b, number, 0);
        }
      }
      case CALL -> {
        if (!b.direct()) {
          readTarget(i);
        }
        c.longValue(b.end());
        c.storeLong(Locals.T0);
        moves.pushT0(i);
        c.wrote(RegisterUse.written(i));
        if (b.direct()) {
          flow.go(b.target(), next);
        } else {
          computed(b, number, MoveCompiler.slot(i));
        }
      }
      case RET -> {
        moves.popTo(i, Locals.TARGET);
        int popped = MoveCompiler.slot(i) + (i.operands > 0 ? (int) i.imm & 0xffff : 0);
        moves.movedStack(i, popped);
        c.storeLong(Locals.register(Cpu.RSP));
        c.wrote(RegisterUse.written(i));
        computed(b, number, -popped);
      }
      default -> throw new IllegalStateException("no branch: " + i.mnemonic);
    }
  }

  private void readTarget(Insn i) {
    c.pushUnsigned(i, 0, MoveCompiler.slot(i));
    c.storeLong(Locals.TARGET);
  }

  /**
   * Goes where TARGET says.
   *
   * @param back what RSP has to be moved by before the instruction can be executed again
   */
  private void computed(RegionBlock b, int number, int back) {
    flow.goWithin(b);
    if (b.last().mode == 64) {
      requireCanonical(b.last(), number, back);
    }
    flow.leaveToTarget();
  }

  /** Leaves the branch to its tier-0 op, which faults, unless the computed target is canonical. */
  private void requireCanonical(Insn i, int number, int back) {
    c.mv.visitVarInsn(ALOAD, Locals.MMU);
    c.loadLong(Locals.TARGET);
    c.mmu("canonical", "(J)Z");
    Label good = new Label();
    c.jump(IFNE, good);
    if (back != 0) {
      moves.movedStack(i, back);
      c.storeLong(Locals.register(Cpu.RSP));
      c.wrote(1L << Cpu.RSP);
    }
    flow.leaveAt(number, c.kind);
    c.label(good);
  }
}
