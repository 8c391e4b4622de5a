package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import java.util.HashSet;
import java.util.Set;
import org.hypergraft.vmm.mmu.Mmu;
import org.objectweb.asm.Label;

/**
 * Guest memory accesses. What {@link Mmu} does on a TLB hit is written out; on a miss the whole
 * instruction is left to its tier-0 op. A hit calls nothing, so guest registers stay in host
 * registers, and a hit cannot fault, reach a device or change translated code.
 */
final class MemoryCode {
  private static final long PAGE = -4096;

  private final Code c;
  private final HotPages pages;

  /** Locals of copies that some access looks at. */
  private final Set<Integer> used = new HashSet<>();

  private Label miss;

  /** Copy of a TLB entry that the operand at EA uses, or null. */
  private HotPages.Copy copy;

  MemoryCode(Code c, HotPages pages) {
    this.c = c;
    this.pages = pages;
  }

  /** Says of what operand the address in EA is. */
  void at(HotPages.Place place) {
    copy = pages.copy(place);
  }

  /** Empties the copies of TLB entries. */
  void forget() {
    for (HotPages.Copy each : pages.all()) {
      for (int local : new int[] {each.readTag(), each.writeTag(), each.addend()}) {
        c.longValue(Mmu.NO_TAG);
        c.storeLong(local);
      }
    }
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
    reach(size, Mmu.READ_TAG);
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    host();
    get(size, signed);
  }

  /** Pushes the double at EA. */
  void readDouble() {
    reach(8, Mmu.READ_TAG);
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    host();
    c.unsafe("getDouble", "(J)D");
  }

  /** Writes the double on the stack to EA, whose place {@link #beginWrite} has found. */
  void writeHostDouble() {
    c.mv.visitVarInsn(DSTORE, Locals.D0);
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    c.loadLong(Locals.HOST);
    c.mv.visitVarInsn(DLOAD, Locals.D0);
    c.unsafe("putDouble", "(JD)V");
  }

  /** Pushes the two halves of 16 bytes at EA into locals T0 (low) and T1. */
  void read128() {
    reach(16, Mmu.READ_TAG);
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
    reach(size, Mmu.WRITE_TAG);
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

  /** Leaves unless an access at EA hits; {@link #host} knows its place then. */
  private void reach(int size, int tag) {
    if (copy == null) {
      c.loadLong(Locals.TLB);
      find(size, tag, miss());
      return;
    }
    HotPages.Copy wanted = copy;
    Label detour = new Label();
    Label back = new Label();
    // an access that is not aligned may cross into another page: the entry itself decides
    c.loadLong(Locals.EA);
    c.longValue(PAGE | size - 1);
    c.op(LAND);
    int known = tag == Mmu.READ_TAG ? wanted.readTag() : wanted.writeTag();
    used.add(known);
    used.add(wanted.addend());
    c.loadLong(known);
    c.op(LCMP);
    c.jump(IFNE, detour);
    c.label(back);
    Label none = miss();
    c.detour(
        () -> {
          c.label(detour);
          // seldom needed, so not worth a register: from where it lies; the fence keeps HotSpot
          // from reading it before the loop and holding on to it
          c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
          c.unsafe("loadFence", "()V");
          c.mv.visitVarInsn(ALOAD, Locals.CPU);
          c.mv.visitFieldInsn(GETFIELD, Code.CPU, "mmu", "L" + Code.MMU + ";");
          c.mv.visitFieldInsn(GETFIELD, Code.MMU, "tlb", "J");
          find(size, tag, none);
          fill(wanted.readTag(), Mmu.READ_TAG);
          fill(wanted.writeTag(), Mmu.WRITE_TAG);
          fill(wanted.addend(), Mmu.ADDEND);
          c.jump(GOTO, back);
        });
  }

  private void fill(int local, int offset) {
    if (used.contains(local)) {
      field(offset);
      c.storeLong(local);
    }
  }

  /** Leaves unless the entry of EA has the page of the access's last byte in {@code tag}. */
  private void find(int size, int tag, Label none) {
    c.loadLong(Locals.EA);
    c.mv.visitMethodInsn(INVOKESTATIC, Code.MMU, "entry", "(JJ)J", false);
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
    c.jump(IFNE, none);
  }

  private void field(int offset) {
    c.mv.visitVarInsn(ALOAD, Locals.UNSAFE);
    c.loadLong(Locals.ENTRY);
    if (offset != 0) {
      c.longValue(offset);
      c.op(LADD);
    }
    c.unsafe("getLong", "(J)J");
  }

  private void host() {
    if (copy == null) {
      field(Mmu.ADDEND);
    } else {
      c.loadLong(copy.addend());
    }
    c.loadLong(Locals.EA);
    c.op(LADD);
  }

  private void get(int size, boolean signed) {
    switch (size) {
      case 1 -> {
        c.unsafe("getByte", "(J)B");
        extend(signed ? 0 : 0xff);
      }
      case 2 -> {
        c.unsafe("getShort", "(J)S");
        extend(signed ? 0 : 0xffff);
      }
      case 4 -> {
        c.unsafe("getInt", "(J)I");
        c.op(I2L);
        if (!signed) {
          c.longValue(0xffff_ffffL);
          c.op(LAND);
        }
      }
      default -> c.unsafe("getLong", "(J)J");
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
        c.unsafe("putByte", "(JB)V");
      }
      case 2 -> {
        c.op(L2I);
        c.op(I2S);
        c.unsafe("putShort", "(JS)V");
      }
      case 4 -> {
        c.op(L2I);
        c.unsafe("putInt", "(JI)V");
      }
      default -> c.unsafe("putLong", "(JJ)V");
    }
  }
}
