package org.hypergraft.vmm.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A failing case as a file: what it is about in comments, then a line as of {@link GoldenCases},
 * with what the host made of it. {@link ReplayTest} runs it again.
 */
final class Reproducer {
  private Reproducer() {}

  /** Writes the file and returns where it is. */
  static Path save(Path directory, String engine, Shrinker.Shrunk s) throws IOException {
    List<String> lines = new ArrayList<>();
    List<String> code = Program.disassemble(s.test().input);
    lines.add("# %s on %s: %s".formatted(s.test().label, engine, s.difference()));
    lines.add("# %d instructions, found in %d attempts:".formatted(code.size(), s.attempts()));
    code.forEach(line -> lines.add("#   " + line));
    Files.createDirectories(directory);
    Path file = directory.resolve(name(engine, s));
    lines.add("# run it again: mvn -pl vmm-core -am test -Dtest=ReplayTest");
    lines.add(
        "#   -Dsurefire.failIfNoSpecifiedTests=false -Dconformance.replay=" + file.getFileName());
    lines.add(GoldenCases.line(s.test(), s.expected()));
    Files.write(file, lines);
    return file;
  }

  private static String name(String engine, Shrinker.Shrunk s) {
    int hash = TestCase.hex(s.test().input.code()).hashCode();
    return "%s-%08x.case".formatted(engine.replace(" ", ""), hash);
  }

  /** The cases of a file, with the results in it. */
  static List<GoldenCases.Golden> load(Path file) throws IOException {
    List<GoldenCases.Golden> cases = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      if (!line.isBlank() && line.charAt(0) != '#') {
        cases.add(GoldenCases.parse(line));
      }
    }
    return cases;
  }
}
