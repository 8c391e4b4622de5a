package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.vmm.cpu.Flags;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import sun.misc.Unsafe;

/** Bytecode idioms of a region: registers, memory operands, conversions, flags in locals. */
final class Code {
  static final String CPU = "org/hypergraft/vmm/cpu/Cpu";
  static final String FLAGS = "org/hypergraft/vmm/cpu/Flags";
  static final String MMU = "org/hypergraft/vmm/mmu/Mmu";
  static final String SEMANTICS = "org/hypergraft/vmm/cpu/semantics/";
  static final String FLAG_BITS = "org/hypergraft/vmm/cpu/jit/FlagBits";
  static final String REGION = "org/hypergraft/vmm/cpu/jit/Region";

  static final String CPU_TYPE = "L" + CPU + ";";
  static final String OP_TYPE = "Lorg/hypergraft/vmm/cpu/interpret/Op;";

  /**
   * {@link #kind}: not known at compile time. With resident registers local {@link Locals#FK}
   * tells; without, the flags are those of the Cpu.
   */
  static final int UNKNOWN = -1;

  /**
   * Kinds that exist within a region only: {@link Flags#SUB} of 8 and of 4 bytes, FR not computed.
   */
  static final int DIFFERENCE64 = 5;

  static final int DIFFERENCE32 = 6;

  final MethodVisitor mv;
  final MemoryCode memory;
  final VectorLanes lanes;

  /** Code to be placed out of line. */
  private List<Runnable> detours = new ArrayList<>();

  /** Kind of the lazy flags at this point if it is known, see {@code Flags}. */
  int kind = UNKNOWN;

  /** Registers the region uses and writes, bit per number. */
  private final long used;

  private final long written;

  /** See {@link RegionShape#resident}. */
  private final boolean resident;

  /** Not resident: registers whose locals are what the Cpu has. */
  private long held;

  /** Not resident: whether local {@link Locals#TLB} is what the Mmu has. */
  private boolean tlbHeld;

  Code(MethodVisitor mv, RegionShape shape) {
    this.mv = mv;
    used = shape.usedRegisters();
    written = shape.writtenRegisters();
    resident = shape.resident();
    memory = new MemoryCode(this, new HotPages(shape));
    lanes = new VectorLanes(this, shape);
  }

  // ---- what locals hold ------------------------------------------------------------------------

  /** What is known where one block goes on in another that nothing else leads to. */
  record Held(long registers, boolean tlb, int kind) {
    /** Nothing: all is in the Cpu. */
    static final Held NOTHING = new Held(0, false, UNKNOWN);
  }

  Held held() {
    return new Held(held, tlbHeld, kind);
  }

  void held(Held now) {
    held = now.registers();
    tlbHeld = now.tlb();
    kind = now.kind();
  }

  /** Makes sure that locals hold what the instruction needs. */
  void before(Insn i) {
    if (resident) {
      return;
    }
    loadRegisters(RegisterUse.needed(i) & ~held);
    held |= RegisterUse.needed(i);
    if (RegisterUse.memory(i) && !tlbHeld) {
      loadTlb();
      tlbHeld = true;
    }
  }

  /** Has the Cpu know the registers that have just been written. */
  void wrote(long registers) {
    if (!resident) {
      spillRegisters(registers);
      held |= registers;
    }
  }

  // ---- constants and conversions ---------------------------------------------------------------

  void integer(int v) {
    if (v >= -1 && v <= 5) {
      mv.visitInsn(ICONST_0 + v);
    } else if (v == (byte) v) {
      mv.visitIntInsn(BIPUSH, v);
    } else if (v == (short) v) {
      mv.visitIntInsn(SIPUSH, v);
    } else {
      mv.visitLdcInsn(v);
    }
  }

  void longValue(long v) {
    if (v == 0 || v == 1) {
      mv.visitInsn(v == 0 ? LCONST_0 : LCONST_1);
    } else if (v == (short) v) {
      integer((int) v);
      mv.visitInsn(I2L);
    } else {
      mv.visitLdcInsn(v);
    }
  }

