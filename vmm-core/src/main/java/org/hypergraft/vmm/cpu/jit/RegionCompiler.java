package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;

/**
 * Writes the class of one region: a method whose locals are the guest's registers and whose labels
 * are the region's blocks.
 */
final class RegionCompiler {
  private static final String REGION = "org/hypergraft/vmm/cpu/jit/Region";
  private static final String OP = "Lorg/hypergraft/vmm/cpu/interpret/Op;";
  private static final String CPU_DESC = "Lorg/hypergraft/vmm/cpu/Cpu;";

  /** Return points compared one by one before a RET gives up and leaves. */
  private static final int MAX_RETURN_POINTS = 8;

  private final RegionShape shape;
  private final Map<Long, Label> heads = new HashMap<>();
  private final Map<Long, Integer> exitNumbers = new HashMap<>();
  private final List<Long> exitAddresses = new ArrayList<>();

  /** Instruction numbers at which the epilogue hands over, with the code that jumps there. */
  private final List<Runnable> outOfLine = new ArrayList<>();

  private final Label epilogue = new Label();
  private final Label returnPending = new Label();
  private Code c;
  private AluCompiler alu;
  private MoveCompiler moves;
  private int number;

  RegionCompiler(RegionShape shape) {
    this.shape = shape;
    for (RegionBlock b : shape.blocks()) {
      heads.put(b.va(), new Label());
      exitNumber(b.va());
    }
    // exits are numbered before code is written: instruction numbers follow them
    for (RegionBlock b : shape.blocks()) {
      for (long successor : b.successors()) {
        exitNumber(successor);
      }
    }
  }

  private int exitNumber(long va) {
    return exitNumbers.computeIfAbsent(
        va,
        a -> {
          exitAddresses.add(a);
          return exitAddresses.size() - 1;
        });
  }

  long[] exitAddresses() {
    return exitAddresses.stream().mapToLong(Long::longValue).toArray();
  }

  /** The class file. */
  byte[] compile() {
    ClassWriter cw =
        new ClassWriter(ClassWriter.COMPUTE_FRAMES | ClassWriter.COMPUTE_MAXS) {
          @Override
          protected String getCommonSuperClass(String a, String b) {
            return "java/lang/Object";
          }
        };
    cw.visit(V17, ACC_FINAL | ACC_SUPER, REGION + "$Compiled", null, REGION, null);
    MethodVisitor init = cw.visitMethod(0, "<init>", "()V", null, null);
    init.visitCode();
    init.visitVarInsn(ALOAD, 0);
    init.visitMethodInsn(INVOKESPECIAL, REGION, "<init>", "()V", false);
    init.visitInsn(RETURN);
    init.visitMaxs(0, 0);
    init.visitEnd();
    MethodVisitor mv =
        cw.visitMethod(ACC_PUBLIC | ACC_FINAL, "exec", "(" + CPU_DESC + ")" + OP, null, null);
    mv.visitCode();
    c = new Code(mv, shape.usedRegisters(), shape.writtenRegisters());
    alu = new AluCompiler(c);
    moves = new MoveCompiler(c);
    body();
    mv.visitMaxs(0, 0);
    mv.visitEnd();
    cw.visitEnd();
    return cw.toByteArray();
  }

