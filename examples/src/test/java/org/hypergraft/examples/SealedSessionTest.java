package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code session/sealed-session.sh} for some kernels: minutes on QEMU, and packages that may have
 * to be fetched, so only with {@code -Dhypergraft.matrix=full}.
 */
@EnabledIfSystemProperty(
    named = "hypergraft.matrix",
    matches = "full",
    disabledReason = "only with -Dhypergraft.matrix=full")
class SealedSessionTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path SCRIPT = ROOT.resolve("examples/session/sealed-session.sh");

  /** What the script's exit status says when it lacks a tool or a package. */
  private static final int SKIPPED = 77;

  /** Two boots on QEMU, each of which the script gives five minutes, and what comes before. */
  private static final long LIMIT_MINUTES = 15;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"6.1 cloud, 1", "6.1 cloud, 2", "6.12 cloud, 1"})
  void modulesTracersAndProbesWorkAsInTheOriginal(String kernel, String cpus)
      throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Files.exists(ROOT.resolve("patcher/target/hypergraft.jar")),
        "the command is not packaged yet; mvn verify does that");
    Assumptions.assumeTrue(Qemu.find("bash").isPresent(), "bash is not installed");
    Path log = folder.resolve("log");
    ProcessBuilder builder =
        new ProcessBuilder("bash", SCRIPT.toString(), Kernels.file(kernel).toString(), cpus)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("HYPERGRAFT_BUILD", "never");
    Process script = builder.start();
    try {
      assertTrue(script.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES), () -> text(log));
    } finally {
      script.descendants().forEach(ProcessHandle::destroyForcibly);
      script.destroyForcibly();
    }
    Assumptions.assumeFalse(script.exitValue() == SKIPPED, () -> text(log).strip());
    assertEquals(0, script.exitValue(), () -> text(log));
    assertTrue(text(log).contains("=> same results as the original's"), () -> text(log));
  }

  private static String text(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
