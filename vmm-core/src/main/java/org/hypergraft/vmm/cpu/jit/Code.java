package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;

/** Bytecode idioms of a region: registers, memory operands, conversions, flags in locals. */
final class Code {
  static final String CPU = "org/hypergraft/vmm/cpu/Cpu";
  static final String FLAGS = "org/hypergraft/vmm/cpu/Flags";
  static final String MMU = "org/hypergraft/vmm/mmu/Mmu";

  /** {@link #kind}: not known at compile time; local {@link Locals#FK} tells. */
  static final int UNKNOWN = -1;

  final MethodVisitor mv;

  /** Kind of the lazy flags at this point if it is known, see {@code Flags}. */
  int kind = UNKNOWN;

  private final long gprMask;

  /** Registers the region writes, bit per number. */
  private final long written;

  Code(MethodVisitor mv, long used, long written) {
    this.mv = mv;
    gprMask = used;
    this.written = written;
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
    push(i, k, size, false);
    if (i.kind[k] != Insn.IMM) {
      signed(size);
    }
  }

  /** Pushes operand {@code k}, zero-extended from {@code size}. */
  void pushUnsigned(Insn i, int k, int size) {
    if (i.kind[k] == Insn.IMM) {
      longValue(size == 8 ? i.imm : i.imm & ((1L << (8 * size)) - 1));
      return;
    }
    push(i, k, size, false);
    if (i.kind[k] != Insn.MEM) {
      unsigned(size);
    }
  }

  /** Like {@link #pushSigned}, proving a memory operand writable and keeping its address in EA. */
  void pushSignedForWrite(Insn i, int k, int size) {
    push(i, k, size, true);
    signed(size);
  }

  private void push(Insn i, int k, int size, boolean forWrite) {
    switch (i.kind[k]) {
      case Insn.GPR -> loadLong(Locals.register(i.reg[k]));
      case Insn.GPR_HIGH -> {
        loadLong(Locals.register(i.reg[k]));
        integer(8);
        op(LUSHR);
      }
      case Insn.IMM -> longValue(i.imm);
      case Insn.MEM -> {
        if (forWrite) {
          address(i);
          storeLong(Locals.EA);
          mv.visitVarInsn(ALOAD, Locals.MMU);
          loadLong(Locals.EA);
          mmu("rmw" + 8 * size, "(J)J");
        } else {
          mv.visitVarInsn(ALOAD, Locals.MMU);
          address(i);
          mmu("read" + 8 * size, "(J)J");
        }
      }
      default -> throw new IllegalArgumentException("operand kind " + i.kind[k]);
    }
  }

  void mmu(String method, String descriptor) {
    mv.visitMethodInsn(INVOKEVIRTUAL, MMU, method, descriptor, false);
  }

  /** Pushes the linear address of the memory operand (64-bit code only). */
  void address(Insn i) {
    effective(i);
    if (i.segment >= 4) {
      mv.visitVarInsn(ALOAD, Locals.CPU);
      mv.visitFieldInsn(GETFIELD, CPU, "segBase", "[J");
      integer(i.segment);
      op(LALOAD);
      op(LADD);
    }
  }

  /** Pushes the effective address. */
  void effective(Insn i) {
    if (i.base == Insn.RIP) {
      longValue(i.ripTarget());
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
  }

  /** Pops a long into register operand {@code k}; bits above {@code size} are ignored. */
  void storeRegister(Insn i, int k, int size) {
    int local = Locals.register(i.reg[k]);
    if (i.kind[k] == Insn.GPR_HIGH) {
      longValue(0xff);
      op(LAND);
      integer(8);
      op(LSHL);
      loadLong(local);
      longValue(~0xff00L);
      op(LAND);
      op(LOR);
    } else if (size == 4) {
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
    setInt(Locals.FK, newKind);
    kind = newKind;
  }

  void flagsToCpu() {
    putFlag("fk", "I", ILOAD, Locals.FK);
    putFlag("fa", "J", LLOAD, Locals.FA);
    putFlag("fb", "J", LLOAD, Locals.FB);
    putFlag("fr", "J", LLOAD, Locals.FR);
  }

  private void putFlag(String field, String type, int load, int local) {
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitVarInsn(load, local);
    mv.visitFieldInsn(PUTFIELD, CPU, field, type);
  }

  void flagsFromCpu(int newKind) {
    getFlag("fk", "I", ISTORE, Locals.FK);
    getFlag("fa", "J", LSTORE, Locals.FA);
    getFlag("fb", "J", LSTORE, Locals.FB);
    getFlag("fr", "J", LSTORE, Locals.FR);
    kind = newKind;
  }

  private void getFlag(String field, String type, int store, int local) {
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitFieldInsn(GETFIELD, CPU, field, type);
    mv.visitVarInsn(store, local);
  }

  // ---- whole state -----------------------------------------------------------------------------

  /** Loads every register the region uses, the flags and the instruction budget. */
  void load() {
    for (int r = 0; r < 16; r++) {
      if ((gprMask >> r & 1) != 0) {
        mv.visitVarInsn(ALOAD, Locals.FILE);
        integer(r);
        op(LALOAD);
        storeLong(Locals.register(r));
      }
    }
    flagsFromCpu(UNKNOWN);
    mv.visitVarInsn(ALOAD, Locals.CPU);
    mv.visitFieldInsn(GETFIELD, CPU, "left", "J");
    storeLong(Locals.LEFT);
  }

  /** Writes back everything the region may have changed. */
  void spill() {
    for (int r = 0; r < 16; r++) {
      if ((written >> r & 1) != 0) {
        mv.visitVarInsn(ALOAD, Locals.FILE);
        integer(r);
        loadLong(Locals.register(r));
        op(LASTORE);
      }
    }
    flagsToCpu();
    mv.visitVarInsn(ALOAD, Locals.CPU);
    loadLong(Locals.LEFT);
    mv.visitFieldInsn(PUTFIELD, CPU, "left", "J");
  }

  void jump(int opcode, Label to) {
    mv.visitJumpInsn(opcode, to);
  }

  void label(Label l) {
    mv.visitLabel(l);
  }
}
