package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.vmm.mmu.Mmu;
import org.objectweb.asm.Label;

/**
 * Guest memory accesses. What {@link Mmu} does on a TLB hit is written out; on a miss the whole
 * instruction is left to its tier-0 op. A hit calls nothing, so guest registers stay in host
 * registers, and a hit cannot fault, reach a device or change translated code.
 */
final class MemoryCode {
  private static final String UNSAFE = "sun/misc/Unsafe";
  private static final long PAGE = -4096;

  private final Code c;
  private Label miss;

  MemoryCode(Code c) {
    this.c = c;
  }

  /** Where accesses of the current instruction go when they miss; nothing has changed there. */
  Label miss() {
    if (miss == null) {
      miss = new Label();
    }
    return miss;
  }

  /** {@link #miss} if anything jumps there; the next instruction gets another one. */
  Label takeMiss() {
    Label taken = miss;
    miss = null;
    return taken;
  }

  /** Pushes what {@code size} bytes (1-8) at EA hold, sign- or zero-extended. */
  void read(int size, boolean signed) {
    find(size, Mmu.READ_TAG);
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    host();
    get(size, signed);
  }

  /** Pushes the two halves of 16 bytes at EA into locals T0 (low) and T1. */
  void read128() {
    find(16, Mmu.READ_TAG);
    host();
    c.storeLong(Locals.HOST);
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    c.loadLong(Locals.HOST);
    get(8, true);
    c.storeLong(Locals.T0);
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    highHalf();
    get(8, true);
    c.storeLong(Locals.T1);
  }

  /** Proves {@code size} bytes at EA writable and leaves their place in HOST. */
  void beginWrite(int size) {
    find(size, Mmu.WRITE_TAG);
    host();
    c.storeLong(Locals.HOST);
  }

  /** Pushes what lies at HOST. */
  void readHost(int size, boolean signed) {
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    c.loadLong(Locals.HOST);
    get(size, signed);
  }

  /** Writes local {@code from} to HOST. */
  void writeHost(int size, int from) {
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    c.loadLong(Locals.HOST);
    put(size, from);
  }

  /** Writes locals {@code low} and {@code high} to HOST. */
  void writeHost128(int low, int high) {
    writeHost(8, low);
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    highHalf();
    put(8, high);
  }

  private void highHalf() {
    c.loadLong(Locals.HOST);
    c.longValue(8);
    c.op(LADD);
  }

  /** Leaves unless the entry of EA has the page of the access's last byte in {@code tag}. */
  private void find(int size, int tag) {
    c.loadLong(Locals.EA);
    c.integer(12);
    c.op(LUSHR);
    c.loadLong(Locals.EA);
    c.integer(24);
    c.op(LUSHR);
    c.op(LADD);
    c.longValue(Mmu.ENTRIES - 1);
    c.op(LAND);
    c.integer(Mmu.ENTRY_SHIFT);
    c.op(LSHL);
    c.loadLong(Locals.TLB);
    c.op(LADD);
    c.storeLong(Locals.ENTRY);
    c.loadLong(Locals.EA);
    if (size > 1) {
      c.longValue(size - 1);
      c.op(LADD);
    }
    c.longValue(PAGE);
    c.op(LAND);
    field(tag);
    c.op(LCMP);
    c.jump(IFNE, miss());
  }

  private void field(int offset) {
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    c.loadLong(Locals.ENTRY);
    if (offset != 0) {
      c.longValue(offset);
      c.op(LADD);
    }
    unsafe("getLong", "(J)J");
  }

  private void host() {
    field(Mmu.ADDEND);
    c.loadLong(Locals.EA);
    c.op(LADD);
  }

  private void get(int size, boolean signed) {
    switch (size) {
      case 1 -> {
        unsafe("getByte", "(J)B");
        extend(signed ? 0 : 0xff);
      }
      case 2 -> {
        unsafe("getShort", "(J)S");
        extend(signed ? 0 : 0xffff);
      }
      case 4 -> {
        unsafe("getInt", "(J)I");
        c.op(I2L);
        if (!signed) {
          c.longValue(0xffff_ffffL);
          c.op(LAND);
        }
      }
      default -> unsafe("getLong", "(J)J");
    }
  }

  private void extend(int mask) {
    if (mask != 0) {
      c.integer(mask);
      c.op(IAND);
    }
    c.op(I2L);
  }

  private void put(int size, int from) {
    c.loadLong(from);
    switch (size) {
      case 1 -> {
        c.op(L2I);
        c.op(I2B);
        unsafe("putByte", "(JB)V");
      }
      case 2 -> {
        c.op(L2I);
        c.op(I2S);
        unsafe("putShort", "(JS)V");
      }
      case 4 -> {
        c.op(L2I);
        unsafe("putInt", "(JI)V");
      }
      default -> unsafe("putLong", "(JJ)V");
    }
  }

  private void unsafe(String method, String descriptor) {
    c.mv.visitMethodInsn(INVOKEVIRTUAL, UNSAFE, method, descriptor, false);
  }
}
