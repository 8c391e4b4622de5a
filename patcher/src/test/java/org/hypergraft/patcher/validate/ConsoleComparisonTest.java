package org.hypergraft.patcher.validate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConsoleComparisonTest {
  @Test
  void timestampsDoNotCount() {
    ConsoleComparison c =
        ConsoleComparison.of(
            "[    0.000000] Linux version 6.1\r\n[    0.100000] Hypervisor detected: KVM\n",
            "[    0.000000] Linux version 6.1\n[    0.099123] Hypervisor detected: KVM\n\n");
    assertEquals(List.of(), c.residual());
    assertEquals(Map.of(), c.allowed());
    assertEquals(2, c.lines());
  }

  @Test
  void namedFiguresMayDiffer() {
    ConsoleComparison c =
        ConsoleComparison.of(
            "[    1.000000] sched_clock: Marking stable (100, 20)->(130, -10)\n",
            "[    1.000000] sched_clock: Marking stable (99, 21)->(131, -11)\n");
    assertEquals(List.of(), c.residual());
    assertEquals(Map.of("clock calibration", 1), c.allowed());
  }

  @Test
  void textAroundANamedFigureCounts() {
    ConsoleComparison c =
        ConsoleComparison.of(
            "tsc: Refined TSC clocksource calibration: 1000.000 MHz\n",
            "tsc: Detected 1000.001 MHz processor\n");
    assertEquals(2, c.residual().size());
  }

  @Test
  void newWarningIsResidual() {
    ConsoleComparison c =
        ConsoleComparison.of("a\nb\nc\n", "a\nb\nWARNING: CPU: 0 PID: 1 at kernel/x.c:1\nc\n");
    assertEquals(List.of("+ WARNING: CPU: 0 PID: 1 at kernel/x.c:1"), c.residual());
  }

  @Test
  void movedAndMissingLinesAreResidual() {
    assertEquals(
        List.of("- b", "+ b"), ConsoleComparison.of("a\nb\nc\nd\n", "a\nc\nd\nb\n").residual());
    assertEquals(List.of("- c"), ConsoleComparison.of("a\nb\nc\n", "a\nb\n").residual());
  }

  @Test
  void onlyNamedLinesMayMove() {
    ConsoleComparison c =
        ConsoleComparison.of(
            "a\nFreeing initrd memory: 4K\nb\nc\n", "a\nb\nc\nFreeing initrd memory: 4K\n");
    assertEquals(List.of(), c.residual());
    assertEquals(Map.of("order of concurrent work", 1), c.allowed());
    c =
        ConsoleComparison.of(
            "tsc: Refined TSC clocksource calibration: 1000.000 MHz\na\n",
            "a\ntsc: Refined TSC clocksource calibration: 999.997 MHz\n");
    assertEquals(List.of(), c.residual());
    assertEquals(Map.of("clock calibration", 1), c.allowed());
    c = ConsoleComparison.of("a\nb\n", "a\nb\nFreeing initrd memory: 4K\n");
    assertEquals(List.of("+ Freeing initrd memory: 4K"), c.residual());
  }

  @Test
  void printkMayCutOffWhatProgramsWrite() {
    String apart = "[   13.764416] x86/mm: passed\nUSERSPACE-OK\nbye\n[   13.900000] end\n";
    ConsoleComparison c =
        ConsoleComparison.of(
            apart, "USERSPACE-[   13.764416] x86/mm: passed\nOK\nbye\n[   13.900000] end\n");
    assertEquals(List.of(), c.residual());
    c = ConsoleComparison.of(apart, "USERSPACE-OK[   13.764416] x86/mm: failed\n\nbye\n");
    assertEquals(List.of("- x86/mm: passed", "- end", "+ x86/mm: failed"), c.residual());
  }

  @Test
  void silenceIsRecognized() {
    assertTrue(ConsoleComparison.of("\n \n", "").empty());
    assertFalse(ConsoleComparison.of("x\n", "").empty());
  }
}
