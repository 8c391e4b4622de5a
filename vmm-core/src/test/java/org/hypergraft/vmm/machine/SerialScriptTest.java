package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.CpioArchive;
import org.junit.jupiter.api.Test;

class SerialScriptTest {
  /** Sends back what comes, plus one: poll LSR, read, increment, send. */
  private static final String ECHO_NEXT =
      "66 ba fd 03 ec a8 01 74 f7 66 ba f8 03 ec fe c0 ee eb ed";

  private static void print(SerialScript script, String text) {
    for (byte b : text.getBytes(UTF_8)) {
      script.received(b);
    }
  }

  private static String typed(SerialScript script) {
    return new String(script.type(), UTF_8);
  }

  @Test
  void stepsFollowTheOutput() {
    SerialScript script =
        SerialScript.parse(
            List.of("# hello", "", "expect aab", "send one", "send", "expect \\x24"));
    assertEquals("", typed(script));
    print(script, "aaa");
    assertEquals("", typed(script));
    assertEquals("script line 3 is not reached or not fulfilled: expect aab", script.unmet());
    print(script, "b");
    assertEquals("one\r\r", typed(script));
    assertEquals("", typed(script));
    assertFalse(script.hungUp());
    print(script, "$");
    assertTrue(script.hungUp());
    assertEquals("", script.unmet());
  }

  @Test
  void outputBeforeAStepDoesNotCount() {
    SerialScript script = SerialScript.parse(List.of("expect x", "expect x", "send \\t\\\\\\e"));
    print(script, "x");
    assertEquals("", typed(script));
    print(script, "x");
    assertEquals("\t\\\u001b\r", typed(script));
    assertFalse(script.hungUp());
  }

  @Test
  void mistakesAreNamed() {
    assertEquals("the script has no step", mistake("# only a comment"));
    assertEquals(
        "script line 1: expected \"expect TEXT\" or \"send TEXT\", found \"wait x\"",
        mistake("wait x"));
    assertTrue(mistake("expect").contains("expected a text of 1 to 4096 bytes"));
    assertTrue(mistake("send \\q").contains("after a backslash"));
    assertTrue(mistake("send \\x1").contains("two hexadecimal digits"));
  }

  private static String mistake(String line) {
    return assertThrows(IllegalArgumentException.class, () -> SerialScript.parse(List.of(line)))
        .getMessage();
  }

  @Test
  void aGuestAndAScriptTalk() {
    RunReport first = talk();
    assertEquals(Outcome.STOPPED, first.outcome(), () -> new String(first.console(), UTF_8));
    assertEquals("bcd\u000eyz{\u000e", new String(first.console(), UTF_8));
    assertEquals(first.retired(), talk().retired());
  }

  private static RunReport talk() {
    SerialScript script =
        SerialScript.parse(List.of("send abc", "expect d\\x0e", "send xyz", "expect {\\x0e"));
    // RTS: the guest is ready to receive
    SmallGuest guest = new SmallGuest().out(0x3fc, 2).code(ECHO_NEXT);
    MachineConfig config =
        MachineConfig.of(guest.image())
            .memory(32 << 20)
            .instructionBudget(10_000)
            .peer(script)
            .build();
    try (Machine machine = new Machine(config)) {
      return machine.run();
    }
  }

  @Test
  void aShellAnswers() throws IOException {
    byte[] busybox = Files.readAllBytes(Kernels.packaged("busybox-static", "bin/busybox"));
    String init =
        """
        #!/bin/busybox sh
        /bin/busybox mount -t proc proc /proc
        /bin/busybox --install -s /bin
        exec /bin/sh
        """;
    byte[] initramfs =
        new CpioArchive()
            .directory("dev", 0755)
            .characterDevice("dev/console", 0600, 5, 1)
            .directory("proc", 0755)
            .directory("bin", 0755)
            .file("bin/busybox", 0755, busybox)
            .file("init", 0755, init.getBytes(UTF_8))
            .toBytes();
    RunReport report = shell(initramfs, Tiers.COMPILED);
    assertEquals(Outcome.POWER_OFF, report.outcome(), report::death);
    if (KernelMatrixTest.full()) {
      for (Tiers tiers : KernelMatrixTest.EXECUTIONS) {
        KernelMatrixTest.assertAlike(report, shell(initramfs, tiers));
      }
    }
  }

  private static RunReport shell(byte[] initramfs, Tiers tiers) {
    SerialScript script =
        SerialScript.parse(
            List.of(
                "expect / # ",
                "send echo $((6 * 7)) times $(uname -s)",
                "expect \\n42 times Linux",
                "expect / # ",
                "send grep -c ^processor /proc/cpuinfo",
                "expect \\n1\\r",
                "expect / # ",
                "send seq 20000 | sha256sum",
                // of the same command on a Linux host
                "expect f6351f5ead9a700e34275480b3856ea738122a7c57bdeb744a631251c069587a",
                "send poweroff -f"));
    MachineConfig config =
        MachineConfig.of(Kernels.image("5.10.262 cloud"))
            .initrd(initramfs)
            .commandLine(MachineConfig.DEFAULT_COMMAND_LINE + " cryptomgr.notests quiet")
            .peer(script)
            .tiers(tiers)
            .build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals("", script.unmet(), () -> new String(report.console(), UTF_8));
      return report;
    }
  }
}
