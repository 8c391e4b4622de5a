package org.hypergraft.vmm.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A sample of what {@link HostConformanceTest} compares, with the results of one real processor (an
 * Intel Xeon with AVX2, FMA and BMI2) kept as text: this runs on any host. {@code
 * -Dconformance.record=FILE} writes a new sample from the host at hand.
 */
class GoldenConformanceTest {
  private static final String RESOURCE = "golden-cases.txt";

  /** Lines kept for a mnemonic. */
  private static final int PER_MNEMONIC = 2;

  @ParameterizedTest
  @EnumSource(Tier.class)
  void recordedResults(Tier tier) throws IOException {
    List<String> failures = new ArrayList<>();
    int cases = 0;
    try (EngineUnderTest engine = tier.open();
        BufferedReader lines = resource()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.isEmpty() || line.charAt(0) == '#') {
          continue;
        }
        cases++;
        GoldenCases.Golden golden = GoldenCases.parse(line);
        MachineState got = engine.run(golden.test.input);
        String difference = Comparison.difference(golden.test, golden.expected, got, true);
        if (difference != null) {
          failures.add(difference + " in: " + line);
        }
      }
    }
    assertTrue(cases > 500, "only " + cases + " cases were read");
    assertTrue(
        failures.isEmpty(), () -> failures.size() + " differ:\n" + String.join("\n", failures));
  }

  private static BufferedReader resource() {
    return new BufferedReader(
        new InputStreamReader(
            GoldenConformanceTest.class.getResourceAsStream(RESOURCE), StandardCharsets.UTF_8));
  }

  @Test
  void record() throws IOException {
    String file = System.getProperty("conformance.record");
    Assumptions.assumeTrue(file != null, "nothing is to be recorded");
    try (HostCpu host = HostCpu.open()) {
      Assumptions.assumeTrue(host != null, "the host's processor cannot serve as oracle");
      List<Form> forms = Conformance.offered(host, Form.all(Excluded.set()), 1);
      forms.addAll(Conformance.offered(host, Form.compatibility(Excluded.set()), 1));
      List<TestCase> tests = new CaseGenerator(1).cases(forms, 1);
      List<MachineState> results = host.run(TestCase.inputs(tests));
      Map<String, Integer> kept = new HashMap<>();
      List<String> lines = new ArrayList<>();
      lines.add("# Results of a real processor; see GoldenCases for the format.");
      for (int i = 0; i < tests.size(); i++) {
        String name = tests.get(i).label.split(" ", 2)[0];
        if (tests.get(i).input.compatibility()) {
          name += " 32";
        }
        String line = GoldenCases.format(tests.get(i), results.get(i));
        if (line != null && kept.getOrDefault(name, 0) < PER_MNEMONIC) {
          kept.merge(name, 1, Integer::sum);
          lines.add(line);
        }
      }
      lines.subList(1, lines.size()).sort(null);
      Files.write(Path.of(file), lines, StandardCharsets.UTF_8);
    }
  }
}
