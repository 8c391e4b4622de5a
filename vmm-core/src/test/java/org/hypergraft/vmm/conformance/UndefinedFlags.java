package org.hypergraft.vmm.conformance;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.hypergraft.annotator.isa.Insn;

/** Which status flags the manuals leave undefined, from {@code undefined-flags.txt}. */
final class UndefinedFlags {
  private static final Map<String, Integer> BITS =
      Map.of("CF", 1, "PF", 4, "AF", 0x10, "ZF", 0x40, "SF", 0x80, "OF", 0x800);

  /** Mnemonic to flags that are always undefined, and to those only for a count above one. */
  private final Map<String, Integer> always = new HashMap<>();

  private final Map<String, Integer> counted = new HashMap<>();

  static UndefinedFlags load() {
    UndefinedFlags u = new UndefinedFlags();
    try (BufferedReader r =
        new BufferedReader(
            new InputStreamReader(
                UndefinedFlags.class.getResourceAsStream("undefined-flags.txt"),
                StandardCharsets.UTF_8))) {
      for (String line = r.readLine(); line != null; line = r.readLine()) {
        if (!line.isBlank() && line.charAt(0) != '#') {
          u.add(line.trim().split("\\s+"));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return u;
  }

  private void add(String[] words) {
    for (int i = 1; i < words.length; i++) {
      boolean byCount = words[i].endsWith(">1");
      String flag = byCount ? words[i].substring(0, words[i].length() - 2) : words[i];
      (byCount ? counted : always).merge(words[0], BITS.get(flag), (a, b) -> a | b);
    }
  }

  int mask(Insn insn, MachineState s) {
    String name = insn.mnemonic.name();
    int mask = always.getOrDefault(name, 0);
    if (counted.containsKey(name) && count(insn, s) > 1) {
      mask |= counted.get(name);
    }
    return mask;
  }

  /** Whether some operands of this instruction leave flags undefined. */
  boolean any(Insn insn) {
    String name = insn.mnemonic.name();
    return always.containsKey(name) || counted.containsKey(name);
  }

  /** Shift count after masking; the last operand is an immediate, one, or CL. */
  private static int count(Insn insn, MachineState s) {
    int last = insn.operands - 1;
    long raw = insn.kind[last] == Insn.IMM ? insn.imm : s.gpr(1);
    return (int) raw & (insn.opSize == 8 ? 63 : 31);
  }
}
