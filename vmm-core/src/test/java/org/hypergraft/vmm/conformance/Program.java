package org.hypergraft.vmm.conformance;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Formatter;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Symbolizer;

/**
 * The code of a case taken apart, so that it can be put together again with instructions left out.
 */
final class Program {
  /**
   * @param target index of the instruction that a direct branch goes to, or -1
   * @param needs index of another instruction without which this one must not stand, or -1
   */
  private record Unit(byte[] bytes, int immOffset, int immSize, int target, int needs) {}

  private final List<Unit> units;

  private Program(List<Unit> units) {
    this.units = units;
  }

  /** Empty when the code does not decode, or branches into an instruction. */
  static Optional<Program> of(MachineState s, UndefinedFlags undefined) {
    byte[] code = s.code();
    int mode = (int) s.u64(MachineState.MODE);
    List<Integer> starts = new ArrayList<>();
    for (int at = 0; at < code.length; ) {
      starts.add(at);
      int n = decode(code, at, mode).length;
      if (n == 0) {
        return Optional.empty();
      }
      at += n;
    }
    starts.add(code.length);
    List<Unit> units = new ArrayList<>();
    for (int i = 0; i + 1 < starts.size(); i++) {
      int at = starts.get(i);
      Insn insn = decode(code, at, mode);
      int target = -1;
      int needs = -1;
      if (insn.operands > 0 && insn.kind[0] == Insn.REL) {
        target = starts.indexOf((int) (insn.imm - MachineState.CODE_ADDRESS));
        if (target < 0) {
          return Optional.empty();
        }
        if (target <= i) {
          needs = i - 1; // what counts the rounds of the loop
        }
      } else if (undefined.any(insn)) {
        needs = i + 1 < starts.size() - 1 ? i + 1 : -1; // what defines the flags again
      }
      byte[] bytes = Arrays.copyOfRange(code, at, starts.get(i + 1));
      units.add(new Unit(bytes, insn.immOffset, insn.immSize, target, needs));
    }
    return Optional.of(new Program(units));
  }

  private static Insn decode(byte[] code, int at, int mode) {
    Insn insn = new Insn();
    byte[] padded = Arrays.copyOf(code, code.length + 15);
    int n = Decoder.decode(padded, at, padded.length, MachineState.CODE_ADDRESS + at, mode, insn);
    insn.length = Math.min(n, code.length - at);
    return insn;
  }

  int size() {
    return units.size();
  }

  /** Adds to a choice of instructions those that must come along. */
  void complete(boolean[] keep) {
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < keep.length; i++) {
        int needs = units.get(i).needs;
        if (keep[i] && needs >= 0) {
          keep[needs] = true;
        }
      }
    }
  }

  /** The code of some of the instructions; null when a branch does not reach any more. */
  byte[] code(boolean[] keep) {
    int[] start = new int[keep.length + 1];
    for (int i = 0; i < keep.length; i++) {
      start[i + 1] = start[i] + (keep[i] ? units.get(i).bytes.length : 0);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < keep.length; i++) {
      Unit u = units.get(i);
      if (!keep[i]) {
        continue;
      }
      byte[] bytes = u.bytes.clone();
      if (u.target >= 0) {
        int distance = start[u.target] - start[i + 1];
        if (u.immSize == 1 && distance != (byte) distance) {
          return null;
        }
        for (int k = 0; k < u.immSize; k++) {
          bytes[u.immOffset + k] = (byte) (distance >> 8 * k);
        }
      }
      out.writeBytes(bytes);
    }
    return out.toByteArray();
  }

  /** The code of a case in assembly, one instruction per element. */
  static List<String> disassemble(MachineState s) {
    byte[] code = s.code();
    List<String> lines = new ArrayList<>();
    for (int at = 0; at < code.length; ) {
      Insn insn = decode(code, at, (int) s.u64(MachineState.MODE));
      if (insn.length == 0) {
        lines.add("(bad)");
        break;
      }
      lines.add(String.format("%3x: %s", at, Formatter.intel(insn, Symbolizer.NONE)));
      at += insn.length;
    }
    return lines;
  }
}