  void op(int opcode) {
    mv.visitInsn(opcode);
  }

  void loadLong(int local) {
    mv.visitVarInsn(LLOAD, local);
  }

  void storeLong(int local) {
    mv.visitVarInsn(LSTORE, local);
  }

  void setInt(int local, int v) {
    integer(v);
    mv.visitVarInsn(ISTORE, local);
  }

  /** Sign-extends the long on the stack from {@code size} bytes. */
  void signed(int size) {
    switch (size) {
      case 1 -> {
        op(L2I);
        op(I2B);
        op(I2L);
      }
      case 2 -> {
        op(L2I);
        op(I2S);
        op(I2L);
      }
      case 4 -> {
        op(L2I);
        op(I2L);
      }
      default -> {}
    }
  }

  /** Zero-extends the long on the stack from {@code size} bytes. */
  void unsigned(int size) {
    if (size < 8) {
      longValue((1L << (8 * size)) - 1);
      op(LAND);
    }
  }

  // ---- operands --------------------------------------------------------------------------------

  /** Pushes operand {@code k}, sign-extended from {@code size}; leaves a memory address in EA. */
  void pushSigned(Insn i, int k, int size) {
    switch (i.kind[k]) {
      case Insn.IMM -> longValue(i.imm);
      case Insn.MEM -> {
        address(i);
        memory.read(size, true);
      }
      default -> {
        pushRegister(i, k);
        signed(size);
      }
    }
  }

  /** Pushes operand {@code k}, zero-extended from {@code size}. */
  void pushUnsigned(Insn i, int k, int size) {
    switch (i.kind[k]) {
      case Insn.IMM -> longValue(size == 8 ? i.imm : i.imm & ((1L << (8 * size)) - 1));
      case Insn.MEM -> {
        address(i);
        memory.read(size, false);
      }
      default -> {
        pushRegister(i, k);
        unsigned(size);
      }
    }
  }

  /** Pushes operand 0, which is to be written; a memory operand is at HOST then. */
  void pushDestination(Insn i, int size, boolean signed) {
    if (i.kind[0] == Insn.MEM) {
      address(i);
      memory.beginWrite(size);
      memory.readHost(size, signed);
    } else if (signed) {
      pushSigned(i, 0, size);
    } else {
      pushUnsigned(i, 0, size);
    }
  }

  /** Pops the new value of operand 0 after {@link #pushDestination}. */
  void storeDestination(Insn i, int size) {
    if (i.kind[0] == Insn.MEM) {
      storeLong(Locals.T0);
      memory.writeHost(size, Locals.T0);
    } else {
      storeRegister(i, 0, size);
    }
  }

  private void pushRegister(Insn i, int k) {
    loadLong(Locals.register(i.reg[k]));
    if (i.kind[k] == Insn.GPR_HIGH) {
      integer(8);
      op(LUSHR);
    } else if (i.kind[k] != Insn.GPR) {
      throw new IllegalArgumentException("operand kind " + i.kind[k]);
    }
  }

  /** Calls a method of the region. */
  void region(String method, String descriptor) {
    mv.visitMethodInsn(INVOKEVIRTUAL, REGION, method, descriptor, false);
  }

  void mmu(String method, String descriptor) {
    mv.visitMethodInsn(INVOKEVIRTUAL, MMU, method, descriptor, false);
  }

  /** Puts the linear address of the memory operand into EA. The stack must be empty. */
  void address(Insn i) {
    memory.at(HotPages.Place.of(i));
    if (i.segment >= 4 && i.mode != 64) {
      mv.visitVarInsn(ALOAD, Locals.CPU);
      integer(i.segment);
      mv.visitMethodInsn(INVOKESTATIC, REGION, "unlimited", "(" + CPU_TYPE + "I)Z", false);
      jump(IFEQ, memory.miss());
    }
    effective(i);
    if (i.segment >= 4) {
      mv.visitVarInsn(ALOAD, Locals.CPU);
      mv.visitFieldInsn(GETFIELD, CPU, "segBase", "[J");
      integer(i.segment);
      op(LALOAD);
      op(LADD);
      if (i.mode != 64) {
        unsigned(4);
      }
    }
    storeLong(Locals.EA);
  }

