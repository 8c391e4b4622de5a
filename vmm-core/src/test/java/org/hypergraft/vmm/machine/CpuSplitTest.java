package org.hypergraft.vmm.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class CpuSplitTest {
  @Test
  void aThreadsTimeIsFoundByItsName() throws InterruptedException {
    long[] busy = new long[1];
    double[] found = new double[1];
    Thread worker =
        new Thread(
            () -> {
              while (HostUsage.threadNs() < 50_000_000) {
                busy[0]++;
              }
              found[0] = HostUsage.threadSeconds("split-worker");
              busy[0] = HostUsage.threadNs();
            },
            "split-worker");
    worker.start();
    worker.join();
    assertTrue(found[0] >= 0.04 && found[0] * 1e9 <= busy[0], found[0] + " s of " + busy[0]);
    assertEquals(0, HostUsage.threadSeconds("no such thread"));
  }
}
