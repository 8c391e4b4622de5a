package org.hypergraft.vmm.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Flags;

/**
 * Makes cases of single instructions: a random encoding of a form, a random state, and registers
 * adjusted so that memory operands mostly fall into the memory window.
 */
final class CaseGenerator {
  /** Middle of the window: memory operands start within 96 bytes of it. */
  private static final long CENTRE = MachineState.WINDOW_ADDRESS + MachineState.WINDOW_SIZE / 2;

  private final Random random;
  private final UndefinedFlags undefined = UndefinedFlags.load();
  private final Insn insn = new Insn();

  /** Whether alignment is checked, and mostly wrong. */
  private final boolean aligned;

  CaseGenerator(long seed) {
    this(seed, false);
  }

  /**
   * @param aligned sets EFLAGS.AC and scatters memory operands
   */
  CaseGenerator(long seed, boolean aligned) {
    random = new Random(seed);
    this.aligned = aligned;
  }

  /** {@code each} cases of every form. */
  List<TestCase> cases(List<Form> forms, int each) {
    List<TestCase> list = new ArrayList<>();
    for (Form form : forms) {
      for (int i = 0; i < each; i++) {
        TestCase test = next(form);
        if (test != null) {
          list.add(test);
        }
      }
    }
    return list;
  }

  private TestCase next(Form form) {
    byte[] code = form.encode(random, insn);
    boolean maskedMove = insn.mnemonic.name().contains("MASKMOV") && insn.addrSize == 2;
    if (code == null || maskedMove) {
      return null; // with 16-bit addresses a masked move faults, at an address of its choice
    }
    long seed = random.nextInt() & 0xffffffffL;
    StateGenerator.Style style = style(insn);
    MachineState s = StateGenerator.state(seed, style);
    s.put64(MachineState.MODE, form.mode);
    s.gpr(4, CENTRE - 64 + 8 * random.nextInt(16));
    branchTargets(code);
    if (insn.hasMemory()) {
      placeOperand(code, s);
    }
    implicitOperands(s, code);
    if (aligned) {
      s.put64(MachineState.RFLAGS, s.u64(MachineState.RFLAGS) | Flags.AC);
      s.gpr(4, s.gpr(4) + random.nextInt(3) * random.nextInt(5));
    }
    if (form.mode == 32) {
      for (int i = 0; i < 16; i++) {
        s.gpr(i, i < 8 ? s.gpr(i) & 0xffffffffL : 0);
      }
    }
    s.code(code);
    return new TestCase(
        insn.mnemonic + " [" + form.key + "]",
        s,
        undefined.mask(insn, s),
        TestCase.Tolerance.of(insn),
        seed,
        style);
  }

  private StateGenerator.Style style(Insn in) {
    StateGenerator.Style[] all = StateGenerator.Style.values();
    if (random.nextInt(8) == 0) {
      return all[random.nextInt(all.length)];
    }
    String name = in.mnemonic.name();
    if (name.startsWith("F") || name.startsWith("VF") && name.charAt(1) != 'M') {
      if (in.hasMemory()) {
        return in.size[0] == 8
            ? StateGenerator.Style.DOUBLES
            : in.size[0] == 4 ? StateGenerator.Style.SINGLES : StateGenerator.Style.EXTENDED;
      }
      return StateGenerator.Style.EXTENDED;
    }
    if (name.contains("PH2PS")) {
      return StateGenerator.Style.HALVES;
    }
    if (name.endsWith("PS")
        || name.endsWith("SS")
        || name.contains("PS2")
        || name.contains("SS2")) {
      return StateGenerator.Style.SINGLES;
    }
    if (name.endsWith("PD")
        || name.endsWith("SD")
        || name.contains("PD2")
        || name.contains("SD2")) {
      return StateGenerator.Style.DOUBLES;
    }
    return random.nextBoolean() ? StateGenerator.Style.INTEGERS : StateGenerator.Style.BITS;
  }

  /** Direct branches go to the next instruction, where the case ends either way. */
  private void branchTargets(byte[] code) {
    for (int i = 0; i < insn.operands; i++) {
      if (insn.kind[i] == Insn.REL) {
        for (int k = 0; k < insn.immSize; k++) {
          code[insn.immOffset + k] = 0;
        }
      }
    }
  }