  /** Pushes the effective address. */
  void effective(Insn i) {
    if (i.base == Insn.RIP) {
      longValue(i.addrSize == 4 ? i.ripTarget() & 0xffff_ffffL : i.ripTarget());
      return;
    }
    boolean some = false;
    if (i.base >= 0) {
      loadLong(Locals.register(i.base));
      some = true;
    }
    if (i.index >= 0) {
      loadLong(Locals.register(i.index));
      if (i.scale > 1) {
        integer(Integer.numberOfTrailingZeros(i.scale));
        op(LSHL);
      }
      if (some) {
        op(LADD);
      }
      some = true;
    }
    if (i.disp != 0 || !some) {
      longValue(i.disp);
      if (some) {
        op(LADD);
      }
    }
    if (i.addrSize == 4) {
      unsigned(4);
    }
  }

  /** Pops a long into register operand {@code k}; bits above {@code size} are ignored. */
  void storeRegister(Insn i, int k, int size) {
    if (i.kind[k] == Insn.GPR_HIGH) {
      int local = Locals.register(i.reg[k]);
      longValue(0xff);
      op(LAND);
      integer(8);
      op(LSHL);
      loadLong(local);
      longValue(~0xff00L);
      op(LAND);
      op(LOR);
      storeLong(local);
    } else {
      storeLow(i.reg[k], size);
    }
  }

  /** Pops a long into the low {@code size} bytes of register {@code r}; 4 bytes clear the rest. */
  void storeLow(int r, int size) {
    int local = Locals.register(r);
    if (size == 4) {
      unsigned(4);
    } else if (size < 4) {
      unsigned(size);
      loadLong(local);
      longValue(-1L << (8 * size));
      op(LAND);
      op(LOR);
    }
    storeLong(local);
  }

  // ---- flags -----------------------------------------------------------------------------------

  /** Declares the flags to be of {@code newKind}; FA, FB and FR hold what it needs. */
  void flags(int newKind) {
    if (resident) {
      setInt(Locals.FK, newKind);
    }
    kind = newKind;
  }

  /** Pops the bits of CF, OF and AF; FR holds the result, which is pushed. */
  void explicitFlags() {
    storeLong(Locals.FA);
    flags(Flags.EXPLICIT);
    loadLong(Locals.FR);
  }

  /** Pushes CF as 0 or 1. */
  void pushCarry() {
    switch (kind) {
      case Flags.LOGIC -> op(LCONST_0);
      case Flags.ADD -> {
        loadLong(Locals.FR);
        loadLong(Locals.FA);
        mv.visitMethodInsn(INVOKESTATIC, FLAG_BITS, "below", "(JJ)J", false);
      }
      case Flags.SUB, DIFFERENCE64, DIFFERENCE32 -> {
        loadLong(Locals.FA);
        loadLong(Locals.FB);
        mv.visitMethodInsn(INVOKESTATIC, FLAG_BITS, "below", "(JJ)J", false);
      }
      case Flags.RAW, Flags.EXPLICIT -> {
        loadLong(Locals.FA);
        longValue(Flags.CF);
        op(LAND);
      }
      default -> {
        flagsToCpu();
        mv.visitVarInsn(ALOAD, Locals.CPU);
        mv.visitMethodInsn(INVOKESTATIC, FLAGS, "carry", "(" + CPU_TYPE + ")Z", false);
        op(I2L);
      }
    }
  }

