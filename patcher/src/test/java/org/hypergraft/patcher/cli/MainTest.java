package org.hypergraft.patcher.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Command;

class MainTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void helpListsTheCommandsOnStandardOutput() {
    assertEquals(0, run("--help"));
    for (String command : Main.COMMANDS.keySet()) {
      assertTrue(text(out).contains("\n  " + command + " "), text(out));
    }
    assertEquals("", text(err));
  }

  @Test
  void commandsGoByTheNamesOfTheirAnnotations() {
    Main.COMMANDS.forEach(
        (name, type) -> assertEquals(name, type.getAnnotation(Command.class).name()));
  }

  @Test
  void whatIsNoCommandIsAnsweredWithThoseAlike() {
    assertEquals(2, run("inspekt"));
    assertTrue(text(err).contains("inspect"), text(err));
  }

  @Test
  void everyCommandHasHelpWithExamples() {
    for (String command : Main.COMMANDS.keySet()) {
      out.reset();
      assertEquals(0, run(command, "--help"), command);
      assertTrue(text(out).contains("Example"), text(out));
    }
  }

  @Test
  void usageErrorsNameTheCommandAndPointToItsHelp() {
    assertEquals(2, run("inspect"));
    assertEquals("", text(out));
    assertTrue(text(err).startsWith("hypergraft inspect: "), text(err));
    assertTrue(text(err).contains("Try 'hypergraft inspect --help'."), text(err));
  }

  @Test
  void targetsListsTheProcessorsThatTheHelpSpeaksOf() {
    assertEquals(0, run("targets"));
    for (CpuModel m : CpuModels.all()) {
      assertTrue(text(out).contains(m.name() + " ("), text(out));
    }
  }

  private int run(String... args) {
    return Main.run(
        new PrintStream(out, false, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        args);
  }

  private static String text(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }
}