  private long target() {
    long at = CENTRE - 96 + random.nextInt(192);
    if (aligned) {
      return at & -(1 << random.nextInt(6));
    }
    int align = random.nextInt(10);
    return align == 0 ? at : at & -32;
  }

  /** Chooses registers, or rewrites the displacement, so that the operand is in the window. */
  private void placeOperand(byte[] code, MachineState s) {
    if (random.nextInt(40) == 0 || insn.addrSize == 2) {
      return; // wherever it falls: mostly a fault
    }
    long segment =
        insn.segment == 4 ? MachineState.FS_BASE : insn.segment == 5 ? MachineState.GS_BASE : 0;
    long want = target() - segment;
    if (vsib()) {
      placeGather(code, s, want);
      return;
    }
    boolean base = insn.base >= 0 && insn.base != Insn.RIP;
    if (insn.base == Insn.RIP) {
      setDisplacement(code, want - MachineState.CODE_ADDRESS - code.length);
      return;
    }
    if (!base && insn.index < 0) {
      if (insn.dispSize == 8) {
        setDisplacement(code, want);
      } else {
        setDisplacement(code, want);
      }
      return;
    }
    if (base && insn.index >= 0 && insn.base != insn.index) {
      if (random.nextBoolean()) {
        s.gpr(insn.index, random.nextInt(64) - 32);
      }
      s.gpr(insn.base, want - insn.disp - s.gpr(insn.index) * insn.scale);
    } else if (base && insn.index < 0) {
      s.gpr(insn.base, want - insn.disp);
    } else {
      // index alone, or the same register twice: the displacement gives what is left
      int factor = insn.scale + (base ? 1 : 0);
      int register = insn.index;
      if (insn.dispSize == 4) {
        s.gpr(register, random.nextInt(64) - 32);
        setDisplacement(code, want - s.gpr(register) * factor);
      } else {
        s.gpr(register, (want - insn.disp) / factor);
      }
    }
    if (insn.addrSize == 4 && random.nextBoolean()) {
      // the upper half of an address register does not count
      int register = base ? insn.base : insn.index;
      if (register != 4) {
        s.gpr(register, s.gpr(register) & 0xffffffffL | random.nextLong() << 32);
      }
    }
  }

  private boolean vsib() {
    return insn.mnemonic.name().contains("GATHER");
  }

  private void placeGather(byte[] code, MachineState s, long want) {
    for (int lane = 0; lane < 4; lane++) {
      boolean dwords =
          insn.mnemonic.name().startsWith("VPGATHERD")
              || insn.mnemonic.name().startsWith("VGATHERD");
      long v = random.nextInt(16) - 8;
      s.ymm(insn.index, lane, dwords ? v & 0xffffffffL | (long) (random.nextInt(16) - 8) << 32 : v);
    }
    if (insn.base >= 0) {
      s.gpr(insn.base, want - insn.disp);
    } else {
      setDisplacement(code, want);
    }
  }

  private void setDisplacement(byte[] code, long v) {
    for (int i = 0; i < insn.dispSize; i++) {
      code[insn.dispOffset + i] = (byte) (v >> 8 * i);
    }
  }

  /** A length of a string compare: short in 32 bits, and mostly in 64. */
  private long length() {
    return random.nextInt(40) - 20 + (random.nextInt(4) == 0 ? random.nextLong() << 32 : 0);
  }

