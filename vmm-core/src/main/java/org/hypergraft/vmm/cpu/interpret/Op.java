package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;

/**
 * One instruction of a translated block, ready to execute. Concrete classes are hidden classes made
 * by {@link OpFactory} from the templates of this package.
 */
public abstract class Op {
  /** {@link #form}: 64-bit effective address, no segment base. */
  public static final byte PLAIN = 0;

  /** {@link #form}: effective address cut to 32 bits, no segment base. */
  public static final byte CUT32 = 1;

  /** {@link #form}: 64-bit effective address plus the base of {@link #seg}. */
  public static final byte BASED = 2;

  /**
   * {@link #form}: address size in {@link #addrSize}, segment base, and outside 64-bit mode limits.
   */
  public static final byte GENERAL = 3;

  /** The op executed after this one when control falls through. */
  public Op next;

  public Block block;

  /** Offset of the instruction from {@link Block#va}. */
  public short at;

  /** Instructions of the block not retired before this one, this one included. */
  public short rem;

  /** Instruction length in bytes. */
  public byte len;

  /** Destination, source and third register number; high byte registers as 0-3 plus the marks. */
  public byte d;

  public byte s;
  public byte t;

  /** Base and index of the memory operand, {@link Cpu#NO_REGISTER} when absent. */
  public byte b = Cpu.NO_REGISTER;

  public byte x = Cpu.NO_REGISTER;

  /** log2 of the index scale. */
  public byte sc;

  public byte seg;
  public byte form;

  /** Address size in bytes: 2, 4, 8. */
  public byte addrSize;

  /** Operand size in bytes. */
  public byte size;

  /** Bytes of a general-purpose memory operand, which segment limits are checked for. */
  public byte span = 1;

  /** Whether the explicit memory operand is written, for segments that must not be. */
  public boolean writes;

  /** Free for the lowering: condition, variant, marks. */
  public byte aux;

  /** Displacement; for RIP-relative operands the absolute address. */
  public long disp;

  public long imm;

  /**
   * Executes the instruction.
   *
   * @return the op to execute next, or null to leave to the run loop with {@link Cpu#rip} set
   */
  public abstract Op exec(Cpu c);

  /** A new op of the same class. */
  protected abstract Op fresh();

  /** Address of this instruction. */
  public final long ip() {
    return block.va + at;
  }

  /** Address of the instruction after this one. */
  public final long nextIp() {
    return block.cut(block.va + at + len);
  }

  /** Leaves to the run loop at the next instruction, giving back what the block has not retired. */
  final Op left(Cpu c) {
    c.left += rem - 1;
    c.rip = nextIp();
    return null;
  }

  /** As {@link #left}, but the same instruction comes next. */
  final Op repeated(Cpu c) {
    c.left += rem - 1;
    c.rip = block.cut(ip());
    return null;
  }

  /** Linear address of the memory operand. */
  public final long address(Cpu c) {
    long[] r = c.r;
    long ea = r[b] + (r[x] << sc) + disp;
    return form == PLAIN ? ea : Access.of(c, this, ea);
  }

  /** Linear address {@code delta} bytes from the memory operand, wrapping at the address size. */
  public final long addressPlus(Cpu c, long delta) {
    long[] r = c.r;
    long ea = r[b] + (r[x] << sc) + disp + delta;
    return form == PLAIN ? ea : Access.of(c, this, ea);
  }

  /** Effective address of the memory operand, without segment. */
  public final long offset(Cpu c) {
    long[] r = c.r;
    return Access.cut(r[b] + (r[x] << sc) + disp, addrSize);
  }
}