  private void body() {
    MethodVisitor mv = c.mv;
    Label go = new Label();
    mv.visitVarInsn(ALOAD, Locals.THIS);
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "enterable", "(" + CPU_DESC + ")Z", false);
    mv.visitJumpInsn(IFNE, go);
    mv.visitVarInsn(ALOAD, Locals.THIS);
    mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "fallback", "()" + OP, false);
    mv.visitInsn(ARETURN);
    mv.visitLabel(go);
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitFieldInsn(GETFIELD, Code.CPU, "mmu", "L" + Code.MMU + ";");
    mv.visitVarInsn(ASTORE, Locals.MMU);
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitFieldInsn(GETFIELD, Code.CPU, "r", "[J");
    mv.visitVarInsn(ASTORE, Locals.FILE);
    c.load();
    c.setInt(Locals.AT, 0);
    c.setInt(Locals.EXIT, 0);
    for (int local : new int[] {Locals.TARGET, Locals.T0, Locals.T1, Locals.EA}) {
      c.op(LCONST_0);
      c.storeLong(local);
    }
    Label start = new Label();
    Label end = new Label();
    Label handler = new Label();
    mv.visitTryCatchBlock(start, end, handler, "org/hypergraft/vmm/mmu/GuestFault");
    mv.visitTryCatchBlock(start, end, handler, "org/hypergraft/vmm/mmu/MmioRestart");
    mv.visitLabel(start);
    boolean first = true;
    List<RegionBlock> blocks = shape.blocks();
    for (int k = 0; k < blocks.size(); k++) {
      block(blocks.get(k), first, k + 1 < blocks.size() ? blocks.get(k + 1).va() : -1);
      first = false;
    }
    for (int k = 0; k < outOfLine.size(); k++) {
      outOfLine.get(k).run();
    }
    mv.visitLabel(end);
    mv.visitLabel(handler);
    mv.visitInsn(POP);
    mv.visitVarInsn(ILOAD, Locals.AT);
    c.integer(exitAddresses.size());
    c.op(IADD);
    mv.visitVarInsn(ISTORE, Locals.EXIT);
    mv.visitLabel(epilogue);
    c.spill();
    mv.visitVarInsn(ALOAD, Locals.THIS);
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitVarInsn(ILOAD, Locals.EXIT);
    c.loadLong(Locals.TARGET);
    mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "leave", "(" + CPU_DESC + "IJ)" + OP, false);
    mv.visitInsn(ARETURN);
    mv.visitLabel(returnPending);
    mv.visitVarInsn(ALOAD, Locals.THIS);
    mv.visitFieldInsn(GETFIELD, REGION, "pending", OP);
    mv.visitInsn(ARETURN);
  }

  private void block(RegionBlock b, boolean entry, long nextVa) {
    Label body = new Label();
    if (entry) {
      c.jump(GOTO, body);
    }
    c.label(heads.get(b.va()));
    // entering a block charges all of it, as in tier 0
    c.loadLong(Locals.LEFT);
    c.longValue(b.insns().length);
    c.op(LSUB);
    c.op(DUP2);
    c.storeLong(Locals.LEFT);
    c.op(LCONST_0);
    c.op(LCMP);
    Label spent = new Label();
    c.jump(IFLT, spent);
    outOfLine.add(
        () -> {
          c.label(spent);
          c.loadLong(Locals.LEFT);
          c.longValue(b.insns().length);
          c.op(LADD);
          c.storeLong(Locals.LEFT);
          exit(b.va());
        });
    c.label(body);
    c.kind = Code.UNKNOWN;
    Insn[] insns = b.insns();
    boolean open = true;
    for (int k = 0; k < insns.length; k++, number++) {
      Insn i = insns[k];
      boolean last = k == insns.length - 1;
      if (!Translatable.inline(i)) {
        if (last && b.endsRegion()) {
          exitNumbered(exitAddresses.size() + number);
          open = false;
        } else {
          viaTier0();
        }
        continue;
      }
      if (FlagUse.mayLeave(i)) {
        c.setInt(Locals.AT, number);
      }
      if (Translatable.branch(i)) {
        branch(i, nextVa);
        open = false;
      } else {
        boolean live = FlagUse.live(insns, k);
        if (!moves.compile(i) && !alu.compile(i, live)) {
          throw new IllegalStateException("no code for " + i.mnemonic);
        }
        if (stores(i)) {
          afterStore(number);
        }
      }
    }
    if (open) {
      edge(b.end(), nextVa);
    }
  }

  private static boolean stores(Insn i) {
    Mnemonic m = i.mnemonic;
    return m == Mnemonic.PUSH
        || i.operands > 0
            && i.kind[0] == Insn.MEM
            && m != Mnemonic.CMP
            && m != Mnemonic.TEST
            && m != Mnemonic.BT
            && m != Mnemonic.MUL
            && m != Mnemonic.NOP;
  }

  /** Leaves after instruction {@code k} if its store hit translated code. */
  private void afterStore(int k) {
    c.mv.visitVarInsn(ALOAD, Locals.MMU);
    c.mv.visitFieldInsn(GETFIELD, Code.MMU, "codeWritten", "Z");
    Label hit = new Label();
    c.jump(IFNE, hit);
    int nextOps = exitAddresses.size() + shape.instructions();
    outOfLine.add(
        () -> {
          c.label(hit);
          exitNumbered(nextOps + k);
        });
  }

  private void viaTier0() {
    c.spill();
    c.mv.visitVarInsn(ALOAD, Locals.THIS);
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.integer(number);
    c.mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "step", "(" + CPU_DESC + "I)Z", false);
    c.jump(IFEQ, returnPending);
    c.load();
    c.kind = Code.UNKNOWN;
  }

  // ---- control ---------------------------------------------------------------------------------

  private void branch(Insn i, long nextVa) {
    switch (i.mnemonic) {
      case JCC -> {
        Label taken = heads.get(i.imm);
        if (taken != null) {
          Conditions.jumpIf(c, i.cond, taken);
        } else {
          Label out = new Label();
          Conditions.jumpIf(c, i.cond, out);
          outOfLine.add(
              () -> {
                c.label(out);
                exit(i.imm);
              });
        }
        edge(i.end(), nextVa);
      }
      case JMP -> {
        if (i.kind[0] == Insn.REL) {
          edge(i.imm, nextVa);
        } else {
          c.pushUnsigned(i, 0, 8);
          c.storeLong(Locals.TARGET);
          requireCanonical(0);
          computed();
        }
      }
      case CALL -> {
        boolean direct = i.kind[0] == Insn.REL;
        if (!direct) {
          c.pushUnsigned(i, 0, 8);
          c.storeLong(Locals.TARGET);
        }
        c.longValue(i.end());
        c.storeLong(Locals.T0);
        moves.pushT0();
        if (direct) {
          edge(i.imm, nextVa);
        } else {
          requireCanonical(8);
          computed();
        }
      }
      case RET -> {
        moves.popTo(Locals.TARGET);
        requireCanonical(0);
        c.loadLong(Locals.register(4));
        c.longValue(8 + (i.operands > 0 ? i.imm & 0xffff : 0));
        c.op(LADD);
        c.storeLong(Locals.register(4));
        int tries = 0;
        for (long point : shape.returnPoints()) {
          if (tries++ == MAX_RETURN_POINTS) {
            break;
          }
          c.loadLong(Locals.TARGET);
          c.longValue(point);
          c.op(LCMP);
          c.jump(IFEQ, heads.get(point));
        }
        computed();
      }
      default -> throw new IllegalStateException("no branch: " + i.mnemonic);
    }
  }

  /**
   * Leaves the branch to its tier-0 op, which faults, unless the computed target is canonical.
   *
   * @param pushed bytes by which RSP has to go back first
   */
  private void requireCanonical(int pushed) {
    c.mv.visitVarInsn(ALOAD, Locals.MMU);
    c.loadLong(Locals.TARGET);
    c.mmu("canonical", "(J)Z");
    Label good = new Label();
    c.jump(IFNE, good);
    if (pushed != 0) {
      c.loadLong(Locals.register(4));
      c.longValue(pushed);
      c.op(LADD);
      c.storeLong(Locals.register(4));
    }
    exitNumbered(exitAddresses.size() + number);
    c.label(good);
  }

  private void edge(long target, long nextVa) {
    Label head = heads.get(target);
    if (head == null) {
      exit(target);
    } else if (target != nextVa) {
      c.jump(GOTO, head);
    }
  }

  private void computed() {
    exitNumbered(-1);
  }

  private void exit(long va) {
    exitNumbered(exitNumber(va));
  }

  private void exitNumbered(int n) {
    c.setInt(Locals.EXIT, n);
    c.jump(GOTO, epilogue);
  }
}
