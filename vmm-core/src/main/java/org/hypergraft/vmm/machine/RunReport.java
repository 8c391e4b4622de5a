package org.hypergraft.vmm.machine;

import java.util.List;
import java.util.Map;

/**
 * What happened in a run. Everything but the host figures is the same in every run of the same
 * configuration.
 *
 * @param outcome how it ended
 * @param reason one sentence about the end
 * @param console what the guest wrote to its serial port
 * @param retired instructions retired, REP iterations not counted
 * @param retiredByCpu the same by vCPU
 * @param retiredToUserspace of all these, before the first instruction at CPL 3; -1 if there was
 *     none
 * @param virtualNs virtual time at the end
 * @param idleNs of it, skipped in HLT
 * @param exits exits by cause
 * @param exitsBySymbol the same by guest symbol
 * @param interrupts external interrupts delivered
 * @param exceptions exceptions delivered
 * @param textWrites writes to the kernel's text
 * @param death the explanation of a guest's death, empty if it did not die
 * @param host what the run cost
 */
public record RunReport(
    Outcome outcome,
    String reason,
    byte[] console,
    long retired,
    List<Long> retiredByCpu,
    long retiredToUserspace,
    long virtualNs,
    long idleNs,
    Map<ExitCause, Long> exits,
    Map<ExitCause, Map<String, Long>> exitsBySymbol,
    long interrupts,
    long exceptions,
    TextWrites textWrites,
    String death,
    Host host) {
  /**
   * Cost on the host.
   *
   * @param cpuSeconds of all threads of this process while the run lasted
   * @param wallSeconds real time of the run
   * @param peakBytes largest resident size of the process so far, -1 where the host does not tell
   * @param blocks blocks translated for the interpreter
   * @param regions regions compiled
   * @param split CPU time by what it was spent on
   */
  public record Host(
      double cpuSeconds,
      double wallSeconds,
      long peakBytes,
      long blocks,
      long regions,
      CpuSplit split) {}

  /** Guest instructions per host CPU second, in millions; idle time retires none. */
  public double mips() {
    return host.cpuSeconds > 0 ? retired / host.cpuSeconds / 1e6 : 0;
  }

  /** Whether the guest reached its own end. */
  public boolean succeeded() {
    return outcome == Outcome.POWER_OFF;
  }
}
