package org.hypergraft.vmm.machine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process has used of the host. */
final class HostUsage {
  private static final Path STATUS = Path.of("/proc/self/status");

  private HostUsage() {}

  /** CPU time of all threads, ns; 0 where the JVM does not tell. */
  static long cpuNs() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean os
        ? Math.max(0, os.getProcessCpuTime())
        : 0;
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
