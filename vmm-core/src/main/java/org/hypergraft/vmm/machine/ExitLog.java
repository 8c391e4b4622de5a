package org.hypergraft.vmm.machine;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import org.hypergraft.vmm.bus.BusObserver;

/** Counts exits by cause and by the guest address they came from, and remembers the last few. */
final class ExitLog implements BusObserver {
  private static final int REMEMBERED = 16;

  /** Makes the text of a remembered exit only if somebody asks. */
  private static final class Recent {
    ExitCause cause;
    long rip;
    long detail;
    long value;
  }

  private final LongSupplier rip;
  private final Map<Long, long[]> counts = new HashMap<>();
  private final Recent[] recent = new Recent[REMEMBERED];
  private long total;

  /**
   * @param rip where the guest is
   */
  ExitLog(LongSupplier rip) {
    this.rip = rip;
    for (int i = 0; i < recent.length; i++) {
      recent[i] = new Recent();
    }
  }

  /**
   * Notes an exit.
   *
   * @param detail port, address, MSR, leaf or hypercall number
   * @param value size and direction of an access, or the value written
   */
  void note(ExitCause cause, long detail, long value) {
    long at = rip.getAsLong();
    counts.computeIfAbsent(at, k -> new long[ExitCause.values().length])[cause.ordinal()]++;
    Recent r = recent[(int) (total++ % REMEMBERED)];
    r.cause = cause;
    r.rip = at;
    r.detail = detail;
    r.value = value;
  }

  @Override
  public void port(int port, int size, boolean write) {
    note(ExitCause.PORT, port, write ? -size : size);
  }

  @Override
  public void mmio(long gpa, int size, boolean write) {
    note(ExitCause.MMIO, gpa, write ? -size : size);
  }

  Map<ExitCause, Long> byCause() {
    Map<ExitCause, Long> out = new EnumMap<>(ExitCause.class);
    for (ExitCause cause : ExitCause.values()) {
      long sum = 0;
      for (long[] c : counts.values()) {
        sum += c[cause.ordinal()];
      }
      out.put(cause, sum);
    }
    return out;
  }

  /** Counts by symbol, in the order of the names. */
  Map<ExitCause, Map<String, Long>> bySymbol(LongFunction<String> symbol) {
    Map<ExitCause, Map<String, Long>> out = new EnumMap<>(ExitCause.class);
    counts.forEach(
        (at, c) -> {
          String name = symbol.apply(at);
          for (ExitCause cause : ExitCause.values()) {
            if (c[cause.ordinal()] != 0) {
              out.computeIfAbsent(cause, k -> new TreeMap<>())
                  .merge(name, c[cause.ordinal()], Long::sum);
            }
          }
        });
    return out;
  }

  /** The last exits, oldest first, one line each. */
  List<String> last(LongFunction<String> symbol) {
    List<String> lines = new ArrayList<>();
    for (long i = Math.max(0, total - REMEMBERED); i < total; i++) {
      Recent r = recent[(int) (i % REMEMBERED)];
      boolean access = r.cause == ExitCause.PORT || r.cause == ExitCause.MMIO;
      String what =
          access
              ? (r.value < 0 ? "write " : "read ") + Math.abs(r.value) + " at 0x%x"
              : r.cause == ExitCause.WRMSR ? "0x%x = 0x%x" : "0x%x";
      lines.add(
          "%s %s from %s"
              .formatted(r.cause.label(), what.formatted(r.detail, r.value), symbol.apply(r.rip)));
    }
    return lines;
  }
}