  /** Pushes what FA becomes, CF clear, when only CF changes; {@link #kind} is known. */
  void pushAllButCarry() {
    if (difference()) {
      pushResult();
      storeLong(Locals.FR);
      kind = Flags.SUB;
    }
    switch (kind) {
      case Flags.LOGIC -> op(LCONST_0);
      case Flags.ADD, Flags.SUB -> {
        loadLong(Locals.FA);
        loadLong(Locals.FB);
        loadLong(Locals.FR);
        String rest = kind == Flags.ADD ? "sumRest" : "differenceRest";
        mv.visitMethodInsn(INVOKESTATIC, FLAG_BITS, rest, "(JJJ)J", false);
      }
      default -> {
        loadLong(Locals.FA);
        longValue(~Flags.CF);
        op(LAND);
      }
    }
  }

  /** Whether the flags are those of a difference that has not been computed. */
  boolean difference() {
    return difference(kind);
  }

  private static boolean difference(int kind) {
    return kind == DIFFERENCE64 || kind == DIFFERENCE32;
  }

  /** Pushes the result that ZF, SF and PF follow from; {@link #kind} is known and not RAW. */
  void pushResult() {
    pushResult(kind);
  }

  private void pushResult(int known) {
    if (!difference(known)) {
      loadLong(Locals.FR);
      return;
    }
    loadLong(Locals.FA);
    loadLong(Locals.FB);
    op(LSUB);
    signed(known == DIFFERENCE32 ? 4 : 8);
  }

  /** Has the Cpu know the flags. */
  void flagsToCpu() {
    if (!resident) {
      flagsToCpu(kind);
      return;
    }
    boolean maybeDifference = kind == UNKNOWN || difference();
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitVarInsn(ILOAD, Locals.FK);
    if (maybeDifference) {
      mv.visitMethodInsn(INVOKESTATIC, FLAG_BITS, "kind", "(I)I", false);
    }
    mv.visitFieldInsn(PUTFIELD, CPU, "fk", "I");
    putFlag("fa", Locals.FA);
    putFlag("fb", Locals.FB);
    mv.visitVarInsn(ALOAD, Locals.CPU);
    if (maybeDifference) {
      mv.visitVarInsn(ILOAD, Locals.FK);
      loadLong(Locals.FA);
      loadLong(Locals.FB);
    }
    loadLong(Locals.FR);
    if (maybeDifference) {
      mv.visitMethodInsn(INVOKESTATIC, FLAG_BITS, "result", "(IJJJ)J", false);
    }
    mv.visitFieldInsn(PUTFIELD, CPU, "fr", "J");
  }

  /** Writes flags of a known kind to the Cpu: the kind and what it needs, see {@link Flags}. */
  void flagsToCpu(int known) {
    if (known == UNKNOWN) {
      return;
    }
    mv.visitVarInsn(ALOAD, Locals.CPU);
    integer(difference(known) ? Flags.SUB : known);
    mv.visitFieldInsn(PUTFIELD, CPU, "fk", "I");
    if (known != Flags.LOGIC) {
      putFlag("fa", Locals.FA);
    }
    if (known == Flags.ADD || known == Flags.SUB || difference(known)) {
      putFlag("fb", Locals.FB);
    }
    if (known != Flags.RAW) {
      mv.visitVarInsn(ALOAD, Locals.CPU);
      pushResult(known);
      mv.visitFieldInsn(PUTFIELD, CPU, "fr", "J");
    }
  }

  private void putFlag(String field, int local) {
    mv.visitVarInsn(ALOAD, Locals.CPU);
    loadLong(local);
    mv.visitFieldInsn(PUTFIELD, CPU, field, "J");
  }

  /** Takes the flags that a called method has left in the Cpu. */
  void flagsFromCpu() {
    kind = UNKNOWN;
    if (!resident) {
      return;
    }
    getFlag("fk", "I", ISTORE, Locals.FK);
    getFlag("fa", "J", LSTORE, Locals.FA);
    getFlag("fb", "J", LSTORE, Locals.FB);
    getFlag("fr", "J", LSTORE, Locals.FR);
  }

  private void getFlag(String field, String type, int store, int local) {
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitFieldInsn(GETFIELD, CPU, field, type);
    mv.visitVarInsn(store, local);
  }

  // ---- whole state -----------------------------------------------------------------------------

