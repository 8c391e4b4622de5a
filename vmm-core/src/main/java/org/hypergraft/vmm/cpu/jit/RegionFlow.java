package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.objectweb.asm.Label;

/**
 * How control goes from block to block of a region and out of it: the labels of blocks, what one
 * hands over to the next, and the numbers by which {@link Region#leave(org.hypergraft.vmm.cpu.Cpu,
 * int)} knows where to go on.
 */
final class RegionFlow {
  private final RegionShape shape;
  private final Code c;

  /** Starts of blocks, for jumps forward. */
  private final Map<Long, Label> heads = new HashMap<>();

  /** Where the code of blocks begins once they are charged. */
  private final Map<Long, Label> bodies = new HashMap<>();

  /** Starts of blocks that jumps backward and computed ones go to, as far as there are any. */
  private final Map<Long, Label> checkedHeads = new HashMap<>();

  /** Blocks whose code has been begun: jumps there go backwards. */
  private final Set<Long> begun = new HashSet<>();

  private final Map<Long, List<RegionBlock>> predecessors;

  /** Kind of the flags at the end of each block written so far. */
  private final Map<Long, Integer> kindAfter = new HashMap<>();

  /** What chained blocks take over from the one before. */
  private final Map<Long, Code.Held> handedOver = new HashMap<>();

  /** Addresses to leave to, in the order of their numbers. */
  private final List<Long> exits = new ArrayList<>();

  private final Map<Long, Integer> exitNumbers = new HashMap<>();

  /** Code that is seldom reached, written after all blocks. */
  private final List<Runnable> outOfLine = new ArrayList<>();

  /** Ways out by a number, by kind of the flags. */
  private final Map<Integer, Label> numbered = new TreeMap<>();

  /** The way out to a computed address, if there is any. */
  private Label computed;

  RegionFlow(RegionShape shape, Code c) {
    this.shape = shape;
    this.c = c;
    predecessors = shape.predecessors();
    for (RegionBlock b : shape.blocks()) {
      heads.put(b.va(), new Label());
      bodies.put(b.va(), new Label());
      exitNumber(b.va());
    }
    // exits are numbered before code is written: instruction numbers follow them
    for (RegionBlock b : shape.blocks()) {
      for (long successor : b.successors()) {
        exitNumber(successor);
      }
    }
  }

  private int exitNumber(long va) {
    return exitNumbers.computeIfAbsent(
        va,
        a -> {
          exits.add(a);
          return exits.size() - 1;
        });
  }

  /** The addresses to leave to, by number. */
  long[] exits() {
    return exits.stream().mapToLong(Long::longValue).toArray();
  }

  /** Has {@code code} written after all blocks. */
  void outOfLine(Runnable code) {
    outOfLine.add(code);
  }

  // ---- blocks ----------------------------------------------------------------------------------

  /** Begins a block. Entering it charges all of it, as in tier 0. */
  void begin(RegionBlock b) {
    c.label(heads.get(b.va()));
    begun.add(b.va());
    c.held(heldBefore(b));
    c.charge(b.insns().length); // checked() has seen that there is enough
    c.label(bodies.get(b.va()));
  }

  void end(RegionBlock b) {
    kindAfter.put(b.va(), c.kind);
  }

  /** Where the code of a block begins that has been charged. */
  Label body(RegionBlock b) {
    return bodies.get(b.va());
  }

  /** What locals hold at the start of a block. */
  private Code.Held heldBefore(RegionBlock b) {
    if (shape.chained().contains(b.va())) {
      return handedOver.get(b.va());
    }
    return shape.resident() ? new Code.Held(0, false, kindBefore(b)) : Code.Held.NOTHING;
  }

  /** Kind of the flags at the start of a block, if all that lead there agree on it. */
  private int kindBefore(RegionBlock b) {
    List<RegionBlock> before = predecessors.getOrDefault(b.va(), List.of());
    if (before.isEmpty() || shape.entries().contains(b) || shape.computedTarget(b.va())) {
      return Code.UNKNOWN;
    }
    int kind = kindAfter.getOrDefault(before.get(0).va(), Code.UNKNOWN);
    for (RegionBlock p : before) {
      if (kindAfter.getOrDefault(p.va(), Code.UNKNOWN) != kind) {
        return Code.UNKNOWN;
      }
    }
    return kind;
  }

  /**
   * Where to jump to reach a block otherwise than forward in the order of the code. The region is
   * left there unless the budget lasts for all its instructions: between two such jumps each block
   * runs once at most. What the budget still allows then is done by tier 0.
   */
  private Label checked(long va) {
    return checkedHeads.computeIfAbsent(va, a -> new Label());
  }

  private void checkedHead(RegionBlock b, Label label) {
    c.label(label);
    Label spent = new Label();
    int n = b.insns().length;
    // charged before it is compared: so HotSpot sees loops that count
    c.charge(n);
    c.jumpWhenLeftBelow(shape.instructions() - n, spent);
    c.jump(GOTO, bodies.get(b.va()));
    c.label(spent);
    c.charge(-n);
    leave(exitNumber(b.va()), Code.UNKNOWN);
  }

  // ---- branches --------------------------------------------------------------------------------

