package org.hypergraft.vmm.conformance;

import java.util.List;
import org.hypergraft.annotator.isa.Insn;

/** Some instructions, the state to run them in, and what of the result is architecture. */
final class TestCase {
  /** What the case is about, for messages: instruction text or "program". */
  final String label;

  final MachineState input;

  /** EFLAGS bits that the manuals leave undefined afterwards. */
  final int undefinedFlags;

  /** Results agree when they are this close, in units in the last place; 0 = equal. */
  final Tolerance tolerance;

  /** Bytes of the memory window that need not agree, as pairs of offset and end. */
  int[] ignored = {};

  /** What {@link StateGenerator} made the input from, before it was adjusted. */
  final long seed;

  /** Null when the input is told from the initial state instead. */
  final StateGenerator.Style style;

  TestCase(
      String label,
      MachineState input,
      int undefinedFlags,
      Tolerance tolerance,
      long seed,
      StateGenerator.Style style) {
    this.label = label;
    this.seed = seed;
    this.style = style;
    this.input = input;
    this.undefinedFlags = undefinedFlags;
    this.tolerance = tolerance;
  }

  /** The same case with another input, not made by the generator. */
  TestCase with(MachineState other) {
    TestCase t = new TestCase(label, other, undefinedFlags, tolerance, 0, null);
    t.ignored = ignored;
    return t;
  }

  /** The state that the input is told from. */
  static MachineState base(long seed, StateGenerator.Style style) {
    return style == null ? new MachineState() : StateGenerator.state(seed, style);
  }

  /** Where processors may differ in a result's last bits. */
  enum Tolerance {
    EXACT,

    /** RCPPS, RSQRTPS: relative error below 1.5 * 2^-12 on both sides (Intel SDM vol. 2). */
    RECIPROCAL,

    /** DPPS, DPPD: which of several NaNs comes out is not specified. */
    ANY_NAN,

    /** x87 transcendentals: at most one unit in the last place of 64 bits, on both sides. */
    TRANSCENDENTAL;

    static Tolerance of(Insn insn) {
      switch (insn.mnemonic) {
        case RCPPS:
        case RCPSS:
        case RSQRTPS:
        case RSQRTSS:
        case VRCPPS:
        case VRCPSS:
        case VRSQRTPS:
        case VRSQRTSS:
          return RECIPROCAL;
        case DPPD:
        case DPPS:
        case VDPPD:
        case VDPPS:
          return ANY_NAN;
        case F2XM1:
        case FCOS:
        case FPATAN:
        case FPTAN:
        case FSIN:
        case FSINCOS:
        case FYL2X:
        case FYL2XP1:
          return TRANSCENDENTAL;
        default:
          return EXACT;
      }
    }
  }

  static String hex(byte[] bytes) {
    StringBuilder s = new StringBuilder(2 * bytes.length);
    for (byte b : bytes) {
      s.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
    }
    return s.toString();
  }

  static List<MachineState> inputs(List<TestCase> cases) {
    return cases.stream().map(c -> c.input).toList();
  }
}