  private void implicitOperands(MachineState s, byte[] code) {
    int stack = (int) (s.gpr(4) - MachineState.WINDOW_ADDRESS) + MachineState.WINDOW;
    boolean stackInWindow = stack >= MachineState.WINDOW && stack < MachineState.SIZE - 16;
    switch (insn.mnemonic) {
      case MOVS:
      case CMPS:
      case STOS:
      case LODS:
      case SCAS:
        s.gpr(6, CENTRE - 64 + random.nextInt(128));
        s.gpr(7, CENTRE - 64 + random.nextInt(128));
        s.gpr(1, random.nextInt(12));
        if (random.nextBoolean()) {
          s.put64(MachineState.RFLAGS, s.u64(MachineState.RFLAGS) | 0x400);
        }
        if (random.nextBoolean()) {
          // runs of equal elements, so that repeated compares go on
          java.util.Arrays.fill(s.bytes, MachineState.WINDOW, MachineState.SIZE, (byte) s.gpr(0));
        }
        break;
      case MASKMOVDQU:
      case MASKMOVQ:
      case VMASKMOVDQU:
        s.gpr(7, target());
        break;
      case XLAT:
        s.gpr(3, CENTRE - (s.gpr(0) & 0xff));
        break;
      case LEAVE:
      case ENTER:
        s.gpr(5, CENTRE - 64 + 8 * random.nextInt(16));
        if (insn.mnemonic == Mnemonic.ENTER) {
          code[insn.immOffset] &= 0x3f;
          code[insn.immOffset + 1] = 0;
        }
        break;
      case RET:
        if (stackInWindow && random.nextInt(4) != 0) {
          s.put64(stack, MachineState.CODE_ADDRESS + code.length);
        }
        break;
      case CALL:
      case JMP:
        if (insn.kind[0] == Insn.GPR && random.nextInt(4) != 0) {
          s.gpr(insn.reg[0], MachineState.CODE_ADDRESS + code.length);
        } else if (insn.kind[0] == Insn.MEM && random.nextInt(4) != 0) {
          for (int i = MachineState.WINDOW; i < MachineState.SIZE; i += 8) {
            s.put64(i, MachineState.CODE_ADDRESS + code.length);
          }
        }
        break;
      case POPF:
        if (stackInWindow) {
          // neither single step nor alignment checks
          s.put64(stack, s.u64(stack) & ~0x40100L);
        }
        break;
      case DIV:
      case IDIV:
        if (random.nextInt(3) != 0) {
          long high = insn.mnemonic == Mnemonic.IDIV && s.gpr(0) < 0 ? -1 : random.nextInt(2);
          s.gpr(2, high);
          if (insn.size[0] == 1) {
            s.gpr(0, s.gpr(0) & ~0xff00L | (high & 0xff) << 8);
          }
        }
        break;
      case BT:
      case BTS:
      case BTR:
      case BTC:
        if (insn.kind[0] == Insn.MEM
            && insn.kind[1] == Insn.GPR
            && insn.reg[1] != insn.base
            && insn.reg[1] != insn.index) {
          s.gpr(insn.reg[1], random.nextInt(1000) - 500);
        }
        break;
      case BSF:
      case BSR:
        // a zero source leaves the destination undefined
        if (insn.kind[1] == Insn.GPR) {
          s.gpr(insn.reg[1], s.gpr(insn.reg[1]) | 2);
        } else {
          for (int i = MachineState.WINDOW; i < MachineState.SIZE; i++) {
            s.put8(i, s.u8(i) | 4);
          }
        }
        break;
      case PCMPESTRI:
      case PCMPESTRM:
      case VPCMPESTRI:
      case VPCMPESTRM:
        if (insn.base != 0 && insn.index != 0) {
          s.gpr(0, length());
        }
        if (insn.base != 2 && insn.index != 2) {
          s.gpr(2, length());
        }
        break;
      case CMPXCHG:
        if (insn.kind[0] == Insn.GPR && random.nextBoolean()) {
          s.gpr(0, s.gpr(insn.reg[0]));
        }
        break;
      case CMPXCHG8B:
      case CMPXCHG16B:
        if (random.nextBoolean()) {
          java.util.Arrays.fill(s.bytes, MachineState.WINDOW, MachineState.SIZE, (byte) 0);
          if (insn.base != 0 && insn.index != 0 && insn.base != 2 && insn.index != 2) {
            s.gpr(0, 0);
            s.gpr(2, 0);
          }
        }
        break;
      case SHL:
      case SHR:
      case SAR:
      case ROL:
      case ROR:
      case RCL:
      case RCR:
      case SHLD:
      case SHRD:
        if (insn.base != 1 && insn.index != 1 && random.nextBoolean()) {
          s.gpr(1, random.nextInt(70));
        }
        break;
      default:
    }
  }
}
