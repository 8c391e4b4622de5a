package org.hypergraft.vmm.cpu.interpret;

import java.util.BitSet;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.GuestRam;
import sun.misc.Unsafe;

/** Decodes a run of guest instructions and strings their ops together. */
final class BlockBuilder implements Emitter {
  /**
   * Longest block in instructions. Bounds what a single-stepped approach to an event costs and
   * keeps {@link Op#rem} small.
   */
  private static final int MAX_INSTRUCTIONS = 64;

  private static final int MAX_LENGTH = 15;
  private static final int WINDOW = 64 * MAX_LENGTH;

  /** Legacy prefixes: operand and address size, segments, LOCK, REP. */
  private static final BitSet PREFIXES = new BitSet(256);

  static {
    for (int b : new int[] {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3}) {
      PREFIXES.set(b);
    }
  }

  private final CodeCache cache;
  private final Lowering[] lowerings;

  /** Which lowering took a mnemonic last time. */
  private final byte[] family = new byte[Mnemonic.values().length];

  private final Insn insn = new Insn();
  private final byte[] code = new byte[WINDOW];
  private Block block;
  private Op last;
  private boolean ended;

  BlockBuilder(CodeCache cache, Lowering[] lowerings) {
    this.cache = cache;
    this.lowerings = lowerings;
  }

  Block build(Cpu c, long va, long la, long pa, int modeKey) {
    block = new Block(cache, va, pa, modeKey);
    last = null;
    ended = false;
    int limit = copyCode(c, la);
    int mode = 16 << (modeKey & Cpu.MODE_SIZE);
    int max = (modeKey & Block.SINGLE) != 0 ? 1 : MAX_INSTRUCTIONS;
    int at = 0;
    boolean breaks = !cache.breakpoints.isEmpty() && (modeKey & Block.SINGLE) == 0;
    while (!ended && block.n < max) {
      if (breaks && cache.breakpoints.contains(va + at)) {
        if (at == 0) {
          block.length = 1;
          append(new Breakpoint(block));
          return block;
        }
        break;
      }
      int n = Decoder.decode(code, at, limit, va + at, mode, insn);
      if (n == 0 && at > 0 && limit - at < MAX_LENGTH) {
        break; // cut off by the page's end, or bad: a block of its own will tell
      }
      if (n == 0 && limit < MAX_LENGTH) {
        limit = appendNextPage(c, la, limit);
        n = Decoder.decode(code, 0, limit, va, mode, insn);
      }
      if (n == 0) {
        insn.length = Math.max(1, Math.min(insn.length, limit - at));
        n = insn.length;
        begin();
        if (tooLong(at, limit, mode)) {
          leave(Faults.class, "generalProtection");
        } else {
          undefined();
        }
      } else {
        begin();
        lower();
      }
      at += n;
      block.length = at;
      if (at > 4096 - (pa & 4095)) {
        block.pa2 = CodeCache.physical(c, CodeCache.secondPage(la));
      }
      if (at >= limit || block.pa2 >= 0) {
        break;
      }
    }
    if (!ended) {
      fallThrough(at);
    }
    number();
    return block;
  }

  /** Copies the code from {@code la} to the end of its page or of the window. */
  private int copyCode(Cpu c, long la) {
    int n = (int) Math.min(4096 - (la & 4095), WINDOW);
    copy(c.mmu.hostCode(la), 0, n);
    return n;
  }

  private void copy(long host, int to, int n) {
    GuestRam.U.copyMemory(null, host, code, Unsafe.ARRAY_BYTE_BASE_OFFSET + (long) to, n);
  }

  /** Completes the window of an instruction that may cross into the next page, which may fault. */
  private int appendNextPage(Cpu c, long la, int limit) {
    long host = c.mmu.hostCode(CodeCache.secondPage(la));
    if (host == 0) {
      throw GuestFault.of(GuestFault.UD);
    }
    copy(host, limit, MAX_LENGTH - limit);
    return MAX_LENGTH;
  }

