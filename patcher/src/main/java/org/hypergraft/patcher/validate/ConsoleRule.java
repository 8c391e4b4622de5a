package org.hypergraft.patcher.validate;

import java.util.List;
import java.util.regex.Pattern;

/**
 * A stated reason why two boots of one kernel may print different figures in a line.
 *
 * @param name what the report calls it
 * @param line what the lines look like; the figures that may differ are its groups
 * @param movable whether the line may come earlier or later, as work done beside others prints it
 */
public record ConsoleRule(String name, Pattern line, boolean movable) {
  /**
   * The rules in force. The machine's clock counts retired instructions, so an image that retires
   * fewer reads other times; it measures the same hardware otherwise.
   */
  public static final List<ConsoleRule> ALL =
      List.of(
          rule("clock calibration", "tsc: Detected.* ([\\d.]+) MHz.*"),
          // these and the switch below come from a delayed work, tsc_refine_calibration_work()
          movable("clock calibration", "tsc: Refined.* ([\\d.]+) MHz.*"),
          rule(
              "clock calibration",
              "clocksource: (?:Switched|tsc).*mask.*max_cycles: (\\S+), max_idle_ns: (\\d+) ns"),
          rule(
              "clock calibration",
              ".*[Cc]alibrat.* delay loop.*?([\\d.]+) BogoMIPS \\(lpj=(\\d+)\\)"),
          rule("clock calibration", "sched_clock: Marking stable \\((.*)\\)->\\((.*)\\)"),
          rule("clock calibration", "kvm-clock: using sched offset of (\\d+) cycles"),
          rule(
              "clock calibration",
              "smpboot: Total of \\d+ processors activated \\(([\\d.]+) BogoMIPS\\)"),
          movable("order of concurrent work", "clocksource: Switched to clocksource tsc"),
          movable("order of concurrent work", "Freeing initrd memory: \\d+K"),
          rule("time of day", ".*setting system clock to .*"),
          rule("time of day", "audit: type=\\d+ audit\\(([\\d.:]+)\\).*"),
          rule(
              "duration",
              ".*\\b(?:took|in|after) ([\\d.]+) ?(?:usecs|us|ms|msecs|seconds|jiffies)\\b.*"),
          rule("duration", "initcall .* after (\\d+) usecs"),
          rule("benchmark of the kernel", "raid6: .*?(\\d+) MB/s.*"),
          rule("benchmark of the kernel", "\\s*(?:xor: )?\\S+\\s*:\\s*(\\d+) MB/sec.*"));

  private static ConsoleRule rule(String name, String regex) {
    return new ConsoleRule(name, Pattern.compile(regex), false);
  }

  private static ConsoleRule movable(String name, String regex) {
    return new ConsoleRule(name, Pattern.compile(regex), true);
  }
}
