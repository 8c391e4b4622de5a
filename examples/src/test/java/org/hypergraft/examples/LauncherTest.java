package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shell script in front of the jar. */
class LauncherTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path LAUNCHER = ROOT.resolve("hypergraft");

  @TempDir Path folder;

  private record Run(int status, String out, String err) {}

  @BeforeEach
  void isPackaged() {
    Assumptions.assumeTrue(
        Files.exists(ROOT.resolve("patcher/target/hypergraft.jar")),
        "the command is not packaged yet; mvn verify does that");
  }

  @Test
  void runsFromAnywhereThroughALink() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("hg"), LAUNCHER);
    Path chain = Files.createSymbolicLink(folder.resolve("chain"), Path.of("hg"));
    for (Path command : List.of(link, chain)) {
      Run run = run(Map.of(), command, "--version");
      assertEquals(0, run.status, run.err);
      assertTrue(run.out.startsWith("hypergraft "), run.out);
    }
    Files.delete(chain);
    Files.delete(link);
  }

  @Test
  void passesTheExitStatusOnWithAndWithoutAnArchive() throws Exception {
    Path missing = folder.resolve("no such image");
    for (int i = 0; i < 2; i++) {
      assertEquals(6, run(Map.of(), LAUNCHER, "inspect", missing.toString()).status);
      assertEquals(2, run(Map.of(), LAUNCHER, "frobnicate").status);
      assertEquals(0, run(Map.of(), LAUNCHER, "targets").status);
    }
    try (Stream<Path> archives = Files.list(folder.resolve("cache/cds"))) {
      List<String> names = archives.map(p -> p.getFileName().toString()).toList();
      assertEquals(1, names.size(), "one archive, of the command that succeeded: " + names);
      assertTrue(names.get(0).matches("\\d+-targets-\\d+\\.jsa"), names.toString());
    }
  }

  /**
   * The command line parser's class files are of a version that not every kind of archive takes.
   */
  @Test
  void startsFromTheArchive() throws Exception {
    assertEquals(0, run(Map.of(), LAUNCHER, "targets").status);
    Path log = folder.resolve("classes");
    Map<String, String> logged = Map.of("HYPERGRAFT_JAVA_OPTS", "-Xlog:class+load:file=" + log);
    assertEquals(0, run(logged, LAUNCHER, "targets").status);
    List<String> loaded = Files.readAllLines(log);
    for (String name :
        List.of("org.hypergraft.patcher.cli.TargetsCommand", "picocli.CommandLine")) {
      assertTrue(
          loaded.stream().anyMatch(l -> l.contains(" " + name + " source: shared objects file")),
          name + " is not taken from the archive");
    }
  }

  /** What a run that boots nothing has loaded would be a poor start for those that boot. */
  @Test
  void keepsNoArchiveOfARunThatLeavesTheWorkOut() throws Exception {
    Path initramfs = folder.resolve("initramfs");
    assertEquals(0, run(Map.of(), LAUNCHER, "boot", "--write-initramfs", "" + initramfs).status);
    assertEquals(0, run(Map.of(), LAUNCHER, "boot", "--help").status);
    assertTrue(Files.size(initramfs) > 0);
    assertFalse(Files.exists(folder.resolve("cache/cds")));
  }

  @Test
  void worksWithoutACache() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "in the way");
    Run run = run(Map.of("HYPERGRAFT_CACHE", file.toString()), LAUNCHER, "targets");
    assertEquals(0, run.status, run.err);
    assertEquals("", run.err);
  }

  @Test
  void concurrentFirstRunsDoNotDisturbEachOther() throws Exception {
    List<Process> all = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      all.add(start(Map.of(), folder.resolve("out" + i), LAUNCHER, "targets"));
    }
    for (int i = 0; i < 3; i++) {
      assertTrue(all.get(i).waitFor(60, TimeUnit.SECONDS));
      assertEquals(0, all.get(i).exitValue());
      assertEquals(
          Files.readString(folder.resolve("out0")), Files.readString(folder.resolve("out" + i)));
    }
  }

  @Test
  void aMissingJavaIsOneSentence() throws Exception {
    Run run = run(Map.of("JAVA_HOME", folder.toString()), LAUNCHER, "targets");
    assertEquals(1, run.status);
    assertEquals(1, run.err.lines().count(), run.err);
    assertTrue(run.err.contains(folder.toString()), run.err);
  }

  private Run run(Map<String, String> environment, Path command, String... args)
      throws IOException, InterruptedException {
    Path out = folder.resolve("stdout");
    Process process = start(environment, out, command, args);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running");
    return new Run(process.exitValue(), Files.readString(out), err);
  }

  private Process start(Map<String, String> environment, Path out, Path command, String... args)
      throws IOException {
    List<String> words = new ArrayList<>(List.of(command.toString()));
    words.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(words).directory(folder.toFile());
    builder.environment().put("HYPERGRAFT_CACHE", folder.resolve("cache").toString());
    builder.environment().put("HYPERGRAFT_BUILD", "never");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    return builder.redirectOutput(out.toFile()).start();
  }
}
