package org.hypergraft.vmm.machine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** What this process has used of the host. */
final class HostUsage {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path THREADS = Path.of("/proc/self/task");

  private HostUsage() {}

  /** CPU time of all threads, ns; 0 where the JVM does not tell. */
  static long cpuNs() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean os
        ? Math.max(0, os.getProcessCpuTime())
        : 0;
  }

  /** CPU time of the calling thread, ns; 0 where the JVM does not tell. */
  static long threadNs() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return threads.isCurrentThreadCpuTimeSupported() ? threads.getCurrentThreadCpuTime() : 0;
  }

  /** CPU seconds so far of the threads whose names start with one of {@code prefixes}. */
  static double threadSeconds(String... prefixes) {
    double seconds = 0;
    try (DirectoryStream<Path> all = Files.newDirectoryStream(THREADS)) {
      for (Path thread : all) {
        String name = Files.readString(thread.resolve("comm"));
        if (Arrays.stream(prefixes).anyMatch(name::startsWith)) {
          // proc(5), schedstat: ns on a CPU, ns waiting, time slices
          String[] words = Files.readString(thread.resolve("schedstat")).split(" ");
          seconds += Long.parseLong(words[0]) / 1e9;
        }
      }
    } catch (IOException | UncheckedIOException | DirectoryIteratorException e) {
      return seconds; // another system, or a thread that has just ended
    }
    return seconds;
  }

  /** Largest resident size, bytes; -1 where the host does not tell. */
  static long peakBytes() {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith("VmHWM:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException e) {
      return -1;
    }
    return -1;
  }
}
