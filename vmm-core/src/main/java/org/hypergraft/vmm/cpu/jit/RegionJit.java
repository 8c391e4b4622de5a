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

  private static final int[] SIZES = {320, 160, 80, 40};

  private final Mode mode;
  private final int threshold;
  private final ConcurrentLinkedQueue<Finished> finished = new ConcurrentLinkedQueue<>();
  private ExecutorService worker;
  private volatile boolean work;

  private long compiled;
  private long instructions;
  private long declined;

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
    if (entry.single() || (entry.modeKey & Cpu.MODE_SIZE) != 2) {
      return;
    }
    List<RegionShape> shapes = new ArrayList<>();
    int smallest = Integer.MAX_VALUE;
    for (int size : SIZES) {
      if (size >= smallest) {
        continue;
      }
      RegionShape shape = new RegionFinder(size).find(entry);
      if (shape == null) {
        break;
      }
      smallest = shape.instructions();
      shapes.add(shape);
    }
    if (shapes.isEmpty()) {
      declined++;
      return;
    }
    if (mode == Mode.SYNCHRONOUS) {
      compile(shapes);
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
    worker.execute(() -> compile(shapes));
  }

  private void compile(List<RegionShape> shapes) {
    for (RegionShape shape : shapes) {
      RegionCode.Compiled code = RegionCode.compile(shape);
      if (code != null) {
        finished.add(new Finished(shape, code, RegionCode.define(code)));
        work = true;
        return;
      }
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
  }

  /** Regions installed. */
  public long regions() {
    return compiled;
  }

  /** Guest instructions in the installed regions. */
  public long instructions() {
    return instructions;
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
