package org.hypergraft.vmm.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Cases with results that a real processor gave, as text, one per line:
 *
 * <pre>LABEL CODE SEED STYLE UNDEFINED-FLAGS TOLERANCE in OFFSET=VALUE... out OFFSET=VALUE...</pre>
 *
 * <p>The input is the state that {@link StateGenerator} makes of seed and style (or, with style
 * INITIAL, the one that {@link MachineState} begins with), with the 64-bit words at the byte
 * offsets of "in" replaced; the result is the input with those of "out" replaced. Numbers are
 * hexadecimal.
 */
final class GoldenCases {
  /** Longest difference that is worth a line. */
  private static final int MOST_WORDS = 16;

  /** Style of a case whose input is told from the initial state. */
  private static final String INITIAL = "INITIAL";

  private GoldenCases() {}

  /** A case and the state it ended in. */
  static final class Golden {
    final TestCase test;
    final MachineState expected;

    Golden(TestCase test, MachineState expected) {
      this.test = test;
      this.expected = expected;
    }
  }

  static Golden parse(String line) {
    String[] words = line.split(" ");
    long seed = Long.parseLong(words[2], 16);
    StateGenerator.Style style =
        words[3].equals(INITIAL) ? null : StateGenerator.Style.valueOf(words[3]);
    MachineState input = TestCase.base(seed, style);
    input.code(unhex(words[1]));
    int at = 7;
    for (; !words[at].equals("out"); at++) {
      replace(input, words[at]);
    }
    MachineState expected = input.copy();
    for (at++; at < words.length; at++) {
      replace(expected, words[at]);
    }
    TestCase test =
        new TestCase(
            words[0],
            input,
            Integer.parseInt(words[4], 16),
            TestCase.Tolerance.valueOf(words[5]),
            seed,
            style);
    return new Golden(test, expected);
  }

  private static void replace(MachineState s, String word) {
    int equals = word.indexOf('=');
    s.put64(
        Integer.parseInt(word.substring(0, equals), 16),
        Long.parseUnsignedLong(word.substring(equals + 1), 16));
  }

  private static byte[] unhex(String s) {
    byte[] b = new byte[s.length() / 2];
    for (int i = 0; i < b.length; i++) {
      b[i] = (byte) Integer.parseInt(s.substring(2 * i, 2 * i + 2), 16);
    }
    return b;
  }

  /** The line for a case, or null when it would differ in too many words to be kept. */
  static String format(TestCase test, MachineState result) {
    return format(test, result, MOST_WORDS);
  }

  /** The line for a case of any length. */
  static String line(TestCase test, MachineState result) {
    return format(test, result, Integer.MAX_VALUE);
  }

  private static String format(TestCase test, MachineState result, int most) {
    MachineState base = TestCase.base(test.seed, test.style);
    base.code(test.input.code());
    List<String> in = words(base, test.input, true);
    List<String> out = words(test.input, result, false);
    if (in.size() + out.size() > most) {
      return null;
    }
    List<String> line = new ArrayList<>();
    line.add(test.label.split(" ", 2)[0]);
    line.add(TestCase.hex(test.input.code()));
    line.add(Long.toHexString(test.seed));
    line.add(test.style == null ? INITIAL : test.style.name());
    line.add(Integer.toHexString(test.undefinedFlags));
    line.add(test.tolerance.name());
    line.add("in");
    line.addAll(in);
    line.add("out");
    line.addAll(out);
    return line.stream().collect(Collectors.joining(" "));
  }

  private static List<String> words(MachineState from, MachineState to, boolean input) {
    List<String> list = new ArrayList<>();
    for (int at = 0; at < MachineState.SIZE; at += 8) {
      boolean code =
          at >= MachineState.CODE_LENGTH && at < MachineState.XSAVE && at != MachineState.MODE;
      // fields nobody compares: last x87 instruction and operand, reserved parts of the area
      boolean noise =
          at == MachineState.XSAVE + 8
              || at == MachineState.XSAVE + 16
              || at >= MachineState.XMM + 256 && at < MachineState.YMM_HIGH;
      long was = from.u64(at);
      long is = to.u64(at);
      if (at == MachineState.MXCSR) {
        is = is & 0xffffffffL | was & 0xffffffff00000000L;
      } else if (at == MachineState.FCW) {
        is = is & 0xffffffffffL | was & ~0xffffffffffL; // without the last opcode
      }
      if (was != is && !code && (input || !noise)) {
        list.add(Integer.toHexString(at) + "=" + Long.toHexString(is));
      }
    }
    return list;
  }
}
