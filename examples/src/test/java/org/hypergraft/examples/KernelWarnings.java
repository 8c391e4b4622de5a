package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hypergraft.vmm.boot.InitProgram;

/** What a kernel complained about on its console. */
final class KernelWarnings {
  /**
   * Keeps what is less urgent than a warning off the console: KERN_WARNING is 4, and messages below
   * the level are printed (Linux's kern_levels.h, kernel-parameters).
   */
  static final String OPTION = "loglevel=5";

  private static final Pattern LINE = Pattern.compile("^\\[ *\\d+\\.\\d{6}\\] (.*)$");

  /** What the kernel says of calibrating its clocks, where time is the host's. */
  private static final Pattern CALIBRATION =
      Pattern.compile("^(tsc:|clocksource:|hrtimer:|APIC calibration).*");

  private KernelWarnings() {}

  /** The lines of a console of that level, numbers masked: they tell times and addresses. */
  static Set<String> of(String console) {
    assertTrue(console.contains(InitProgram.MARKER), console);
    Set<String> lines = new TreeSet<>();
    console
        .lines()
        .forEach(
            line -> {
              Matcher m = LINE.matcher(line.stripTrailing());
              if (m.matches()) {
                lines.add(m.group(1).replaceAll("\\b(0x)?[0-9a-f]*\\d[0-9a-f]*", "#"));
              }
            });
    return lines;
  }

  /** {@link #fresh}, without what depends on how busy the host was. */
  static Set<String> freshByHostTime(String known, String console) {
    Set<String> fresh = fresh(known, console);
    fresh.removeIf(line -> CALIBRATION.matcher(line).matches());
    return fresh;
  }

  /** Those of {@code console} that {@code known} does not have. */
  static Set<String> fresh(String known, String console) {
    Set<String> fresh = of(console);
    fresh.removeAll(of(known));
    return fresh;
  }
}