  /** Goes to {@code target} if condition {@code cond} (0-15) holds. */
  void branch(long target, int cond) {
    Label head = heads.get(target);
    boolean backward = begun.contains(target);
    if (head == null || c.kind != Code.UNKNOWN && takesNothing(target)) {
      Label out = new Label();
      int kind = c.kind;
      Conditions.jumpIf(c, cond, out);
      outOfLine(
          () -> {
            c.label(out);
            if (head == null) {
              leave(exitNumber(target), kind);
            } else {
              c.flagsToCpu(kind);
              c.jump(GOTO, backward ? checked(target) : head);
            }
          });
    } else if (backward) {
      // HotSpot keeps the operands of a backward conditional branch alive for its safepoint
      Label skip = new Label();
      Conditions.jumpIf(c, cond ^ 1, skip);
      c.jump(GOTO, checked(target));
      c.label(skip);
    } else {
      handedOver.put(target, c.held());
      Conditions.jumpIf(c, cond, head);
    }
  }

  /**
   * Goes to {@code target}.
   *
   * @param next the block whose code follows
   */
  void go(long target, long next) {
    Label head = heads.get(target);
    if (head == null) {
      leave(exitNumber(target), c.kind);
      return;
    }
    if (takesNothing(target)) {
      handOver();
    } else {
      handedOver.put(target, c.held());
    }
    if (begun.contains(target)) {
      c.jump(GOTO, checked(target));
    } else if (target != next) {
      c.jump(GOTO, head);
    }
  }

  private boolean takesNothing(long va) {
    return !shape.resident() && !shape.chained().contains(va);
  }

  /** Has the Cpu know what the next block, which takes nothing over, expects there. */
  private void handOver() {
    if (!shape.resident()) {
      c.flagsToCpu();
      c.kind = Code.UNKNOWN;
    }
  }

  /** Goes where TARGET says, if that is one of the places where the block may lead to. */
  void goWithin(RegionBlock b) {
    handOver();
    Collection<Long> points = shape.computed().getOrDefault(b.va(), List.of());
    Label elsewhere = new Label();
    SortedMap<Integer, Long> keys = new TreeMap<>();
    for (long point : points) {
      keys.putIfAbsent((int) point, point);
    }
    if (keys.size() == 1) {
      goTo(keys.get(keys.firstKey()), elsewhere);
    } else if (keys.size() > 1) {
      Label[] labels = keys.keySet().stream().map(k -> new Label()).toArray(Label[]::new);
      int[] values = keys.keySet().stream().mapToInt(Integer::intValue).toArray();
      c.loadLong(Locals.TARGET);
      c.op(L2I);
      c.mv.visitLookupSwitchInsn(elsewhere, values, labels);
      for (int k = 0; k < labels.length; k++) {
        c.label(labels[k]);
        goTo(keys.get(values[k]), elsewhere);
      }
    }
    c.label(elsewhere);
  }

  private void goTo(long point, Label elsewhere) {
    c.loadLong(Locals.TARGET);
    c.longValue(point);
    c.op(LCMP);
    c.jump(IFNE, elsewhere);
    c.jump(GOTO, checked(point));
  }

  // ---- ways out --------------------------------------------------------------------------------

  /** Leaves to the address in TARGET; the Cpu knows the flags. */
  void leaveToTarget() {
    if (computed == null) {
      computed = new Label();
    }
    c.jump(GOTO, computed);
  }

  /**
   * Has tier 0 execute an instruction.
   *
   * @param number of the instruction within the region
   * @param kind of the flags before it
   */
  void leaveAt(int number, int kind) {
    leave(exits.size() + number, kind);
  }

  /**
   * Has tier 0 go on after an instruction.
   *
   * @param number of the instruction within the region
   * @param kind of the flags after it
   */
  void leaveAfter(int number, int kind) {
    leave(exits.size() + shape.instructions() + number, kind);
  }

  private void leave(int exit, int kind) {
    c.setInt(Locals.EXIT, exit);
    int known = shape.resident() ? Code.UNKNOWN : kind;
    c.jump(GOTO, numbered.computeIfAbsent(known, k -> new Label()));
  }

  /** Writes what the code of the blocks jumps to. To be called after them. */
  void finish() {
    for (int k = 0; k < outOfLine.size(); k++) {
      outOfLine.get(k).run(); // which may add more
    }
    for (RegionBlock b : shape.blocks()) {
      if (checkedHeads.containsKey(b.va())) {
        checkedHead(b, checkedHeads.get(b.va()));
      }
    }
    numbered.forEach(
        (kind, label) -> tail(label, kind, "I", () -> c.mv.visitVarInsn(ILOAD, Locals.EXIT)));
    if (computed != null) {
      tail(computed, Code.UNKNOWN, "J", () -> c.loadLong(Locals.TARGET));
    }
  }

  private void tail(Label label, int kind, String type, Runnable push) {
    c.label(label);
    c.kind = kind;
    c.spill();
    c.mv.visitVarInsn(ALOAD, Locals.THIS);
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    push.run();
    c.region("leave", "(" + Code.CPU_TYPE + type + ")" + Code.OP_TYPE);
    c.mv.visitInsn(ARETURN);
  }
}
