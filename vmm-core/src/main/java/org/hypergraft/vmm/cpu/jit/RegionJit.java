package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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

  /**
   * Entries of a block before its region is compiled, while the guest boots: much is then done some
   * ten thousand times, for each page of memory or each entry of a table, and never again.
   */
  public static final int BOOT_THRESHOLD = 100_000;

  /** The same from the guest's first instruction at CPL 3 on. */
  public static final int USER_THRESHOLD = 20_000;

  /** Most guest instructions of a region. */
  private static final int MAX_INSTRUCTIONS = 110;

  /**
   * More than Tier3InvocationThreshold (200) and its multiples while HotSpot's compiler has much to
   * do (Tier3LoadFeedback).
   */
  private static final int WARM_UP = 2_000;

  private final Mode mode;
  private final int userThreshold;
  private int threshold;
  private final ConcurrentLinkedQueue<Finished> finished = new ConcurrentLinkedQueue<>();

  /** Entries of regions that are being compiled. */
  private final Set<Block> underway = new HashSet<>();

  private ExecutorService worker;
  private volatile boolean work;

  private long compiled;
  private long instructions;
  private long declined;
  private int largestMethod;

  /**
   * A piece of work done.
   *
   * @param asked what it was to be
   * @param shape what of it has been compiled; null if nothing
   */
  private record Finished(
      RegionShape asked, RegionShape shape, RegionCode.Compiled code, Region region) {}

  /** A compiler that never changes its threshold. */
  public RegionJit(Mode mode, int threshold) {
    this(mode, threshold, threshold);
  }

  /**
   * @param threshold entries that make a block hot before the guest has reached userspace
   * @param userThreshold the same afterwards
   */
  public RegionJit(Mode mode, int threshold, int userThreshold) {
    this.mode = mode;
    this.threshold = threshold;
    this.userThreshold = userThreshold;
  }

  @Override
  public void userspace() {
    threshold = userThreshold;
  }

  @Override
  public int threshold() {
    return threshold;
  }

  @Override
  public void hot(Block entry) {
    if (entry.single()
        || RegionEntry.at(entry)
        || underway.contains(entry)
        || !compilable(entry.modeKey)) {
      return;
    }
    List<RegionBlock> blocks = RegionFinder.grow(entry, threshold, MAX_INSTRUCTIONS);
    RegionShape shape = RegionFinder.shape(blocks, MAX_INSTRUCTIONS);
    if (shape == null) {
      declined++;
      return;
    }
    if (mode == Mode.SYNCHRONOUS) {
      compile(blocks, shape);
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
    underway.addAll(List.of(blocks(shape.entries())));
    worker.execute(() -> compile(blocks, shape));
  }

  /** 64-bit code, and flat 32-bit code on a 32-bit stack. */
  private static boolean compilable(int modeKey) {
    int flat = Cpu.MODE_FLAT | Cpu.MODE_STACK32;
    int size = modeKey & Cpu.MODE_SIZE;
    return size == 2 || size == 1 && (modeKey & flat) == flat;
  }

  /** Compiles as many of the blocks, the first ones first, as one method can take. */
  private void compile(List<RegionBlock> blocks, RegionShape whole) {
    RegionShape shape = whole;
    while (shape != null) {
      RegionCode.Compiled code = RegionCode.compile(shape);
      if (code.fits()) {
        Region region = RegionCode.define(code);
        if (mode == Mode.BACKGROUND) {
          warmUp(region);
        }
        finish(new Finished(whole, shape, code, region));
        return;
      }
      // as many as would fit if all took the same room, less a tenth
      long fitting = (long) shape.instructions() * RegionCode.MAX_BYTECODE / code.methodSize();
      shape = RegionFinder.shape(blocks, (int) (fitting * 9 / 10));
    }
    finish(new Finished(whole, null, null, null));
  }

  private void finish(Finished f) {
    finished.add(f);
    work = true;
  }

  /** Calls the method as often as HotSpot wants it called before it compiles it. */
  private static void warmUp(Region region) {
    for (int k = 0; k < WARM_UP; k++) {
      region.run(null, Region.NOWHERE);
    }
  }

  @Override
  public void poll() {
    if (work) {
      work = false;
      for (Finished f = finished.poll(); f != null; f = finished.poll()) {
        if (f.shape() != null) {
          install(f);
        } else {
          declined++;
        }
        release(f.asked().entries());
      }
    }
  }

  /**
   * Has blocks that the region turned out to have no room for asked about again. The first one is
   * not: what could not be done for it now could not be done at its next entry.
   */
  private void release(List<RegionBlock> entries) {
    Block first = entries.get(0).block();
    for (Block b : blocks(entries)) {
      underway.remove(b);
      if (b != first && !b.dead() && !RegionEntry.at(b)) {
        BlockLinks.askSoon(b);
      }
    }
  }

  /**
   * Puts the region in place unless one of its blocks has died meanwhile, or the first one has been
   * compiled into another region.
   */
  private void install(Finished f) {
    RegionShape shape = f.shape();
    Block[] members = blocks(shape.blocks());
    if (RegionEntry.at(members[0]) || Arrays.stream(members).anyMatch(Block::dead)) {
      return;
    }
    List<Op> ops = new ArrayList<>();
    for (Block b : members) {
      ops.addAll(List.of(BlockLinks.ops(b)));
    }
    f.region()
        .install(
            members, blocks(shape.entries()), ops.toArray(new Op[0]), f.code().exitAddresses());
    compiled++;
    instructions += shape.instructions();
    largestMethod = Math.max(largestMethod, f.code().methodSize());
  }

  private static Block[] blocks(List<RegionBlock> blocks) {
    return blocks.stream().map(RegionBlock::block).toArray(Block[]::new);
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

  /** How often no region could start with a hot block. */
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
