package org.hypergraft.vmm.observe;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.Observer;
import org.hypergraft.vmm.machine.Outcome;

/**
 * Runs two machines of the same configuration side by side on different engines and compares
 * processors and memory at equal counts of retired instructions. When they differ, the run is
 * repeated to find the first instruction after which they do.
 */
public final class LockStep {
  /** Instructions between two comparisons. */
  public static final long DEFAULT_INTERVAL = 5_000_000;

  /** Comparisons of a pass that narrows a difference down. */
  private static final int PASS = 16;

  /** Most instructions shown of a stretch that cannot be narrowed further. */
  private static final int SHOWN = 24;

  /** Makes a machine of the one or the other kind. */
  public interface Pair {
    /**
     * A new machine at the beginning of its run.
     *
     * @param second which of the two
     * @param observer to be attached
     */
    Machine machine(boolean second, Observer observer);
  }

  /**
   * What a comparison of whole runs found.
   *
   * @param instructions retired by the first machine, up to its end or the difference
   * @param comparisons done at equal counts
   * @param difference a text of several lines, empty if there is none
   * @param ending how the first run ended
   */
  public record Result(long instructions, long comparisons, String difference, String ending) {
    public boolean equal() {
      return difference.isEmpty();
    }
  }

  private final Pair pair;
  private final long interval;
  private final LongConsumer progress;
  private final Consumer<String> note;

  /**
   * @param interval instructions between two comparisons
   * @param progress told the count after each comparison
   * @param note told in a sentence what goes on when a difference is being narrowed down
   */
  public LockStep(Pair pair, long interval, LongConsumer progress, Consumer<String> note) {
    this.pair = pair;
    this.interval = interval;
    this.progress = progress;
    this.note = note;
  }

  /** Gets hold of a machine's insides. */
  private static final class Inside implements Observer {
    private GuestControl guest;
    private String ending;

    @Override
    public boolean begin(GuestControl control) {
      guest = control;
      return true;
    }

    @Override
    public void ended(Outcome outcome, String reason) {
      ending = reason;
    }
  }

  /** Two machines and what they have in common. */
  private final class Runners implements AutoCloseable {
    private final Inside[] inside = {new Inside(), new Inside()};
    private final Machine first = pair.machine(false, inside[0]);
    private final Machine second = pair.machine(true, inside[1]);

    /** Whether both go on after having come to a count. */
    boolean advance(long count) {
      boolean one = first.advance(count);
      boolean other = second.advance(count);
      return one && other;
    }

    GuestControl guest(int which) {
      return inside[which].guest;
    }

    String ending(int which) {
      return Objects.requireNonNullElse(inside[which].ending, "it goes on");
    }

    /** What differs, a line each; empty if nothing does. */
    List<String> differences() {
      List<String> lines = new ArrayList<>();
      if (!ending(0).equals(ending(1))) {
        lines.add("end: " + ending(0) + " | " + ending(1));
      }
      GuestControl a = guest(0);
      GuestControl b = guest(1);
      for (int i = 0; i < a.cpus(); i++) {
        Map<String, Long> other = CpuFields.of(b.cpu(i));
        String cpu = a.cpus() == 1 ? "" : "cpu " + i + " ";
        CpuFields.of(a.cpu(i))
            .forEach(
                (name, value) -> {
                  if (!value.equals(other.get(name))) {
                    lines.add("%s%s: %x | %x".formatted(cpu, name, value, other.get(name)));
                  }
                });
      }
      long gpa = a.firstDifference(b);
      if (gpa >= 0) {
        lines.add(
            "memory at physical 0x%x: %x | %x"
                .formatted(
                    gpa, a.readPhysical(gpa, 1)[0] & 0xff, b.readPhysical(gpa, 1)[0] & 0xff));
      }
      return lines;
    }

    @Override
    public void close() {
      first.close();
      second.close();
    }
  }

  /** Runs to the end or to the first difference. */
  public Result run() {
    long comparisons = 0;
    long equalAt = 0;
    long at = 0;
    try (Runners both = new Runners()) {
      boolean goOn = true;
      while (goOn) {
        at += interval;
        goOn = both.advance(at);
        comparisons++;
        if (!both.differences().isEmpty()) {
          break;
        }
        equalAt = at;
        progress.accept(both.guest(0).retired());
      }
      if (equalAt == at) {
        return new Result(both.guest(0).retired(), comparisons, "", both.ending(0));
      }
    }
    note.accept(
        "the machines are equal at instruction %d and differ at %d; looking for the first difference"
            .formatted(equalAt, at));
    return narrow(comparisons, equalAt, at);
  }

  /** Stretches of which the machines agree on the beginning and not on the end. */
  private record Window(long from, long to) {
    List<Long> points() {
      List<Long> points = new ArrayList<>();
      long step = Math.max(1, (to - from) / PASS);
      for (long at = from + step; at < to; at += step) {
        points.add(at);
      }
      points.add(to);
      return points;
    }

    List<Long> middle() {
      return List.of(from + (to - from) / 2, to);
    }
  }

  /**
   * Repeats the run with more comparisons. Stopping a machine changes what its compiler gets to run
   * as a whole, so a difference may hide from a close look: then the stretch stays long.
   */
  private Result narrow(long comparisons, long equalAt, long differsAt) {
    Window window = new Window(equalAt, differsAt);
    while (window.to - window.from > 1) {
      Window smaller = pass(window.from, window.points());
      if (smaller == null) {
        smaller = pass(window.from, window.middle());
      }
      if (smaller == null) {
        break;
      }
      window = smaller;
      note.accept("narrowed to instructions %d to %d".formatted(window.from, window.to));
    }
    return new Result(window.from, comparisons, explain(window), "they differ");
  }

  /** Compares at some points; returns where the first difference came in, or null. */
  private Window pass(long from, List<Long> points) {
    try (Runners both = new Runners()) {
      both.advance(from);
      long equal = from;
      for (long point : points) {
        both.advance(point);
        if (!both.differences().isEmpty()) {
          return new Window(equal, point);
        }
        equal = point;
      }
      return null;
    }
  }

  /** State before, what was executed, and both states after. */
  private String explain(Window window) {
    StringBuilder out = new StringBuilder();
    try (Runners both = new Runners()) {
      both.advance(window.from);
      GuestControl guest = both.guest(0);
      out.append("equal after instruction %d:\n".formatted(window.from));
      out.append(guest.dump(guest.current()));
      out.append("then executed:\n");
      long at = window.from;
      for (; at < window.to && at - window.from < SHOWN; at++) {
        InstructionText next = InstructionText.at(guest, guest.current());
        int cpu = guest.current().index;
        boolean goOn = both.first.advance(at + 1);
        out.append("  %d %d %s\n".formatted(at, cpu, next));
        if (!goOn) {
          break;
        }
      }
      if (at < window.to) {
        out.append("  ...\n");
      }
      both.advance(window.to);
      out.append("after instruction %d, first machine | second machine:\n".formatted(window.to));
      for (String line : both.differences()) {
        out.append("  ").append(line).append('\n');
      }
    }
    return out.toString();
  }
}
