package org.hypergraft.vmm.cpu.interpret;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.CodeListener;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * All translated blocks of a machine, found by (physical address, virtual address, mode) and
 * dropped when their bytes change.
 *
 * <p>A block may be entered only while its mapping is known to hold: its {@link Block#epoch} equals
 * the MMU's {@code execEpoch}. Whoever finds it stale asks {@link #revalidate}.
 */
final class CodeCache implements CodeListener {
  /** Blocks kept before everything is dropped; about 500 bytes each with their ops. */
  private static final int LIMIT = 1 << 20;

  private static final int JUMPS = 1 << 14;
  private static final long PAGE = -4096L;

  private final GuestRam ram;
  private final BlockBuilder builder;
  private Block[] table = new Block[1 << 16];
  private int size;
  private final Map<Long, List<Block>> pages = new HashMap<>();

  /** Recently entered blocks by virtual address, for computed jumps. */
  private final Block[] jumps = new Block[JUMPS];

  private Branch requester;
  private boolean requestTaken;
  private long requestedVa;

  /** Instruction pointers at which execution stops. */
  final Set<Long> breakpoints = new HashSet<>();

  boolean breakpointHit;

  /** The vCPU that runs. */
  private Cpu current;

  private Tier1 tier1;

  /** Initial {@link Block#heat}. */
  int threshold = Integer.MAX_VALUE;

  /** Counters for reports. */
  long built;

  long killed;
  long flushes;

  CodeCache(GuestRam ram, Lowering[] lowerings) {
    this.ram = ram;
    this.builder = new BlockBuilder(this, lowerings);
    ram.codeListener(this);
  }

  /**
   * Makes {@code c} the vCPU that runs. What another one proved is not taken for granted, because
   * no two have the same epoch; what the other one did not touch is still proven for {@code c}.
   */
  void attach(Cpu c) {
    if (current != c) {
      current = c;
      requester = null;
    }
  }

  /** Has {@code compiler} asked about blocks by its threshold. */
  void tier1(Tier1 compiler) {
    tier1 = compiler;
    threshold = compiler.threshold();
    for (List<Block> inPage : pages.values()) {
      inPage.forEach(b -> b.askAfter(threshold));
    }
  }

  void hot(Block b) {
    b.askLater();
    if (tier1 != null) {
      tier1.hot(b);
    }
  }

  /** Copies a block's code bytes; null if it crosses pages. */
  byte[] code(Block b) {
    if (b.pa2 >= 0) {
      return null;
    }
    byte[] bytes = new byte[b.length];
    ram.read(b.pa, bytes, 0, bytes.length);
    return bytes;
  }

  private static int hash(long va, long pa, int modeKey) {
    long h = (pa ^ va << 7 ^ modeKey) * 0x9e3779b97f4a7c15L;
    return (int) (h >>> 32);
  }

  private static int jumpIndex(long va) {
    return (int) (va ^ va >>> 14) & (JUMPS - 1);
  }

  Block jumpTarget(long va) {
    return jumps[jumpIndex(va)];
  }

  /** A branch wants its taken or fall-through link to the block at {@code c.rip} filled in. */
  void request(Branch from, boolean taken, long va) {
    requester = from;
    requestTaken = taken;
    requestedVa = va;
  }

  /**
   * The block at {@code c.rip}, translated if need be, its mapping just proven.
   *
   * @param single whether a block of exactly one instruction is wanted
   * @throws GuestFault if the instruction cannot be fetched
   */
  Block find(Cpu c, boolean single) {
    Branch from = requester;
    requester = null;
    long va = c.rip;
    int modeKey = single ? c.modeKey | Block.SINGLE : c.modeKey;
    long la = linear(c, va);
    long pa = physical(c, la);
    Block b = lookup(va, pa, modeKey);
    if (b != null && b.pa2 >= 0 && physical(c, secondPage(la)) != b.pa2) {
      kill(b);
      unregister(b);
      b = null;
    }
    if (b == null) {
      b = builder.build(c, va, la, pa, modeKey);
      add(b);
      built++;
    }
    b.epoch = c.mmu.execEpoch;
    if (!single) {
      jumps[jumpIndex(va)] = b;
      if (from != null && requestedVa == va && from.block.modeKey == modeKey) {
        if (requestTaken) {
          from.taken = b;
        } else {
          from.fall = b;
        }
      }
    }
    return b;
  }

  private static long linear(Cpu c, long va) {
    if (!c.code64() && Long.compareUnsigned(va, c.segLimit[Cpu.CS] & 0xffff_ffffL) > 0) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return c.codeAddress(va);
  }

  static long secondPage(long la) {
    return (la & PAGE) + 4096;
  }

  /** Physical address of code at a linear address. */
  static long physical(Cpu c, long la) {
    long host = c.mmu.hostCode(la);
    if (host == 0) {
      // nothing but RAM holds code here; an empty bus reads as all ones, which is no instruction
      throw GuestFault.of(GuestFault.UD);
    }
    return c.mmu.gpaOf(host);
  }

  /** Proves again that a linked block is what its virtual address maps to. */
  boolean revalidate(Cpu c, Block b) {
    if (b.epoch == Block.DEAD || c.debug.inCodePage(c.segBase[Cpu.CS] + b.va)) {
      return false;
    }
    try {
      if (physical(c, b.va) != b.pa || (b.pa2 >= 0 && physical(c, secondPage(b.va)) != b.pa2)) {
        return false;
      }
    } catch (GuestFault f) {
      return false; // the run loop will meet it again at the right place
    }
    b.epoch = c.mmu.execEpoch;
    return true;
  }

  private Block lookup(long va, long pa, int modeKey) {
    for (Block b = table[hash(va, pa, modeKey) & (table.length - 1)]; b != null; b = b.chained) {
      if (b.va == va && b.pa == pa && b.modeKey == modeKey) {
        return b;
      }
    }
    return null;
  }

  private void add(Block b) {
    if (size >= LIMIT) {
      clear();
    }
    if (size > table.length) {
      grow();
    }
    chain(b);
    size++;
    register(b, b.pa, (int) Math.min(b.length, 4096 - (b.pa & 4095)));
    if (b.pa2 >= 0) {
      register(b, b.pa2, b.length - (int) (4096 - (b.pa & 4095)));
    }
  }

  private void chain(Block b) {
    int i = hash(b.va, b.pa, b.modeKey) & (table.length - 1);
    b.chained = table[i];
    table[i] = b;
  }

  private void grow() {
    Block[] old = table;
    table = new Block[old.length * 2];
    for (Block head : old) {
      for (Block b = head; b != null; ) {
        Block next = b.chained;
        chain(b);
        b = next;
      }
    }
  }

  private void register(Block b, long pa, int length) {
    pages.computeIfAbsent(pa & PAGE, k -> new ArrayList<>()).add(b);
    ram.markCode(pa, length);
  }

  private void unregister(Block b) {
    removeFrom(b.pa & PAGE, b);
    if (b.pa2 >= 0) {
      removeFrom(b.pa2, b);
    }
    Block[] t = table;
    int i = hash(b.va, b.pa, b.modeKey) & (t.length - 1);
    if (t[i] == b) {
      t[i] = b.chained;
    } else {
      Block p = t[i];
      while (p.chained != b) {
        p = p.chained;
      }
      p.chained = b.chained;
    }
    size--;
  }

  private void removeFrom(long page, Block b) {
    List<Block> list = pages.get(page);
    list.remove(b);
    long lines = 0;
    for (Block other : list) {
      lines |= lines(other, page);
    }
    if (list.isEmpty()) {
      pages.remove(page);
    }
    ram.resetCode(page, lines);
  }

  /** Mask of the 64-byte lines of {@code page} that a block lies in. */
  private static long lines(Block b, long page) {
    long start = b.pa;
    long end = b.pa + b.length;
    if (page == b.pa2) {
      start = b.pa2;
      end = b.pa2 + b.length - (4096 - (b.pa & 4095));
    } else if (b.pa2 >= 0) {
      end = page + 4096;
    }
    int first = (int) (start - page) >>> 6;
    int last = (int) (end - 1 - page) >>> 6;
    return -1L << first & -1L >>> (63 - last);
  }

  @Override
  public void written(long gpa, int length) {
    long page = gpa & PAGE;
    List<Block> list = pages.get(page);
    if (list == null) {
      return;
    }
    List<Block> hit = new ArrayList<>();
    for (Block b : list) {
      long start = b.pa;
      long end = b.pa + b.length;
      if (page == b.pa2) {
        start = page;
        end = page + b.length - (4096 - (b.pa & 4095));
      }
      if (gpa < end && gpa + length > start) {
        hit.add(b);
      }
    }
    if (!hit.isEmpty() && current != null) {
      current.mmu.codeWritten = true;
    }
    drop(hit);
  }

  /** Drops the blocks that contain an instruction pointer. To be called between blocks. */
  void drop(long ip) {
    List<Block> hit = new ArrayList<>();
    for (List<Block> list : pages.values()) {
      for (Block b : list) {
        // one that crosses pages is in two lists
        if (ip - b.va >= 0 && ip - b.va < b.length && !hit.contains(b)) {
          hit.add(b);
        }
      }
    }
    drop(hit);
  }

  private void drop(List<Block> blocks) {
    for (Block b : blocks) {
      kill(b);
      unregister(b);
    }
  }

  /** Makes a block unusable, even while it is running: it stops after the current instruction. */
  private void kill(Block b) {
    b.epoch = Block.DEAD;
    killed++;
    withdraw(b);
    Op op = b.own;
    while (op != null) {
      Op next = op.next;
      if (next != null && next.at != op.at) {
        op.next = new Stop(next);
      }
      op = next;
    }
  }

  private static void withdraw(Block b) {
    for (Compiled d : b.dependents) {
      d.withdraw();
    }
    b.dependents.clear();
  }

  /** Drops every block. */
  void clear() {
    flushes++;
    for (Map.Entry<Long, List<Block>> e : pages.entrySet()) {
      for (Block b : e.getValue()) {
        b.epoch = Block.DEAD;
        withdraw(b);
      }
      ram.resetCode(e.getKey(), 0);
    }
    pages.clear();
    java.util.Arrays.fill(table, null);
    java.util.Arrays.fill(jumps, null);
    size = 0;
    requester = null;
  }

  int size() {
    return size;
  }
}
