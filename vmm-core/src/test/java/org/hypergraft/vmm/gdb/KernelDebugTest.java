package org.hypergraft.vmm.gdb;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.InitProgram;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.Outcome;
import org.hypergraft.vmm.machine.RunReport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A distribution's kernel under a debugger boots as it does without. */
class KernelDebugTest {
  private static final int RIP = 16;
  private static final int GDB_SECONDS = 120;
  private static RunReport plain;

  private static MachineConfig.Builder config() {
    return MachineConfig.of(Kernels.image("6.1 cloud"))
        .commandLine(MachineConfig.DEFAULT_COMMAND_LINE + " cryptomgr.notests")
        .kaslrOffset(0x1200000);
  }

  private static void assertUndisturbed(RunReport debugged) {
    if (plain == null) {
      try (Machine machine = new Machine(config().build())) {
        plain = machine.run();
      }
    }
    assertEquals(Outcome.POWER_OFF, debugged.outcome(), debugged::death);
    assertTrue(new String(debugged.console(), UTF_8).contains(InitProgram.MARKER));
    assertEquals(plain.retired(), debugged.retired());
    assertArrayEquals(plain.console(), debugged.console());
    assertEquals(plain.exitsBySymbol(), debugged.exitsBySymbol());
  }

  @Test
  void ourClientStopsLooksAndDetaches() throws Exception {
    try (DebuggedRun run = new DebuggedRun(config(), true);
        RspClient gdb = new RspClient(run.address())) {
      gdb.withoutAcknowledgements();
      long startKernel = address(gdb, "start_kernel");
      String code = gdb.ask("m%x,5".formatted(startKernel));
      assertEquals("e8", code.substring(0, 2), "readable where it was loaded: call __fentry__");
      assertEquals("OK", gdb.ask("Z0,%x,1".formatted(startKernel)));
      assertEquals("T05swbreak:;thread:1;", gdb.ask("c"));
      assertEquals(startKernel, gdb.register(RIP));
      assertEquals(code, gdb.ask("m%x,5".formatted(startKernel)));
      assertTrue(gdb.monitor("stack").contains("secondary_startup_64"));
      assertEquals("T05thread:1;", gdb.ask("vCont;s:1;c"));
      assertEquals(address(gdb, "__fentry__"), gdb.register(RIP));
      assertEquals("E0e", gdb.ask("m10,1"), "page zero is not mapped");
      long jiffies = address(gdb, "jiffies_64");
      assertEquals("OK", gdb.ask("Z2,%x,8".formatted(jiffies)));
      assertEquals("T05watch:%x;thread:1;".formatted(jiffies), gdb.ask("c"));
      assertTrue(gdb.monitor("regs").contains("do_timer+"));
      assertEquals("D", gdb.ask("D").equals("OK") ? "D" : "");
      assertUndisturbed(run.report());
    }
  }

  private static long address(RspClient gdb, String symbol) throws Exception {
    String answer = gdb.monitor("symbol " + symbol);
    return Long.parseUnsignedLong(answer.substring(2, answer.indexOf(' ')), 16);
  }

  @Test
  void realGdbStopsLooksAndDetaches(@TempDir Path scratch) throws Exception {
    boolean installed =
        Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "gdb")));
    Assumptions.assumeTrue(installed, "gdb is not installed");
    Path output = scratch.resolve("output");
    try (DebuggedRun run = new DebuggedRun(config(), true)) {
      Path script =
          Files.write(
              scratch.resolve("script"),
              List.of(
                  "set pagination off",
                  "set confirm off",
                  "target remote 127.0.0.1:" + run.address().getPort(),
                  "break start_kernel",
                  "continue",
                  "backtrace 1",
                  "stepi",
                  "x/i $pc",
                  "finish",
                  "hbreak rest_init",
                  "continue",
                  "set $r15 = $r15",
                  "watch *(unsigned long *) &jiffies_64",
                  "continue",
                  "backtrace",
                  "delete",
                  "info threads",
                  "detach"));
      Process gdb =
          new ProcessBuilder("gdb", "-nx", "-batch", "-x", script.toString())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      assertTrue(gdb.waitFor(GDB_SECONDS, TimeUnit.SECONDS), "gdb has not finished");
      String said = Files.readString(output);
      for (String expected :
          List.of(
              "Breakpoint 1,",
              "in start_kernel ()",
              "in __fentry__ ()",
              "Breakpoint 2,",
              "in rest_init ()",
              "Old value = ",
              "in do_timer ()",
              "in sysvec_apic_timer_interrupt ()",
              "<signal handler called>",
              "in kernel_init ()",
              "in ret_from_fork ()",
              "Thread 1 (CPU 0)",
              "detached")) {
        assertTrue(said.contains(expected), said);
      }
      assertUndisturbed(run.report());
    }
  }
}
