package org.hypergraft.examples;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.hypergraft.patcher.cli.Main;

/**
 * One run of the command within this process.
 *
 * @param cpuMillis CPU time of the calling thread: what a busy host does not change
 */
record Cli(int status, String out, String err, long cpuMillis) {
  static Cli run(Object... arguments) {
    String[] args = Arrays.stream(arguments).map(Cli::text).toArray(String[]::new);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long started = threads.getCurrentThreadCpuTime();
    int status =
        Main.run(
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            args);
    return new Cli(
        status,
        out.toString(StandardCharsets.UTF_8),
        err.toString(StandardCharsets.UTF_8),
        (threads.getCurrentThreadCpuTime() - started) / 1_000_000);
  }

  /** Both streams, for the message of a failed assertion. */
  String all() {
    return "status " + status + "\n" + out + err;
  }

  private static String text(Object argument) {
    return argument instanceof Path path ? path.toString() : (String) argument;
  }
}
