package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import java.util.List;
import java.util.function.Consumer;
import org.hypergraft.annotator.isa.Insn;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.commons.CodeSizeEvaluator;

/**
 * Writes the class of one region: a method whose locals are the guest's registers and whose labels
 * are the region's blocks.
 */
final class RegionCompiler {
  private final RegionShape shape;
  private final ClassWriter writer =
      new ClassWriter(ClassWriter.COMPUTE_FRAMES | ClassWriter.COMPUTE_MAXS) {
        @Override
        protected String getCommonSuperClass(String a, String b) {
          return "java/lang/Object";
        }
      };
  private final CodeSizeEvaluator method;
  private final Code c;
  private final RegionFlow flow;
  private final AluCompiler alu;
  private final ShiftCompiler shifts;
  private final MoveCompiler moves;
  private final VectorCompiler vectors;
  private final BranchCompiler branches;

  /** Where the op that {@code Region.step} has left is returned, if anything is stepped. */
  private Label returnPending;

  /** Number of the current instruction within the region. */
  private int number;

  RegionCompiler(RegionShape shape) {
    this.shape = shape;
    // the name tells profiles, and options of the JVM, what kind of region it is
    String name = Code.REGION + (shape.resident() ? "$Loop" : "$Path");
    writer.visit(V17, ACC_FINAL | ACC_SUPER, name, null, Code.REGION, null);
    String descriptor = "(" + Code.CPU_TYPE + "I)" + Code.OP_TYPE;
    method =
        new CodeSizeEvaluator(
            writer.visitMethod(ACC_PROTECTED | ACC_FINAL, "run", descriptor, null, null));
    c = new Code(method, shape);
    flow = new RegionFlow(shape, c);
    alu = new AluCompiler(c);
    shifts = new ShiftCompiler(c);
    moves = new MoveCompiler(c);
    vectors = new VectorCompiler(c);
    branches = new BranchCompiler(c, moves, flow);
  }

  /** The addresses that the region may leave to, by number. */
  long[] exitAddresses() {
    return flow.exits();
  }

  /** Upper bound of the method's size in bytes of bytecode. */
  int methodSize() {
    return method.getMaxSize();
  }

  /** The class file, or null if its method would take more than {@code most} bytes of bytecode. */
  byte[] compile(int most) {
    method.visitCode();
    begin();
    List<RegionBlock> blocks = shape.blocks();
    for (int k = 0; k < blocks.size(); k++) {
      block(blocks.get(k), k + 1 < blocks.size() ? blocks.get(k + 1).va() : -1);
    }
    flow.finish();
    if (returnPending != null) {
      c.label(returnPending);
      c.mv.visitVarInsn(ALOAD, Locals.THIS);
      c.mv.visitFieldInsn(GETFIELD, Code.REGION, "pending", Code.OP_TYPE);
      c.op(ARETURN);
    }
    if (methodSize() > most) {
      return null;
    }
    method.visitMaxs(0, 0);
    method.visitEnd();
    constructor();
    writer.visitEnd();
    return writer.toByteArray();
  }

  private void constructor() {
    MethodVisitor init = writer.visitMethod(0, "<init>", "()V", null, null);
    init.visitCode();
    init.visitVarInsn(ALOAD, 0);
    init.visitMethodInsn(INVOKESPECIAL, Code.REGION, "<init>", "()V", false);
    init.visitInsn(RETURN);
    init.visitMaxs(0, 0);
    init.visitEnd();
  }

  // ---- entrance --------------------------------------------------------------------------------

  private void begin() {
    MethodVisitor mv = c.mv;
    Label somewhere = new Label();
    mv.visitVarInsn(ILOAD, Locals.ENTRANCE);
    c.jump(IFGE, somewhere);
    c.op(ACONST_NULL);
    c.op(ARETURN);
    c.label(somewhere);
    Label go = new Label();
    mv.visitVarInsn(ALOAD, Locals.THIS);
    mv.visitVarInsn(ALOAD, Locals.CPU);
    c.region("enterable", "(" + Code.CPU_TYPE + ")Z");
    c.jump(IFNE, go);
    mv.visitVarInsn(ALOAD, Locals.THIS);
    mv.visitVarInsn(ILOAD, Locals.ENTRANCE);
    c.region("fallback", "(I)" + Code.OP_TYPE);
    c.op(ARETURN);
    c.label(go);
    ofCpu("mmu", "L" + Code.MMU + ";", Locals.MMU);
    ofCpu("r", "[J", Locals.FILE);
    ofCpu("x", "[J", Locals.VECTORS);
    mv.visitFieldInsn(GETSTATIC, "org/hypergraft/vmm/mmu/GuestRam", "U", "Lsun/misc/Unsafe;");
    mv.visitVarInsn(ASTORE, Locals.UNSAFE);
    c.load();
    Label[] entries = shape.entries().stream().map(flow::body).toArray(Label[]::new);
    enter(entries, 0, entries.length);
  }

