package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.vmm.cpu.Cpu;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.commons.CodeSizeEvaluator;

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

  /** What blocks in chains take over from the one before. */
  private final Map<Long, Code.Held> handedOver = new HashMap<>();

  /** Tails for numbered exits, by kind of the flags. */
  private final Map<Integer, Label> numbered = new TreeMap<>();

  private final Label computed = new Label();
  private final Label returnPending = new Label();
  private boolean computes;
  private boolean steps;
  private final Map<Long, List<RegionBlock>> predecessors;

  /** Kind of the flags at the end of each block written so far. */
  private final Map<Long, Integer> kindAfter = new HashMap<>();

  private CodeSizeEvaluator size;
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
      bodies.put(b.va(), new Label());
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

  /** Upper bound of the method's size in bytes of bytecode. */
  int methodSize() {
    return size.getMaxSize();
  }

  /** The class file, or null if its method would take more than {@code most} bytes of bytecode. */
  byte[] compile(int most) {
    ClassWriter cw =
        new ClassWriter(ClassWriter.COMPUTE_FRAMES | ClassWriter.COMPUTE_MAXS) {
          @Override
          protected String getCommonSuperClass(String a, String b) {
            return "java/lang/Object";
          }
        };
    cw.visit(
        V17,
        ACC_FINAL | ACC_SUPER,
        REGION + (shape.resident() ? "$Loop" : "$Path"),
        null,
        REGION,
        null);
    MethodVisitor init = cw.visitMethod(0, "<init>", "()V", null, null);
    init.visitCode();
    init.visitVarInsn(ALOAD, 0);
    init.visitMethodInsn(INVOKESPECIAL, REGION, "<init>", "()V", false);
    init.visitInsn(RETURN);
    init.visitMaxs(0, 0);
    init.visitEnd();
    size =
        new CodeSizeEvaluator(
            cw.visitMethod(
                ACC_PROTECTED | ACC_FINAL, "run", "(" + CPU_DESC + "I)" + OP, null, null));
    size.visitCode();
    c = new Code(size, shape);
    alu = new AluCompiler(c);
    shifts = new ShiftCompiler(c);
    moves = new MoveCompiler(c);
    vectors = new VectorCompiler(c);
    body();
    if (methodSize() > most) {
      return null;
    }
    size.visitMaxs(0, 0);
    size.visitEnd();
    cw.visitEnd();
    return cw.toByteArray();
  }

  private void body() {
    MethodVisitor mv = c.mv;
    Label somewhere = new Label();
    mv.visitVarInsn(ILOAD, Locals.ENTRANCE);
    mv.visitJumpInsn(IFGE, somewhere);
    mv.visitInsn(ACONST_NULL);
    mv.visitInsn(ARETURN);
    mv.visitLabel(somewhere);
    Label go = new Label();
    mv.visitVarInsn(ALOAD, Locals.THIS);
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "enterable", "(" + CPU_DESC + ")Z", false);
    mv.visitJumpInsn(IFNE, go);
    mv.visitVarInsn(ALOAD, Locals.THIS);
    mv.visitVarInsn(ILOAD, Locals.ENTRANCE);
    mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "fallback", "(I)" + OP, false);
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
    enter();
    List<RegionBlock> blocks = shape.blocks();
    for (int k = 0; k < blocks.size(); k++) {
      block(blocks.get(k), k + 1 < blocks.size() ? blocks.get(k + 1).va() : -1);
    }
    for (int k = 0; k < outOfLine.size(); k++) {
      outOfLine.get(k).run();
    }
    for (RegionBlock b : blocks) {
      if (checkedHeads.containsKey(b.va())) {
        checkedHead(b, checkedHeads.get(b.va()));
      }
    }
    tails();
  }

  /** The ways out, which the code of blocks jumps to. */
  private void tails() {
    MethodVisitor mv = c.mv;
    numbered.forEach(
        (kind, tail) -> {
          c.label(tail);
          leave(kind, "I", () -> mv.visitVarInsn(ILOAD, Locals.EXIT));
        });
    if (computes) {
      c.label(computed);
      leave(Code.UNKNOWN, "J", () -> c.loadLong(Locals.TARGET));
    }
    if (steps) {
      c.label(returnPending);
      mv.visitVarInsn(ALOAD, Locals.THIS);
      mv.visitFieldInsn(GETFIELD, REGION, "pending", OP);
      mv.visitInsn(ARETURN);
    }
  }

  private void leave(int kind, String type, Runnable push) {
    c.kind = kind;
    c.spill();
    c.mv.visitVarInsn(ALOAD, Locals.THIS);
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    push.run();
    c.mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "leave", "(" + CPU_DESC + type + ")" + OP, false);
    c.mv.visitInsn(ARETURN);
  }

  /** Goes to the entry asked for. */
  private void enter() {
    List<RegionBlock> entries = shape.entries();
    Label[] at = entries.stream().map(b -> bodies.get(b.va())).toArray(Label[]::new);
    enter(at, 0, at.length);
  }

  /** By halves: HotSpot's first compiler makes a chain of comparisons out of a switch. */
  private void enter(Label[] at, int from, int to) {
    if (to - from == 1) {
      c.jump(GOTO, at[from]);
      return;
    }
    int middle = (from + to) >>> 1;
    Label upper = new Label();
    c.mv.visitVarInsn(ILOAD, Locals.ENTRANCE);
    c.integer(middle);
    c.jump(IF_ICMPGE, upper);
    enter(at, from, middle);
    c.label(upper);
    enter(at, middle, to);
  }

  private void block(RegionBlock b, long nextVa) {
    c.label(heads.get(b.va()));
    begun.add(b.va());
    c.held(heldBefore(b));
    // entering a block charges all of it, as in tier 0; checked() has seen that there is enough
    c.charge(b.insns().length);
    c.label(bodies.get(b.va()));
    vectors.forget();
    Insn[] insns = b.insns();
    boolean open = true;
    for (int k = 0; k < insns.length; k++, number++) {
      Insn i = insns[k];
      int before = c.kind;
      if (!Translatable.inline(i)) {
        if (VectorForms.callable(i)) {
          called(i);
        } else if (k == insns.length - 1 && b.endsRegion()) {
          exitNumbered(exitAddresses.size() + number);
          open = false;
        } else {
          viaTier0();
        }
      } else {
        c.before(i);
        if (Translatable.branch(i)) {
          branch(b, nextVa);
          open = false;
        } else {
          compile(i, FlagUse.live(insns, k));
          c.wrote(RegisterUse.written(i));
        }
      }
      leaveOnMiss(before);
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
    c.charge(n);
    c.jumpWhenLeftBelow(shape.instructions() - n, spent);
    c.jump(GOTO, bodies.get(b.va()));
    c.label(spent);
    c.charge(-n);
    exitNumbered(exitNumber(b.va()), Code.UNKNOWN);
  }

  private void compile(Insn i, boolean live) {
    if (!moves.compile(i)
        && !alu.compile(i, live)
        && !shifts.compile(i, live)
        && !vectors.compile(i)) {
      throw new IllegalStateException("no code for " + i.mnemonic);
    }
  }

  /** What locals hold at the start of a block. */
  private Code.Held heldBefore(RegionBlock b) {
    if (shape.chained().contains(b.va())) {
      return handedOver.get(b.va());
    }
    return shape.resident() ? new Code.Held(0, false, kindBefore(b)) : Code.Held.NOTHING;
  }

  /** Kind of the flags at the start of a block, if all that lead there agree on it. */
  private int kindBefore(RegionBlock b) {
    List<RegionBlock> before = predecessors.getOrDefault(b.va(), List.of());
    if (before.isEmpty() || shape.entries().contains(b) || shape.computedTarget(b.va())) {
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

  /**
   * Where the current instruction's accesses go when they miss: out to its tier-0 op.
   *
   * @param kind of the flags before the instruction
   */
  private void leaveOnMiss(int kind) {
    Label miss = c.memory.takeMiss();
    if (miss != null) {
      int exit = exitAddresses.size() + number;
      outOfLine.add(
          () -> {
            c.label(miss);
            exitNumbered(exit, kind);
          });
    }
    outOfLine.addAll(c.takeDetours());
  }

  /** Calls the tier-0 op of a vector instruction, which needs only its address registers. */
  private void called(Insn i) {
    if (i.hasMemory() && shape.resident()) {
      c.spillRegisters(RegisterUse.read(i));
    }
    c.lanes.spill();
    c.mv.visitVarInsn(ALOAD, Locals.THIS);
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.integer(number);
    c.mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "call", "(" + CPU_DESC + "I)Z", false);
    c.jump(IFEQ, c.memory.miss());
    c.lanes.loadHeld();
    c.lanes.forget();
    if (i.kind[0] == Insn.MEM) {
      afterStore();
    }
  }

  /** Leaves after the current instruction if its store hit translated code. */
  private void afterStore() {
    c.mv.visitVarInsn(ALOAD, Locals.MMU);
    c.mv.visitFieldInsn(GETFIELD, Code.MMU, "codeWritten", "Z");
    Label hit = new Label();
    c.jump(IFNE, hit);
    int next = exitAddresses.size() + shape.instructions() + number;
    int kind = c.kind;
    outOfLine.add(
        () -> {
          c.label(hit);
          exitNumbered(next, kind);
        });
  }

  private void viaTier0() {
    c.spill();
    c.mv.visitVarInsn(ALOAD, Locals.THIS);
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.integer(number);
    c.mv.visitMethodInsn(INVOKEVIRTUAL, REGION, "step", "(" + CPU_DESC + "I)Z", false);
    c.jump(IFEQ, returnPending);
    steps = true;
    c.load();
    vectors.forget();
    // a repeated string instruction charges for itself
    int next = exitAddresses.size() + shape.instructions() + number;
    Label spent = new Label();
    c.jumpWhenLeftBelow(shape.instructions(), spent);
    outOfLine.add(
        () -> {
          c.label(spent);
          exitNumbered(next, Code.UNKNOWN);
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
          computed(b, 0);
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
        c.wrote(RegisterUse.written(i));
        if (b.direct()) {
          edge(b.target(), nextVa);
        } else {
          computed(b, MoveCompiler.slot(i));
        }
      }
      case RET -> {
        moves.popTo(i, Locals.TARGET);
        int popped = MoveCompiler.slot(i) + (i.operands > 0 ? (int) i.imm & 0xffff : 0);
        moves.movedStack(i, popped);
        c.storeLong(Locals.register(4));
        c.wrote(RegisterUse.written(i));
        computed(b, -popped);
      }
      default -> throw new IllegalStateException("no branch: " + i.mnemonic);
    }
  }

  /**
   * Goes where TARGET says.
   *
   * @param back what RSP has to be moved by before the instruction can be executed again
   */
  private void computed(RegionBlock b, int back) {
    handOver();
    goWithin(b);
    requireCanonical(b.last(), back);
    computes = true;
    c.jump(GOTO, computed);
  }

  /** Has the Cpu know what the next block, which takes nothing over, expects there. */
  private void handOver() {
    if (!shape.resident()) {
      c.flagsToCpu();
      c.kind = Code.UNKNOWN;
    }
  }

  private void conditional(long target, int cond) {
    Label head = heads.get(target);
    boolean backward = begun.contains(target);
    if (head == null || c.kind != Code.UNKNOWN && takesNothing(target)) {
      Label out = new Label();
      int kind = c.kind;
      Conditions.jumpIf(c, cond, out);
      outOfLine.add(
          () -> {
            c.label(out);
            if (head == null) {
              exitNumbered(exitNumber(target), kind);
            } else {
              c.flagsToCpu(kind);
              c.jump(GOTO, backward ? checked(target) : head);
            }
          });
    } else if (backward) {
      // HotSpot keeps the operands of a backward conditional branch alive for its safepoint
      Label skip = new Label();
      Conditions.jumpIf(c, cond ^ 1, skip);
      c.jump(GOTO, checked(target));
      c.label(skip);
    } else {
      handedOver.put(target, c.held());
      Conditions.jumpIf(c, cond, head);
    }
  }

  private boolean takesNothing(long va) {
    return !shape.resident() && !shape.chained().contains(va);
  }

  /** Goes on within the region if TARGET is one of the places where the block may lead to. */
  private void goWithin(RegionBlock b) {
    Collection<Long> points = shape.computed().getOrDefault(b.va(), List.of());
    Label elsewhere = new Label();
    SortedMap<Integer, Long> keys = new TreeMap<>();
    for (long point : points) {
      keys.putIfAbsent((int) point, point);
    }
    if (keys.size() == 1) {
      goTo(keys.get(keys.firstKey()), elsewhere);
    } else if (keys.size() > 1) {
      Label[] labels = keys.keySet().stream().map(k -> new Label()).toArray(Label[]::new);
      int[] values = keys.keySet().stream().mapToInt(Integer::intValue).toArray();
      c.loadLong(Locals.TARGET);
      c.op(L2I);
      c.mv.visitLookupSwitchInsn(elsewhere, values, labels);
      for (int k = 0; k < labels.length; k++) {
        c.label(labels[k]);
        goTo(keys.get(values[k]), elsewhere);
      }
    }
    c.label(elsewhere);
  }

  private void goTo(long point, Label elsewhere) {
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
      c.wrote(1L << 4);
    }
    exitNumbered(exitAddresses.size() + number);
    c.label(good);
  }

  private void edge(long target, long nextVa) {
    Label head = heads.get(target);
    if (head == null) {
      exitNumbered(exitNumber(target));
      return;
    }
    if (takesNothing(target)) {
      handOver();
    } else {
      handedOver.put(target, c.held());
    }
    if (begun.contains(target)) {
      c.jump(GOTO, checked(target));
    } else if (target != nextVa) {
      c.jump(GOTO, head);
    }
  }

  private void exitNumbered(int n) {
    exitNumbered(n, c.kind);
  }

  /**
   * Leaves by a number, see {@link Region#leave(Cpu, int)}.
   *
   * @param kind of the flags
   */
  private void exitNumbered(int n, int kind) {
    c.setInt(Locals.EXIT, n);
    int tail = shape.resident() ? Code.UNKNOWN : kind;
    c.jump(GOTO, numbered.computeIfAbsent(tail, k -> new Label()));
  }
}
