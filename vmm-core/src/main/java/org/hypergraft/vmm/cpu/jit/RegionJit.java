package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Block;
import org.hypergraft.vmm.cpu.interpret.BlockLinks;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.interpret.Tier1;

/**
 * Tier 1. Regions are chosen and installed on the guest's thread and compiled on another, so guest
 * results do not depend on when a compilation finishes.
 */
public final class RegionJit implements Tier1, AutoCloseable {
  /** How compilations are scheduled. */
  public enum Mode {
    /** On a thread of their own. */
    BACKGROUND,

    /** Before the guest goes on; for tests. */
    SYNCHRONOUS
  }

  /** Entries of a block before its region is compiled; lower costs more than it gains. */
  public static final int DEFAULT_THRESHOLD = 100_000;

  /** Most guest instructions of a region. */
  private static final int MAX_INSTRUCTIONS = 240;

  private final Mode mode;
  private final int threshold;
  private final ConcurrentLinkedQueue<Finished> finished = new ConcurrentLinkedQueue<>();
  private ExecutorService worker;
  private volatile boolean work;

  private long compiled;
  private long instructions;
  private long declined;
  private int largestMethod;

  private record Finished(RegionShape shape, RegionCode.Compiled code, Region region) {}

  public RegionJit(Mode mode, int threshold) {
    this.mode = mode;
    this.threshold = threshold;
  }

  @Override
  public int threshold() {
    return threshold;
  }

  @Override
  public void hot(Block entry) {
    if (entry.single() || !compilable(entry.modeKey)) {
      return;
    }
    List<RegionBlock> blocks = RegionFinder.grow(entry, MAX_INSTRUCTIONS);
    if (RegionFinder.shape(blocks, MAX_INSTRUCTIONS) == null) {
      declined++;
      return;
    }
    if (mode == Mode.SYNCHRONOUS) {
      compile(blocks);
      work = true;
      poll();
      return;
    }
    if (worker == null) {
      worker =
          Executors.newSingleThreadExecutor(
              r -> {
                Thread t = new Thread(r, "region-compiler");
                t.setDaemon(true);
                return t;
              });
    }
    worker.execute(() -> compile(blocks));
  }

  /** 64-bit code, and flat 32-bit code on a 32-bit stack. */
  private static boolean compilable(int modeKey) {
    int flat = Cpu.MODE_FLAT | Cpu.MODE_STACK32;
    int size = modeKey & Cpu.MODE_SIZE;
    return size == 2 || size == 1 && (modeKey & flat) == flat;
  }

  /** Compiles as many of the blocks, the first ones first, as one method can take. */
  private void compile(List<RegionBlock> blocks) {
    int limit = MAX_INSTRUCTIONS;
    RegionShape shape;
    while ((shape = RegionFinder.shape(blocks, limit)) != null) {
      RegionCode.Compiled code = RegionCode.compile(shape);
      if (code.fits()) {
        finished.add(new Finished(shape, code, RegionCode.define(code)));
        work = true;
        return;
      }
      // as many as would fit if all took the same room, less a tenth
      long fitting = (long) shape.instructions() * RegionCode.MAX_BYTECODE / code.methodSize();
      limit = (int) (fitting * 9 / 10);
    }
  }

  @Override
  public void poll() {
    if (work) {
      work = false;
      for (Finished f = finished.poll(); f != null; f = finished.poll()) {
        install(f);
      }
    }
  }

  /** Puts the region in place unless one of its blocks has died meanwhile. */
  private void install(Finished f) {
    List<RegionBlock> blocks = f.shape().blocks();
    List<Op> ops = new ArrayList<>();
    Block[] members = new Block[blocks.size()];
    for (int k = 0; k < members.length; k++) {
      Block b = blocks.get(k).block();
      if (b.dead()) {
        return;
      }
      members[k] = b;
      Op first = BlockLinks.first(b);
      if (first instanceof Region r) {
        // the tier-0 ops behind another region's head
        BlockLinks.setFirst(b, r.cold());
      }
      ops.addAll(List.of(BlockLinks.ops(b)));
      BlockLinks.setFirst(b, first);
    }
    Block entry = members[0];
    if (BlockLinks.first(entry) instanceof Region) {
      return;
    }
    Region region = f.region();
    long[] exits = f.code().exitAddresses();
    region.bind(
        ops.toArray(new Op[0]), new Block[exits.length], exits, members, BlockLinks.first(entry));
    for (Block b : members) {
      BlockLinks.dependOn(b, region);
    }
    BlockLinks.setFirst(entry, region);
    compiled++;
    instructions += f.shape().instructions();
    largestMethod = Math.max(largestMethod, f.code().methodSize());
  }

  /** Regions installed. */
  public long regions() {
    return compiled;
  }

  /** Guest instructions in the installed regions. */
  public long instructions() {
    return instructions;
  }

  /** Bytecode size of the largest method installed, at most. */
  int largestMethod() {
    return largestMethod;
  }

  /** Hot blocks that no region could start with. */
  public long declined() {
    return declined;
  }

  @Override
  public void close() {
    if (worker != null) {
      worker.shutdownNow();
    }
  }
}
