package org.hypergraft.vmm.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.hypergraft.annotator.isa.Insn;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every instruction form that user mode can run, with random operands, against the host processor.
 *
 * <p>{@code -Dconformance.each=N} runs N cases of every form (about 20,000 forms; one by default),
 * {@code -Dconformance.seed=S} other cases than the usual ones.
 */
class HostConformanceTest {
  /** Where failing cases go. */
  static final Path REPRODUCERS = Path.of("target", "conformance");

  /** What a plain run must at least compare. */
  private static final int LEAST_CASES = 5000;

  /** Tier 1 gets one form in so many by default. */
  private static final int COMPILED_SHARE = 4;

  private static final int SHOWN = 5;

  private static HostCpu host;
  private static List<Form> forms;

  @BeforeAll
  static void open() throws IOException {
    host = HostCpu.open();
    Assumptions.assumeTrue(host != null, "the host's processor cannot serve as oracle");
    forms = Conformance.offered(host, Form.all(Excluded.set()), 1);
  }

  @AfterAll
  static void close() throws IOException {
    if (host != null) {
      host.close();
    }
  }

  @ParameterizedTest
  @EnumSource(Tier.class)
  void singleInstructions(Tier tier) throws IOException {
    int each = Integer.getInteger("conformance.each", 1);
    long seed = Long.getLong("conformance.seed", 20260101);
    List<Form> chosen = new ArrayList<>();
    for (int i = 0; i < forms.size(); i++) {
      // compiling takes long: a part of the forms does, unless more than the usual is asked for
      if (tier == Tier.INTERPRETED || each > 1 || i % COMPILED_SHARE == 0) {
        chosen.add(forms.get(i));
      }
    }
    List<TestCase> tests = new CaseGenerator(seed).cases(chosen, each);
    assertTrue(tests.size() >= LEAST_CASES, "only " + tests.size() + " cases were made");
    check(tier, tests, "instruction cases of " + chosen.size() + " forms");
  }

  /** 32-bit code, in compatibility mode: all forms of the legacy maps. */
  @ParameterizedTest
  @EnumSource(Tier.class)
  void compatibilityMode(Tier tier) throws IOException {
    int each = Integer.getInteger("conformance.each", 1);
    long seed = Long.getLong("conformance.seed", 20260103);
    List<Form> narrow = Conformance.offered(host, Form.compatibility(Excluded.set()), 1);
    List<TestCase> tests = new CaseGenerator(seed).cases(narrow, each);
    check(tier, tests, "32-bit instruction cases of " + narrow.size() + " forms");
  }

  /** Instructions with memory operands under CR0.AM and EFLAGS.AC, mostly not aligned. */
  @ParameterizedTest
  @EnumSource(Tier.class)
  void alignmentChecks(Tier tier) throws IOException {
    int each = Integer.getInteger("conformance.each", 1);
    long seed = Long.getLong("conformance.seed", 20260104);
    List<Form> chosen = new ArrayList<>();
    for (int i = 0; i < forms.size(); i++) {
      boolean memory = forms.get(i).key.contains(" " + Insn.MEM + ":");
      if (memory && (each > 1 || i % COMPILED_SHARE == 0)) {
        chosen.add(forms.get(i));
      }
    }
    List<TestCase> tests = new CaseGenerator(seed, true).cases(chosen, each);
    check(tier, tests, "alignment cases of " + chosen.size() + " forms");
  }

  @ParameterizedTest
  @EnumSource(Tier.class)
  void randomPrograms(Tier tier) throws IOException {
    int programs = 1000 * Integer.getInteger("conformance.each", 1);
    long seed = Long.getLong("conformance.seed", 20260102);
    check(tier, new ProgramGenerator(seed, forms).programs(programs), "programs");
  }

  /** Saves the smallest forms of the first failures, one for each kind of case. */
  private static void shrink(Tier tier, Conformance run) throws IOException {
    Shrinker shrinker = new Shrinker(host::run, tier::open, host.has("avx"));
    Set<String> labels = new HashSet<>();
    for (TestCase test : run.failed) {
      boolean single = !test.label.equals("program");
      if (labels.size() == SHOWN || single && !labels.add(test.label.split(" ", 2)[0])) {
        continue;
      }
      Optional<Shrinker.Shrunk> s = shrinker.shrink(test);
      if (s.isEmpty()) {
        System.out.println("does not fail by itself: " + test.label);
        continue;
      }
      Path file = Reproducer.save(REPRODUCERS, tier.name(), s.get());
      labels.add(file.getFileName().toString());
      System.out.println(Files.readString(file).lines().filter(l -> l.startsWith("#")).toList());
      System.out.println("saved as " + file.toAbsolutePath());
    }
  }

  @ParameterizedTest
  @EnumSource(Tier.class)
  void randomPrograms32(Tier tier) throws IOException {
    int programs = 500 * Integer.getInteger("conformance.each", 1);
    long seed = Long.getLong("conformance.seed", 20260105);
    List<Form> narrow = Conformance.offered(host, Form.compatibility(Excluded.set()), 1);
    check(tier, new ProgramGenerator(seed, narrow).programs(programs), "32-bit programs");
  }

  private static void check(Tier tier, List<TestCase> tests, String what) throws IOException {
    try (EngineUnderTest engine = tier.open()) {
      Conformance run = new Conformance(host, engine);
      run.run(tests);
      System.out.printf(
          "%s: %d %s, %d of them with an exception, %d differ from the host%n",
          engine.name(), run.cases, what, run.faults, run.failures.size());
      if (!run.failures.isEmpty()) {
        Files.createDirectories(REPRODUCERS);
        Path all = REPRODUCERS.resolve(tier + "-" + what.split(" ", 2)[0] + ".txt");
        Files.write(all, run.failures);
        System.out.println("all failures are in " + all.toAbsolutePath());
        shrink(tier, run);
      }
      assertTrue(
          run.failures.isEmpty(),
          () ->
              run.failures.size()
                  + " differences, by instruction "
                  + run.byName
                  + "\n"
                  + String.join(
                      "\n\n", run.failures.subList(0, Math.min(SHOWN, run.failures.size()))));
    }
  }
}
