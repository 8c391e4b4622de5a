package org.hypergraft.vmm.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * FXSAVE, XSAVE, FNSAVE and their kin against the host processor, with the whole area in the memory
 * window. The last instruction and operand of the x87 unit are left out: processors differ in when
 * they record them.
 */
class SavedStateConformanceTest {
  private static final int ROUNDS = 60;
  private static final int XSTATE = 512;

  /** Opcode, operand size or last-operand fields of the legacy area; MXCSR_MASK; unused bytes. */
  private static final int[] LEGACY_NOISE = {6, 24, 28, 32, 416, 512};

  private static final int[] ENVIRONMENT_NOISE = {12, 28};

  private final Random random = new Random(7);

  @ParameterizedTest
  @EnumSource(Tier.class)
  void savedAreas(Tier tier) throws IOException {
    try (HostCpu host = HostCpu.open()) {
      Assumptions.assumeTrue(host != null, "the host's processor cannot serve as oracle");
      List<TestCase> tests = new ArrayList<>();
      for (int i = 0; i < ROUNDS; i++) {
        for (int wide = 0; wide < 2; wide++) {
          tests.add(legacy("fxsave", wide, 0x0fae, 0));
          tests.add(legacy("fxrstor", wide, 0x0fae, 1));
          tests.add(extended("xsave", wide, 0x0fae, 4));
          tests.add(extended("xrstor", wide, 0x0fae, 5));
          if (host.has("xsaveopt")) {
            tests.add(extended("xsaveopt", wide, 0x0fae, 6));
          }
          if (host.has("xsavec")) {
            tests.add(extended("xsavec", wide, 0x0fc7, 4));
          }
        }
        tests.add(environment("fnstenv", 0xd9, 6));
        tests.add(environment("fldenv", 0xd9, 4));
        tests.add(environment("fnsave", 0xdd, 6));
        tests.add(environment("frstor", 0xdd, 4));
      }
      try (EngineUnderTest engine = tier.open()) {
        Conformance run = new Conformance(host, engine);
        run.run(tests);
        assertTrue(run.faults > 0, "no case was refused");
        assertTrue(
            run.failures.isEmpty(),
            () -> run.byName + "\n" + String.join("\n\n", run.failures.subList(0, 1)));
      }
    }
  }

  private TestCase legacy(String name, int wide, int opcode, int reg) {
    MachineState s = state();
    area(s);
    if (random.nextInt(10) == 0) {
      s.put32(MachineState.WINDOW + 24, random.nextInt()); // MXCSR with reserved bits: #GP
    }
    return finish(name, s, wide, opcode, reg, random.nextInt(10) == 0 ? 8 : 0);
  }

  private TestCase extended(String name, int wide, int opcode, int reg) {
    MachineState s = state();
    area(s);
    int at = MachineState.WINDOW + XSTATE;
    for (int i = 0; i < 64; i += 8) {
      s.put64(at + i, 0);
    }
    long present = random.nextInt(8);
    s.put64(at, present);
    if (random.nextInt(3) == 0) {
      // compacted: a layout that contains what is present, now and then not
      long layout = random.nextInt(8) == 0 ? random.nextInt(8) : present | random.nextInt(8);
      s.put64(at + 8, 1L << 63 | layout);
    }
    if (random.nextInt(12) == 0) {
      // a header bit that must be zero, whatever components the host has
      s.put64(at + 8 * random.nextInt(8), 1L << 20 + random.nextInt(40));
    }
    s.gpr(0, random.nextInt(8));
    s.gpr(2, 0);
    return finish(name, s, wide, opcode, reg, random.nextInt(12) == 0 ? 16 : 0);
  }

  private MachineState state() {
    return StateGenerator.state(random.nextInt() & 0xffffffffL, StateGenerator.Style.BITS);
  }

  /** Fills the window with an area that another state would leave. */
  private void area(MachineState s) {
    MachineState other = state();
    System.arraycopy(
        other.bytes, MachineState.XSAVE, s.bytes, MachineState.WINDOW, MachineState.XSAVE_SIZE);
  }

  private TestCase finish(String name, MachineState s, int wide, int opcode, int reg, int offset) {
    s.gpr(3, MachineState.WINDOW_ADDRESS + offset);
    int modrm = reg << 3 | 3; // [rbx]
    byte[] code =
        wide == 0
            ? new byte[] {(byte) (opcode >> 8), (byte) opcode, (byte) modrm}
            : new byte[] {0x48, (byte) (opcode >> 8), (byte) opcode, (byte) modrm};
    s.code(code);
    TestCase test =
        new TestCase(name, s, 0, TestCase.Tolerance.EXACT, 0, StateGenerator.Style.BITS);
    test.ignored = LEGACY_NOISE;
    return test;
  }

  private TestCase environment(String name, int opcode, int reg) {
    MachineState s = state();
    int at = MachineState.WINDOW;
    MachineState other = state();
    boolean narrow = random.nextInt(3) == 0;
    int step = narrow ? 2 : 4;
    s.put16(at, other.u16(MachineState.FCW));
    s.put16(at + step, other.u16(MachineState.FSW));
    s.put16(at + 2 * step, random.nextInt(0x10000));
    s.gpr(3, MachineState.WINDOW_ADDRESS);
    byte modrm = (byte) (reg << 3 | 3);
    s.code(narrow ? new byte[] {0x66, (byte) opcode, modrm} : new byte[] {(byte) opcode, modrm});
    TestCase test =
        new TestCase(name, s, 0, TestCase.Tolerance.EXACT, 0, StateGenerator.Style.BITS);
    test.ignored = narrow ? new int[] {6, 14} : ENVIRONMENT_NOISE;
    return test;
  }
}