  private void ofCpu(String field, String type, int local) {
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.mv.visitFieldInsn(GETFIELD, Code.CPU, field, type);
    c.mv.visitVarInsn(ASTORE, local);
  }

  /**
   * Goes to the entry asked for, by halves: HotSpot's first compiler makes a chain of comparisons
   * out of a switch.
   */
  private void enter(Label[] entries, int from, int to) {
    if (to - from == 1) {
      c.jump(GOTO, entries[from]);
      return;
    }
    int middle = (from + to) >>> 1;
    Label upper = new Label();
    c.mv.visitVarInsn(ILOAD, Locals.ENTRANCE);
    c.integer(middle);
    c.jump(IF_ICMPGE, upper);
    enter(entries, from, middle);
    c.label(upper);
    enter(entries, middle, to);
  }

  // ---- instructions ----------------------------------------------------------------------------

  private void block(RegionBlock b, long next) {
    flow.begin(b);
    vectors.forget();
    Insn[] insns = b.insns();
    boolean open = true;
    for (int k = 0; k < insns.length; k++, number++) {
      Insn i = insns[k];
      int before = c.kind;
      if (Translatable.inline(i)) {
        c.before(i);
        if (Translatable.branch(i)) {
          branches.compile(b, number, next);
          open = false;
        } else {
          compile(i, FlagUse.live(insns, k));
          c.wrote(RegisterUse.written(i));
        }
      } else if (VectorForms.callable(i)) {
        called(i);
      } else if (k == insns.length - 1 && b.endsRegion()) {
        flow.leaveAt(number, before);
        open = false;
      } else {
        viaTier0();
      }
      leaveOnMiss(before);
    }
    if (open) {
      flow.go(b.end(), next);
    }
    flow.end(b);
  }

  private void compile(Insn i, boolean live) {
    if (!moves.compile(i)
        && !alu.compile(i, live)
        && !shifts.compile(i, live)
        && !vectors.compile(i)) {
      throw new IllegalStateException("no code for " + i.mnemonic);
    }
  }

  /**
   * Where the current instruction's accesses go when they miss: out to its tier-0 op.
   *
   * @param kind of the flags before the instruction
   */
  private void leaveOnMiss(int kind) {
    Label miss = c.memory.takeMiss();
    if (miss != null) {
      int at = number;
      flow.outOfLine(
          () -> {
            c.label(miss);
            flow.leaveAt(at, kind);
          });
    }
    c.takeDetours().forEach(flow::outOfLine);
  }

  /** Calls the tier-0 op of a vector instruction, which needs only its address registers. */
  private void called(Insn i) {
    if (i.hasMemory() && shape.resident()) {
      c.spillRegisters(RegisterUse.read(i));
    }
    c.lanes.spill();
    tier0("call");
    c.jump(IFEQ, c.memory.miss());
    c.lanes.loadHeld();
    c.lanes.forget();
    if (i.kind[0] == Insn.MEM) {
      // a store may have hit translated code
      c.mv.visitVarInsn(ALOAD, Locals.MMU);
      c.mv.visitFieldInsn(GETFIELD, Code.MMU, "codeWritten", "Z");
      leaveAfter(c.kind, hit -> c.jump(IFNE, hit));
    }
  }

  /** Executes an instruction that has no code here. */
  private void viaTier0() {
    if (returnPending == null) {
      returnPending = new Label();
    }
    c.spill();
    tier0("step");
    c.jump(IFEQ, returnPending);
    c.load();
    vectors.forget();
    // a repeated string instruction charges for itself
    leaveAfter(Code.UNKNOWN, spent -> c.jumpWhenLeftBelow(shape.instructions(), spent));
  }

  /** Calls a method of {@link Region} on the current instruction's tier-0 op. */
  private void tier0(String name) {
    c.mv.visitVarInsn(ALOAD, Locals.THIS);
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.integer(number);
    c.region(name, "(" + Code.CPU_TYPE + "I)Z");
  }

  /** Leaves after the current instruction if the code of {@code jump} goes to its label. */
  private void leaveAfter(int kind, Consumer<Label> jump) {
    Label out = new Label();
    jump.accept(out);
    int after = number;
    flow.outOfLine(
        () -> {
          c.label(out);
          flow.leaveAfter(after, kind);
        });
  }
}
