package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.hypergraft.annotator.isa.Insn;
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

  private final RegionShape shape;

  /** Starts of blocks, for jumps forward. */
  private final Map<Long, Label> heads = new HashMap<>();

  /** Where the code of blocks begins once they are charged. */
  private final Map<Long, Label> bodies = new HashMap<>();

  /** Starts of blocks that jumps backward and computed ones go to, as far as there are any. */
  private final Map<Long, Label> checkedHeads = new HashMap<>();

  private final Map<Long, Integer> exitNumbers = new HashMap<>();
  private final List<Long> exitAddresses = new ArrayList<>();

  /** Instruction numbers at which the epilogue hands over, with the code that jumps there. */
  private final List<Runnable> outOfLine = new ArrayList<>();

  /** Blocks whose head has been written: jumps there go backwards. */
  private final Set<Long> begun = new HashSet<>();

  private final Label epilogue = new Label();
  private final Label returnPending = new Label();
  private final Map<Long, List<RegionBlock>> predecessors;

  /** Kind of the flags at the end of each block written so far. */
  private final Map<Long, Integer> kindAfter = new HashMap<>();

  private Code c;
  private AluCompiler alu;
  private ShiftCompiler shifts;
  private MoveCompiler moves;
  private VectorCompiler vectors;

  /** Number of the current instruction within the region. */
  private int number;

  RegionCompiler(RegionShape shape) {
    this.shape = shape;
    predecessors = shape.predecessors();
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
    c = new Code(mv, shape);
    alu = new AluCompiler(c);
    shifts = new ShiftCompiler(c);
    moves = new MoveCompiler(c);
    vectors = new VectorCompiler(c);
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
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitFieldInsn(GETFIELD, Code.CPU, "x", "[J");
    mv.visitVarInsn(ASTORE, Locals.VECTORS);
    mv.visitFieldInsn(GETSTATIC, "org/hypergraft/vmm/mmu/GuestRam", "U", "Lsun/misc/Unsafe;");
    mv.visitVarInsn(ASTORE, Locals.UNSAFE);
    c.load();
    c.setInt(Locals.AT, 0);
    c.setInt(Locals.EXIT, 0);
    c.op(LCONST_0);
    c.storeLong(Locals.TARGET);
    Label start = new Label();
    Label end = new Label();
    boolean throwing = shape.blocks().stream().anyMatch(RegionCompiler::throwing);
    Label handler = new Label();
    if (throwing) {
      mv.visitTryCatchBlock(start, end, handler, "org/hypergraft/vmm/mmu/GuestFault");
      mv.visitTryCatchBlock(start, end, handler, "org/hypergraft/vmm/mmu/MmioRestart");
    }
    mv.visitLabel(start);
    List<RegionBlock> blocks = shape.blocks();
    for (int k = 0; k < blocks.size(); k++) {
      block(blocks.get(k), k == 0, k + 1 < blocks.size() ? blocks.get(k + 1).va() : -1);
    }
    for (int k = 0; k < outOfLine.size(); k++) {
      outOfLine.get(k).run();
    }
    for (RegionBlock b : blocks) {
      if (checkedHeads.containsKey(b.va())) {
        checkedHead(b, checkedHeads.get(b.va()));
      }
    }
    mv.visitLabel(end);
    if (throwing) {
      mv.visitLabel(handler);
      mv.visitInsn(POP);
      mv.visitVarInsn(ILOAD, Locals.AT);
      c.integer(exitAddresses.size());
      c.op(IADD);
      mv.visitVarInsn(ISTORE, Locals.EXIT);
    }
    mv.visitLabel(epilogue);
    c.kind = Code.UNKNOWN;
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

  /** Whether something called from the block's code may fault. */
  private static boolean throwing(RegionBlock b) {
    return Arrays.stream(b.insns())
        .anyMatch(i -> !Translatable.inline(i) && VectorForms.callable(i));
  }

  private void block(RegionBlock b, boolean entry, long nextVa) {
    Label body = new Label();
    if (entry) {
      c.jump(GOTO, body);
    }
    c.label(heads.get(b.va()));
    begun.add(b.va());
    // entering a block charges all of it, as in tier 0; checked() has seen that there is enough
    charge(b.insns().length);
    c.label(body);
    bodies.put(b.va(), body);
    c.kind = kindBefore(b, entry);
    vectors.forget();
    Insn[] insns = b.insns();
    boolean open = true;
    for (int k = 0; k < insns.length; k++, number++) {
      Insn i = insns[k];
      if (!Translatable.inline(i)) {
        if (VectorForms.callable(i)) {
          called(i);
        } else if (k == insns.length - 1 && b.endsRegion()) {
          exitNumbered(exitAddresses.size() + number);
          open = false;
        } else {
          viaTier0();
        }
      } else if (Translatable.branch(i)) {
        branch(b, nextVa);
        open = false;
      } else {
        boolean live = FlagUse.live(insns, k);
        if (!moves.compile(i)
            && !alu.compile(i, live)
            && !shifts.compile(i, live)
            && !vectors.compile(i)) {
          throw new IllegalStateException("no code for " + i.mnemonic);
        }
      }
      leaveOnMiss();
    }
    if (open) {
      edge(b.end(), nextVa);
    }
    kindAfter.put(b.va(), c.kind);
  }

  /**
   * Where to jump to reach a block otherwise than forward in the order of the code. The region is
   * left there unless the budget lasts for all its instructions: between two such jumps each block
   * runs once at most. What the budget still allows then is done by tier 0.
   */
  private Label checked(long va) {
    return checkedHeads.computeIfAbsent(va, a -> new Label());
  }

  private void checkedHead(RegionBlock b, Label label) {
    c.label(label);
    Label spent = new Label();
    int n = b.insns().length;
    // charged before it is compared: so HotSpot sees loops that count
    charge(n);
    leaveWhenBelow(shape.instructions() - n, spent);
    c.jump(GOTO, bodies.get(b.va()));
    c.label(spent);
    charge(-n);
    exit(b.va());
  }

  private void charge(int instructions) {
    c.mv.visitIincInsn(Locals.LEFT, -instructions);
  }

  private void leaveWhenBelow(int instructions, Label to) {
    c.mv.visitVarInsn(ILOAD, Locals.LEFT);
    c.integer(instructions);
    c.jump(IF_ICMPLT, to);
  }

  /** Kind of the flags at the start of a block, if all that lead there agree on it. */
  private int kindBefore(RegionBlock b, boolean entry) {
    List<RegionBlock> before = predecessors.getOrDefault(b.va(), List.of());
    if (entry || before.isEmpty() || shape.returnPoint(b.va())) {
      return Code.UNKNOWN;
    }
    int kind = kindAfter.getOrDefault(before.get(0).va(), Code.UNKNOWN);
    for (RegionBlock p : before) {
      if (kindAfter.getOrDefault(p.va(), Code.UNKNOWN) != kind) {
        return Code.UNKNOWN;
      }
    }
    return kind;
  }

  /** Where the current instruction's accesses go when they miss: out to its tier-0 op. */
  private void leaveOnMiss() {
    Label miss = c.memory.takeMiss();
    if (miss != null) {
      int exit = exitAddresses.size() + number;
      outOfLine.add(
          () -> {
            c.label(miss);
            exitNumbered(exit);
          });
    }
    outOfLine.addAll(c.takeDetours());
  }

  /** Calls the tier-0 op of a vector instruction, which needs only its address registers. */
  private void called(Insn i) {
    c.setInt(Locals.AT, number);
    if (i.hasMemory()) {
      c.spillRegisters(RegisterUse.read(i));
    }
    c.lanes.spill();
    c.mv.visitVarInsn(ALOAD, Locals.THIS);
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.integer(number);
    c.mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "call", "(" + CPU_DESC + "I)V", false);
    c.lanes.loadHeld();
    c.lanes.forget();
    if (i.kind[0] == Insn.MEM) {
      afterStore(number);
    }
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
    vectors.forget();
    // a repeated string instruction charges for itself
    int next = exitAddresses.size() + shape.instructions() + number;
    Label spent = new Label();
    leaveWhenBelow(shape.instructions(), spent);
    outOfLine.add(
        () -> {
          c.label(spent);
          exitNumbered(next);
        });
  }

  // ---- control ---------------------------------------------------------------------------------

  private void branch(RegionBlock b, long nextVa) {
    Insn i = b.last();
    switch (i.mnemonic) {
      case JCC -> {
        conditional(b.target(), i.cond);
        edge(b.end(), nextVa);
      }
      case JMP -> {
        if (b.direct()) {
          edge(b.target(), nextVa);
        } else {
          c.pushUnsigned(i, 0, MoveCompiler.slot(i));
          c.storeLong(Locals.TARGET);
          requireCanonical(i, 0);
          computed();
        }
      }
      case CALL -> {
        if (!b.direct()) {
          c.pushUnsigned(i, 0, MoveCompiler.slot(i));
          c.storeLong(Locals.TARGET);
        }
        c.longValue(b.end());
        c.storeLong(Locals.T0);
        moves.pushT0(i);
        if (b.direct()) {
          edge(b.target(), nextVa);
        } else {
          requireCanonical(i, MoveCompiler.slot(i));
          computed();
        }
      }
      case RET -> {
        moves.popTo(i, Locals.TARGET);
        int popped = MoveCompiler.slot(i) + (i.operands > 0 ? (int) i.imm & 0xffff : 0);
        moves.movedStack(i, popped);
        c.storeLong(Locals.register(4));
        returnWithin(shape.returns().getOrDefault(b.va(), List.of()));
        requireCanonical(i, -popped);
        computed();
      }
      default -> throw new IllegalStateException("no branch: " + i.mnemonic);
    }
  }

  private void conditional(long target, int cond) {
    Label head = heads.get(target);
    if (head == null) {
      Label out = new Label();
      Conditions.jumpIf(c, cond, out);
      outOfLine.add(
          () -> {
            c.label(out);
            exit(target);
          });
    } else if (begun.contains(target)) {
      // HotSpot keeps the operands of a backward conditional branch alive for its safepoint
      Label skip = new Label();
      Conditions.jumpIf(c, cond ^ 1, skip);
      c.jump(GOTO, checked(target));
      c.label(skip);
    } else {
      Conditions.jumpIf(c, cond, head);
    }
  }

  /** Goes on within the region if TARGET is one of {@code points}, in ascending order. */
  private void returnWithin(Collection<Long> points) {
    Label elsewhere = new Label();
    SortedMap<Integer, Long> keys = new TreeMap<>();
    for (long point : points) {
      keys.putIfAbsent((int) point, point);
    }
    if (keys.size() == 1) {
      returnTo(keys.get(keys.firstKey()), elsewhere);
    } else if (keys.size() > 1) {
      Label[] labels = keys.keySet().stream().map(k -> new Label()).toArray(Label[]::new);
      int[] values = keys.keySet().stream().mapToInt(Integer::intValue).toArray();
      c.loadLong(Locals.TARGET);
      c.op(L2I);
      c.mv.visitLookupSwitchInsn(elsewhere, values, labels);
      for (int k = 0; k < labels.length; k++) {
        c.label(labels[k]);
        returnTo(keys.get(values[k]), elsewhere);
      }
    }
    c.label(elsewhere);
  }

  private void returnTo(long point, Label elsewhere) {
    c.loadLong(Locals.TARGET);
    c.longValue(point);
    c.op(LCMP);
    c.jump(IFNE, elsewhere);
    c.jump(GOTO, checked(point));
  }

  /**
   * Leaves the branch to its tier-0 op, which faults, unless the computed target is canonical.
   *
   * @param back what RSP has to be moved by first
   */
  private void requireCanonical(Insn i, int back) {
    if (i.mode != 64) {
      return;
    }
    c.mv.visitVarInsn(ALOAD, Locals.MMU);
    c.loadLong(Locals.TARGET);
    c.mmu("canonical", "(J)Z");
    Label good = new Label();
    c.jump(IFNE, good);
    if (back != 0) {
      moves.movedStack(i, back);
      c.storeLong(Locals.register(4));
    }
    exitNumbered(exitAddresses.size() + number);
    c.label(good);
  }

  private void edge(long target, long nextVa) {
    Label head = heads.get(target);
    if (head == null) {
      exit(target);
    } else if (begun.contains(target)) {
      c.jump(GOTO, checked(target));
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
