package org.hypergraft.vmm.conformance;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.mmu.GuestFault;

/** Runs cases on the host and on an engine, and collects the differences. */
final class Conformance {
  /** Cases per host process. */
  private static final int BATCH = 2000;

  final List<String> failures = new ArrayList<>();

  /** The cases of {@link #failures}. */
  final List<TestCase> failed = new ArrayList<>();

  /** Failures by the first word of the label. */
  final Map<String, Integer> byName = new TreeMap<>();

  int cases;
  int faults;
  private final HostCpu host;
  private final EngineUnderTest engine;

  Conformance(HostCpu host, EngineUnderTest engine) {
    this.host = host;
    this.engine = engine;
  }

  /** Compares all cases. */
  void run(List<TestCase> tests) throws IOException {
    for (int from = 0; from < tests.size(); from += BATCH) {
      List<TestCase> batch = tests.subList(from, Math.min(from + BATCH, tests.size()));
      List<MachineState> expected = host.run(TestCase.inputs(batch));
      for (int i = 0; i < batch.size(); i++) {
        compare(batch.get(i), expected.get(i));
      }
    }
  }

  private void compare(TestCase test, MachineState expected) {
    cases++;
    if (expected.u64(MachineState.VECTOR) != MachineState.NO_EXCEPTION) {
      faults++;
    }
    MachineState got;
    String difference;
    try {
      got = engine.run(test.input);
      difference = Comparison.difference(test, expected, got, host.has("avx"));
    } catch (RuntimeException | LinkageError | AssertionError e) {
      got = null;
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      difference = "threw " + trace;
    }
    if (difference != null) {
      String name = test.label.split(" ", 2)[0];
      byName.merge(name, 1, Integer::sum);
      failed.add(test);
      failures.add(report(test, difference, expected, got));
    }
  }

  private String report(TestCase test, String difference, MachineState expected, MachineState got) {
    return String.format(
        "%s on %s: %s%n code  %s%n input %s%n expected %s%n got %s%n to keep it as a golden case: %s",
        test.label,
        engine.name(),
        difference,
        TestCase.hex(test.input.code()),
        Comparison.describe(test.input),
        outcome(test.input, expected),
        got == null ? "-" : outcome(test.input, got),
        GoldenCases.line(test, expected));
  }

  private static String outcome(MachineState input, MachineState s) {
    long vector = s.u64(MachineState.VECTOR);
    String end =
        vector == MachineState.NO_EXCEPTION
            ? "finished"
            : String.format(
                "exception %d error %x cr2 %x rip+%x",
                vector,
                s.u64(MachineState.ERROR_CODE),
                s.u64(MachineState.CR2),
                s.u64(MachineState.RIP) - MachineState.CODE_ADDRESS);
    return end + Comparison.changes(input, s);
  }

  /**
   * Forms of instructions that the host itself offers: those of which at least one try was not an
   * undefined opcode.
   */
  static List<Form> offered(HostCpu host, List<Form> forms, long seed) throws IOException {
    CaseGenerator generator = new CaseGenerator(seed);
    List<Form> tried = new ArrayList<>();
    List<TestCase> tests = new ArrayList<>();
    for (Form form : forms) {
      for (TestCase t : generator.cases(List.of(form), 2)) {
        tried.add(form);
        tests.add(t);
      }
    }
    Set<Mnemonic> known = EnumSet.noneOf(Mnemonic.class);
    List<MachineState> results = host.run(TestCase.inputs(tests));
    for (int i = 0; i < results.size(); i++) {
      if (results.get(i).u64(MachineState.VECTOR) != GuestFault.UD) {
        known.add(tried.get(i).mnemonic);
      }
    }
    List<Form> kept = new ArrayList<>();
    for (Form form : forms) {
      if (known.contains(form.mnemonic)) {
        kept.add(form);
      }
    }
    return kept;
  }
}