  /**
   * Whether bytes that are no instruction would be one without their prefixes but are longer than
   * 15 bytes with them: #GP(0) instead of #UD (Intel SDM vol. 3, 6.15, interrupt 13).
   */
  private boolean tooLong(int at, int limit, int mode) {
    int p = at;
    while (p < limit && p - at < MAX_LENGTH && PREFIXES.get(code[p] & 0xff)) {
      p++;
    }
    int prefixes = p - at;
    if (prefixes == 0 || prefixes == MAX_LENGTH) {
      return prefixes != 0;
    }
    int n = Decoder.decode(code, p, limit, block.va + p, mode, new Insn());
    return n != 0 && prefixes + n > MAX_LENGTH;
  }

  private Op before;

  private void begin() {
    before = last;
    block.n++;
  }

  private void lower() {
    int m = insn.mnemonic.ordinal();
    if (lowerings[family[m]].lower(insn, this)) {
      return;
    }
    for (int i = 0; i < lowerings.length; i++) {
      if (lowerings[i].lower(insn, this)) {
        family[m] = (byte) i;
        return;
      }
    }
    if (last == before) {
      undefined();
    }
  }

  private void fallThrough(int at) {
    Branch jump = (Branch) OpFactory.make(Template.JUMP, Target.NONE, 0);
    jump.imm = block.cut(block.va + at);
    jump.block = block;
    jump.at = (short) at;
    jump.linkable = linkable();
    append(jump);
  }

  /** Direct successors only where the code segment cannot move under them. */
  private boolean linkable() {
    return (block.modeKey & Block.SINGLE) == 0 && (block.modeKey & Cpu.MODE_FLAT) != 0;
  }

  /** Fills in how many instructions are still to retire at each op. */
  private void number() {
    int rem = block.n;
    Op previous = null;
    for (Op op = block.first; op != null; op = op.next) {
      if (previous != null && op.at != previous.at) {
        rem--;
      }
      op.rem = (short) (op.len == 0 ? 0 : rem);
      previous = op;
    }
  }

  private void append(Op op) {
    if (last == null) {
      block.first = op;
      block.own = op;
    } else {
      last.next = op;
    }
    last = op;
  }

  // ---- Emitter ----------------------------------------------------------------------------------

  @Override
  public Insn insn() {
    return insn;
  }

  @Override
  public int modeKey() {
    return block.modeKey;
  }

  @Override
  public Op call(Class<?> owner, String method) {
    return emit(Template.CALL, Target.of(owner, method), 0);
  }

  @Override
  public Op callOrLeave(Class<?> owner, String method) {
    return emit(Template.CALL_OR_LEAVE, Target.of(owner, method), 0);
  }

  @Override
  public Op leave(Class<?> owner, String method) {
    return emit(Template.LEAVE, Target.of(owner, method), 0);
  }

  @Override
  public Op undefined() {
    return leave(Faults.class, "undefined");
  }

  @Override
  public Op emit(Template template, Target target, int access) {
    int packed = access;
    if (template.addressed) {
      packed |= addressKind() << Access.ADDRESS_SHIFT;
    }
    Op op = OpFactory.make(template, target, packed);
    op.block = block;
    op.at = (short) (insn.ip - block.va);
    op.len = (byte) insn.length;
    Operands.fill(op, insn, block.modeKey);
    if (op instanceof Branch) {
      Branch b = (Branch) op;
      b.linkable = linkable();
      b.imm = insn.operands > 0 && insn.kind[0] == Insn.REL ? block.cut(insn.imm) : insn.imm;
      ended = true;
    }
    append(op);
    return op;
  }

  private int addressKind() {
    byte form = Operands.form(insn, block.modeKey);
    if (insn.mnemonic == Mnemonic.LEA && (form == Op.BASED || form == Op.GENERAL)) {
      return Access.OFFSET;
    }
    switch (form) {
      case Op.PLAIN:
        return insn.index < 0 ? Access.BASE : Access.PLAIN;
      case Op.CUT32:
        return Access.CUT;
      case Op.BASED:
        return Access.BASED;
      default:
        return Access.GENERAL;
    }
  }
}
