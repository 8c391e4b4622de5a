package org.hypergraft.vmm.conformance;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Makes a case that fails as small as it can be while it fails: first leaves out instructions, then
 * sets registers and memory to their initial values, both by halves, quarters and so on (A. Zeller,
 * R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002). Every attempt runs on
 * the oracle and on a fresh engine.
 */
final class Shrinker {
  /** What the results are compared with. */
  @FunctionalInterface
  interface Oracle {
    List<MachineState> run(List<MachineState> inputs) throws IOException;
  }

  /**
   * A case that fails by itself.
   *
   * @param expected what the oracle makes of it
   * @param difference what the engine does differently
   * @param attempts cases tried on the way
   */
  record Shrunk(TestCase test, MachineState expected, String difference, int attempts) {}

  private static final int RBP = 5;
  private static final int R10 = 10;

  private final Oracle oracle;
  private final Supplier<EngineUnderTest> engines;
  private final boolean avx;
  private final UndefinedFlags undefined = UndefinedFlags.load();
  private int attempts;
  private Shrunk best;

  Shrinker(Oracle oracle, Supplier<EngineUnderTest> engines, boolean avx) {
    this.oracle = oracle;
    this.engines = engines;
    this.avx = avx;
  }

  /** Empty if the case does not fail on a fresh engine: then it depends on what ran before. */
  Optional<Shrunk> shrink(TestCase test) throws IOException {
    attempts = 0;
    best = null;
    if (!firstFailing(List.of(test))) {
      return Optional.empty();
    }
    for (int before = 0; before != weight(); ) {
      before = weight();
      leaveOutInstructions();
      simplifyState();
    }
    return Optional.of(new Shrunk(best.test, best.expected, best.difference, attempts));
  }

  private int weight() {
    return best.test.input.code().length + places(best.test.input).size();
  }

  private void leaveOutInstructions() throws IOException {
    Optional<Program> parsed = Program.of(best.test.input, undefined);
    if (parsed.isEmpty()) {
      return;
    }
    Program program = parsed.get();
    MachineState state = best.test.input;
    reduce(
        program.size(),
        keep -> {
          program.complete(keep);
          byte[] code = program.code(keep);
          if (code == null || code.length == 0) {
            return null;
          }
          MachineState s = state.copy();
          Arrays.fill(
              s.bytes, MachineState.CODE, MachineState.CODE + MachineState.CODE_CAPACITY, (byte) 0);
          s.code(code);
          return s;
        });
  }

  private void simplifyState() throws IOException {
    MachineState state = best.test.input;
    List<Integer> places = places(state);
    MachineState initial = initial();
    reduce(
        places.size(),
        keep -> {
          MachineState s = state.copy();
          for (int i = 0; i < keep.length; i++) {
            if (!keep[i]) {
              s.put64(places.get(i), initial.u64(places.get(i)));
            }
          }
          return s;
        });
  }

  /** Everything zero; one round for loops counted in R10 or EBP. */
  private static MachineState initial() {
    MachineState s = new MachineState();
    s.gpr(R10, 1);
    s.gpr(RBP, 1);
    return s;
  }

  /** Offsets of the words that are not what they are in {@link #initial}. */
  private static List<Integer> places(MachineState s) {
    MachineState initial = initial();
    List<Integer> places = new ArrayList<>();
    for (int at = 0; at < MachineState.SIZE; at += 8) {
      boolean state = at <= MachineState.RFLAGS || at >= MachineState.XSAVE;
      if (state && s.u64(at) != initial.u64(at)) {
        places.add(at);
      }
    }
    return places;
  }

  /**
   * Finds a small set of {@code n} parts with which a case still fails.
   *
   * @param make the input with only the chosen parts, or null
   */
  private void reduce(int n, Function<boolean[], MachineState> make) throws IOException {
    boolean[] all = new boolean[n];
    Arrays.fill(all, true);
    for (int chunk = Math.max(1, n / 2); n > 0 && chunk > 0; ) {
      List<TestCase> candidates = new ArrayList<>();
      List<boolean[]> choices = new ArrayList<>();
      for (int from = 0; from < n; from += chunk) {
        boolean[] keep = all.clone();
        Arrays.fill(keep, from, Math.min(n, from + chunk), false);
        MachineState s = Arrays.equals(keep, all) ? null : make.apply(keep);
        if (s != null && !Arrays.equals(keep, all)) {
          candidates.add(best.test.with(s));
          choices.add(keep);
        }
      }
      TestCase was = best.test;
      if (firstFailing(candidates)) {
        int chosen = 0;
        while (candidates.get(chosen) != best.test) {
          chosen++;
        }
        all = choices.get(chosen);
      }
      if (best.test == was) {
        chunk /= 2;
      }
    }
  }

  /** Makes the first of some cases that fails the best one. */
  private boolean firstFailing(List<TestCase> tests) throws IOException {
    if (tests.isEmpty()) {
      return false;
    }
    List<MachineState> expected = oracle.run(TestCase.inputs(tests));
    for (int i = 0; i < tests.size(); i++) {
      attempts++;
      String difference = difference(tests.get(i), expected.get(i));
      if (difference != null) {
        best = new Shrunk(tests.get(i), expected.get(i), difference, attempts);
        return true;
      }
    }
    return false;
  }

  private String difference(TestCase test, MachineState expected) {
    try (EngineUnderTest engine = engines.get()) {
      return Comparison.difference(test, expected, engine.run(test.input), avx);
    } catch (RuntimeException | LinkageError | AssertionError e) {
      return "threw " + e;
    }
  }
}