  /** Takes the state from the Cpu where nothing is known of it. */
  void load() {
    if (!resident) {
      held(Held.NOTHING);
      return;
    }
    loadRegisters(used);
    flagsFromCpu();
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitFieldInsn(GETFIELD, CPU, "left", "J");
    op(DUP2);
    mv.visitMethodInsn(INVOKESTATIC, REGION, "budget", "(J)I", false);
    op(DUP);
    mv.visitVarInsn(ISTORE, Locals.LEFT);
    op(I2L);
    op(LSUB);
    storeLong(Locals.SPARE);
    loadTlb();
    memory.forget();
    lanes.load();
  }

  private void loadTlb() {
    mv.visitVarInsn(ALOAD, Locals.MMU);
    mv.visitFieldInsn(GETFIELD, MMU, "tlb", "J");
    storeLong(Locals.TLB);
  }

  private void loadRegisters(long mask) {
    for (int r = 0; r < 16; r++) {
      if ((mask >> r & 1) != 0) {
        fileSlot(r);
        unsafe("getLong", "(Ljava/lang/Object;J)J");
        storeLong(Locals.register(r));
      }
    }
  }

  void spillRegisters(long mask) {
    for (int r = 0; r < 16; r++) {
      if ((mask >> r & 1) != 0) {
        fileSlot(r);
        loadLong(Locals.register(r));
        unsafe("putLong", "(Ljava/lang/Object;JJ)V");
      }
    }
  }

  /**
   * Pushes where the Cpu has register {@code r}, for Unsafe: an access to an array, with the state
   * that the exception it might throw needs, takes HotSpot's first compiler longer.
   */
  private void fileSlot(int r) {
    mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    mv.visitVarInsn(ALOAD, Locals.FILE);
    longValue(Unsafe.ARRAY_LONG_BASE_OFFSET + (long) r * Unsafe.ARRAY_LONG_INDEX_SCALE);
  }

  /** Calls a method of Unsafe, which is below its arguments. */
  void unsafe(String method, String descriptor) {
    mv.visitMethodInsn(INVOKEVIRTUAL, "sun/misc/Unsafe", method, descriptor, false);
  }

  /** Has the Cpu know everything that it does not. */
  void spill() {
    flagsToCpu();
    if (resident) {
      spillRegisters(written);
      lanes.spill();
      mv.visitVarInsn(ALOAD, Locals.CPU);
      loadLong(Locals.SPARE);
      mv.visitVarInsn(ILOAD, Locals.LEFT);
      op(I2L);
      op(LADD);
      mv.visitFieldInsn(PUTFIELD, CPU, "left", "J");
    }
  }

  /** Takes {@code n} off the instructions left. */
  void charge(int n) {
    if (resident) {
      mv.visitIincInsn(Locals.LEFT, -n);
    } else {
      mv.visitVarInsn(ALOAD, Locals.CPU);
      op(DUP);
      mv.visitFieldInsn(GETFIELD, CPU, "left", "J");
      longValue(n);
      op(LSUB);
      mv.visitFieldInsn(PUTFIELD, CPU, "left", "J");
    }
  }

  /** Jumps if fewer than {@code n} instructions are left. */
  void jumpWhenLeftBelow(int n, Label to) {
    if (resident) {
      mv.visitVarInsn(ILOAD, Locals.LEFT);
      integer(n);
      jump(IF_ICMPLT, to);
    } else {
      mv.visitVarInsn(ALOAD, Locals.CPU);
      mv.visitFieldInsn(GETFIELD, CPU, "left", "J");
      longValue(n);
      op(LCMP);
      jump(IFLT, to);
    }
  }

  /** Has {@code code} placed out of line; for what comes back soon or leaves. */
  void detour(Runnable code) {
    detours.add(code);
  }

  List<Runnable> takeDetours() {
    List<Runnable> taken = detours;
    detours = new ArrayList<>();
    return taken;
  }

  void jump(int opcode, Label to) {
    mv.visitJumpInsn(opcode, to);
  }

  void label(Label l) {
    mv.visitLabel(l);
  }
}
