package org.hypergraft.vmm.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Failing cases made small, saved and run again. {@code -Dconformance.replay=FILE} runs a saved
 * one, named by its path or by its name in {@code target/conformance}.
 */
class ReplayTest {
  @ParameterizedTest
  @EnumSource(Tier.class)
  void aSavedCaseAgain(Tier tier) throws IOException {
    String name = System.getProperty("conformance.replay");
    Assumptions.assumeTrue(name != null, "no case is to be replayed (-Dconformance.replay=FILE)");
    Path file = Path.of(name);
    if (!Files.exists(file)) {
      file = HostConformanceTest.REPRODUCERS.resolve(name);
    }
    List<GoldenCases.Golden> cases = Reproducer.load(file);
    assertFalse(cases.isEmpty(), "no case in " + file);
    try (EngineUnderTest engine = tier.open()) {
      for (GoldenCases.Golden g : cases) {
        MachineState got = engine.run(g.test.input);
        String code = String.join("\n", Program.disassemble(g.test.input));
        assertNull(
            Comparison.difference(g.test, g.expected, got, true),
            () -> engine.name() + "\n" + code);
      }
    }
  }

  /** A made-up mistake: RAX is wrong after programs with an ADC that begin with RCX not zero. */
  private static final class Mistaken implements EngineUnderTest {
    private final EngineUnderTest right = Tier.INTERPRETED.open();

    @Override
    public String name() {
      return "mistaken";
    }

    @Override
    public MachineState run(MachineState input) {
      MachineState out = right.run(input);
      boolean wrong = false;
      byte[] code = input.code();
      Insn insn = new Insn();
      for (int at = 0; at < code.length; at += insn.length) {
        Decoder.decode(code, at, code.length, MachineState.CODE_ADDRESS + at, 64, insn);
        wrong |= insn.mnemonic == Mnemonic.ADC && input.gpr(1) != 0;
      }
      if (wrong) {
        out.gpr(0, out.gpr(0) ^ 1L << 63);
      }
      return out;
    }

    @Override
    public void close() {
      right.close();
    }
  }

  /** A run of real programs in which the mistake shows comes down to its one instruction. */
  @Test
  void failuresShrinkToWhatMattersAndAreSaved(@TempDir Path directory) throws IOException {
    List<Form> integer =
        Form.all(Excluded.set()).stream()
            .filter(f -> f.mnemonic == Mnemonic.ADC || f.mnemonic == Mnemonic.ADD)
            .toList();
    List<TestCase> programs = new ProgramGenerator(5, integer).programs(20);
    // here tier 0 is the oracle, so that this runs on every host
    Shrinker.Oracle oracle =
        inputs -> {
          try (EngineUnderTest e = Tier.INTERPRETED.open()) {
            return inputs.stream().map(e::run).toList();
          }
        };
    int shrunk = 0;
    for (TestCase program : programs) {
      var result = new Shrinker(oracle, Mistaken::new, true).shrink(program);
      if (result.isEmpty()) {
        continue;
      }
      shrunk++;
      Shrinker.Shrunk s = result.get();
      List<String> code = Program.disassemble(s.test().input);
      assertEquals(1, code.size(), () -> String.join("\n", code));
      assertTrue(code.get(0).contains("adc"), code.get(0));
      List<GoldenCases.Golden> saved = Reproducer.load(Reproducer.save(directory, "mistaken", s));
      assertEquals(1, saved.size());
      MachineState input = saved.get(0).test.input;
      assertEquals(TestCase.hex(s.test().input.code()), TestCase.hex(input.code()));
      assertEquals(s.test().input.gpr(1), input.gpr(1));
      try (EngineUnderTest mistaken = new Mistaken();
          EngineUnderTest right = Tier.INTERPRETED.open()) {
        MachineState expected = saved.get(0).expected;
        TestCase test = saved.get(0).test;
        assertNull(Comparison.difference(test, expected, right.run(input), true));
        assertEquals(
            s.difference(), Comparison.difference(test, expected, mistaken.run(input), true));
      }
    }
    assertTrue(shrunk > 5, "only " + shrunk + " programs failed");
  }
}
