package org.hypergraft.patcher.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code boot} with the options that show the inside of a run. */
class ObserverOptionsTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int boot(String... more) {
    String[] args = new String[more.length + 1];
    args[0] = "boot";
    System.arraycopy(more, 0, args, 1, more.length);
    return Main.run(
        new PrintStream(out, false, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        args);
  }

  private String errors() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "--hot 0, at least one function",
    "--lockstep --hot 3, takes no other way",
    "--lockstep-interval 0, at least one instruction",
    "--trace - --trace-limit 0, at least one line",
    "--trace-events, need --trace FILE",
    "--trace - --trace-from 1x, is neither a symbol nor an address",
    "--trace - --trace-from 99999999999999999999, too large",
    "--gdb-no-wait, needs --gdb PORT",
    "--gdb 70000, is not a port",
    "--gdb :x, is not a port",
    "--break 12, is neither a symbol nor an address",
    "--break panic:0, times are counted from 1"
  })
  void senselessOptionsAreRefusedInASentence(String options, String sentence) {
    String[] args = ("no-such-file " + options).split(" ");
    assertEquals(2, boot(args));
    assertTrue(errors().contains(sentence), errors());
  }

  @Test
  void stopsAtAPlaceWithATraceAndAProfile(@TempDir Path folder) throws IOException {
    String kernel = Kernels.file("6.1 cloud").toString();
    Path trace = folder.resolve("trace");
    String[] args = {
      kernel,
      "--break",
      "setup_arch",
      "--trace",
      trace.toString(),
      "--trace-from",
      "start_kernel",
      "--trace-limit",
      "30",
      "--hot",
      "3",
      "--json"
    };
    assertEquals(0, boot(args), this::errors);
    String json = out.toString(StandardCharsets.UTF_8);
    assertTrue(json.contains("\"outcome\" : \"stopped\""), json);
    assertTrue(json.contains("(setup_arch+0x0)"), json);
    assertTrue(json.contains("\"hotFunctions\" : ["), json);
    List<String> lines = Files.readAllLines(trace);
    assertEquals(31, lines.size());
    assertTrue(lines.get(0).contains(" start_kernel+0x0 "), lines.get(0));
  }

  @Test
  void aTraceThatCannotBeWrittenIsSaidToBe(@TempDir Path folder) {
    String kernel = Kernels.file("6.1 cloud").toString();
    Path trace = folder.resolve("nowhere").resolve("trace");
    assertEquals(6, boot(kernel, "--trace", trace.toString()));
    assertTrue(errors().endsWith("cannot write " + trace + ": no such file\n"), errors());
  }

  @Test
  void aPlaceThatIsNotReachedIsAFailureOfTheGuest() {
    String kernel = Kernels.file("6.1 cloud").toString();
    String[] args = {kernel, "--break", "start_kernel:2", "--budget", "1000000"};
    assertEquals(5, boot(args));
    assertTrue(
        errors().contains("the run ended before start_kernel:2; that place was reached 1 time"),
        errors());
    err.reset();
    assertEquals(2, boot(kernel, "--break", "no_such_function"));
    assertTrue(errors().contains("has no symbol 'no_such_function'"), errors());
  }

  @Test
  void lockStepOfARunThatEndsEarly() {
    String kernel = Kernels.file("6.1 cloud").toString();
    assertEquals(
        0, boot(kernel, "--lockstep", "--budget", "300000", "--lockstep-interval", "100000"));
    String text = out.toString(StandardCharsets.UTF_8);
    assertTrue(text.startsWith("lockstep: equal at 3 comparisons up to instruction 300,000"), text);
    assertFalse(text.contains("differ"), text);
  }
}
