package org.hypergraft.vmm.observe;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.machine.Observer;
import org.hypergraft.vmm.machine.Stop;

/**
 * Where a guest spends its instructions: every {@link #INTERVAL}-th retired instruction is
 * attributed to the function it stands in. Samples fall on exact counts, so they are the same in
 * every run and on every tier.
 */
public final class HotFunctions implements Observer {
  /** Instructions between two samples: prime, so that no loop of the guest keeps step with it. */
  public static final long INTERVAL = 19_997;

  /** Name for code at CPL 3. */
  public static final String USERSPACE = "[userspace]";

  /** Name for code outside the kernel's symbols. */
  public static final String ELSEWHERE = "[elsewhere]";

  /**
   * One function.
   *
   * @param name its symbol, {@link #USERSPACE} or {@link #ELSEWHERE}
   * @param samples samples in it
   * @param instructions retired instructions these stand for
   * @param percent of all
   */
  public record Function(String name, long samples, long instructions, double percent) {}

  private final Map<String, Long> samples = new HashMap<>();
  private GuestControl guest;
  private long next = INTERVAL;
  private long total;

  @Override
  public boolean begin(GuestControl control) {
    guest = control;
    return true;
  }

  @Override
  public long nextCount(int cpu) {
    return next;
  }

  @Override
  public boolean stopped(Stop why) {
    next += INTERVAL;
    total++;
    samples.merge(name(), 1L, Long::sum);
    return true;
  }

  private String name() {
    if (guest.current().cpl == 3) {
      return USERSPACE;
    }
    return guest.function(guest.current().rip).orElse(ELSEWHERE);
  }

  /** Samples taken. */
  public long total() {
    return total;
  }

  /** The functions with the most samples, in descending order. */
  public List<Function> top(int count) {
    return samples.entrySet().stream()
        .sorted(
            Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()))
        .limit(count)
        .map(
            e ->
                new Function(
                    e.getKey(),
                    e.getValue(),
                    e.getValue() * INTERVAL,
                    100.0 * e.getValue() / total))
        .toList();
  }
}
