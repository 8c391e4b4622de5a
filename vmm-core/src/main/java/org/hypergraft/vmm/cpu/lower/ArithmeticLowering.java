package org.hypergraft.vmm.cpu.lower;

import static org.hypergraft.annotator.isa.Insn.GPR;
import static org.hypergraft.annotator.isa.Insn.GPR_HIGH;
import static org.hypergraft.annotator.isa.Insn.IMM;
import static org.hypergraft.annotator.isa.Insn.MEM;

import java.util.function.Predicate;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Emitter;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.interpret.Target;
import org.hypergraft.vmm.cpu.interpret.Template;
import org.hypergraft.vmm.cpu.model.Feature;
import org.hypergraft.vmm.cpu.semantics.Alu;
import org.hypergraft.vmm.cpu.semantics.BitString;
import org.hypergraft.vmm.cpu.semantics.Bits;
import org.hypergraft.vmm.cpu.semantics.Convert;
import org.hypergraft.vmm.cpu.semantics.Multiply;
import org.hypergraft.vmm.cpu.semantics.Shift;

/** Arithmetic, logic, shifts, multiplication, division, bit instructions, CRC32. */
final class ArithmeticLowering implements Lowering {
  private static final Target[] ADD = Target.sizes(Alu.class, "add");
  private static final Target[] OR = Target.sizes(Alu.class, "or");
  private static final Target[] ADC = Target.sizes(Alu.class, "adc");
  private static final Target[] SBB = Target.sizes(Alu.class, "sbb");
  private static final Target[] AND = Target.sizes(Alu.class, "and");
  private static final Target[] SUB = Target.sizes(Alu.class, "sub");
  private static final Target[] XOR = Target.sizes(Alu.class, "xor");
  private static final Target[] CMP = Target.sizes(Alu.class, "cmp");
  private static final Target[] TEST = Target.sizes(Alu.class, "test");
  private static final Target[] INC = Target.sizes(Alu.class, "inc");
  private static final Target[] DEC = Target.sizes(Alu.class, "dec");
  private static final Target[] NEG = Target.sizes(Alu.class, "neg");
  private static final Target[] NOT = Target.sizes(Alu.class, "not");
  private static final Target[] ROL = Target.sizes(Shift.class, "rol");
  private static final Target[] ROR = Target.sizes(Shift.class, "ror");
  private static final Target[] RCL = Target.sizes(Shift.class, "rcl");
  private static final Target[] RCR = Target.sizes(Shift.class, "rcr");
  private static final Target[] SHL = Target.sizes(Shift.class, "shl");
  private static final Target[] SHR = Target.sizes(Shift.class, "shr");
  private static final Target[] SAR = Target.sizes(Shift.class, "sar");
  private static final Target[] SHLD = Target.sizes(Shift.class, "shld");
  private static final Target[] SHRD = Target.sizes(Shift.class, "shrd");
  private static final Target[] MUL = Target.sizes(Multiply.class, "mulAx");
  private static final Target[] IMUL_AX = Target.sizes(Multiply.class, "imulAx");
  private static final Target[] IMUL = Target.sizes(Multiply.class, "imul");
  private static final Target[] DIV = Target.sizes(Multiply.class, "divAx");
  private static final Target[] IDIV = Target.sizes(Multiply.class, "idivAx");
  private static final Target[] BT = Target.sizes(Bits.class, "bt");
  private static final Target[] BTS = Target.sizes(Bits.class, "bts");
  private static final Target[] BTR = Target.sizes(Bits.class, "btr");
  private static final Target[] BTC = Target.sizes(Bits.class, "btc");
  private static final Target[] BSF = Target.sizes(Bits.class, "bsf");
  private static final Target[] BSR = Target.sizes(Bits.class, "bsr");
  private static final Target[] TZCNT = Target.sizes(Bits.class, "tzcnt");
  private static final Target[] LZCNT = Target.sizes(Bits.class, "lzcnt");
  private static final Target[] POPCNT = Target.sizes(Bits.class, "popcnt");
  private static final Target[] ADCX = Target.sizes(Bits.class, "adcx");
  private static final Target[] ADOX = Target.sizes(Bits.class, "adox");
  private static final Target[] BSWAP = Target.sizes(Convert.class, "bswap");
  private static final Target[] CRC = {
    Target.of(Bits.class, "crc32b"),
    Target.of(Bits.class, "crc32w"),
    Target.of(Bits.class, "crc32l"),
    Target.of(Bits.class, "crc32q")
  };

  private final Predicate<Feature> features;

  ArithmeticLowering(Predicate<Feature> features) {
    this.features = features;
  }

  @Override
  public boolean lower(Insn in, Emitter out) {
    switch (in.mnemonic) {
      case ADD:
        return binary(in, out, ADD);
      case OR:
        return binary(in, out, OR);
      case ADC:
        return binary(in, out, ADC);
      case SBB:
        return binary(in, out, SBB);
      case AND:
        return binary(in, out, AND);
      case SUB:
        return binary(in, out, SUB);
      case XOR:
        return binary(in, out, XOR);
      case CMP:
        return compare(in, out, CMP);
      case TEST:
        return compare(in, out, TEST);
      case INC:
        return unary(in, out, INC);
      case DEC:
        return unary(in, out, DEC);
      case NEG:
        return unary(in, out, NEG);
      case NOT:
        return unary(in, out, NOT);
      case BSWAP:
        return unary(in, out, BSWAP);
      case ROL:
        return binary(in, out, ROL);
      case ROR:
        return binary(in, out, ROR);
      case RCL:
        return binary(in, out, RCL);
      case RCR:
        return binary(in, out, RCR);
      case SHL:
        return binary(in, out, SHL);
      case SHR:
        return binary(in, out, SHR);
      case SAR:
        return binary(in, out, SAR);
      case SHLD:
        return doubleShift(in, out, SHLD);
      case SHRD:
        return doubleShift(in, out, SHRD);
      case MUL:
        return effect(in, out, MUL);
      case DIV:
        return effect(in, out, DIV);
      case IDIV:
        return effect(in, out, IDIV);
      case IMUL:
        return in.operands == 1
            ? effect(in, out, IMUL_AX)
            : in.operands == 2 ? binary(in, out, IMUL) : multiplyImmediate(in, out);
      case BT:
        return bitTest(in, out, BT, "bt");
      case BTS:
        return bitTest(in, out, BTS, "bts");
      case BTR:
        return bitTest(in, out, BTR, "btr");
      case BTC:
        return bitTest(in, out, BTC, "btc");
      case BSF:
        return binary(in, out, BSF);
      case BSR:
        return binary(in, out, BSR);
      case TZCNT:
        // without BMI1 the prefix is ignored (Intel SDM, TZCNT)
        return features.test(Feature.BMI1) ? count(in, out, TZCNT) : binary(in, out, BSF);
      case LZCNT:
        return features.test(Feature.LZCNT) ? count(in, out, LZCNT) : binary(in, out, BSR);
      case POPCNT:
        return missing(Feature.POPCNT, out) || count(in, out, POPCNT);
      case ADCX:
        return missing(Feature.ADX, out) || binary(in, out, ADCX);
      case ADOX:
        return missing(Feature.ADX, out) || binary(in, out, ADOX);
      case CRC32:
        return missing(Feature.SSE4_2, out) || crc(in, out);
      default:
        return false;
    }
  }

  private boolean missing(Feature feature, Emitter out) {
    if (features.test(feature)) {
      return false;
    }
    out.undefined();
    return true;
  }

  private static Target of(Target[] family, Insn in) {
    return family[Access.log2(in.size[0])];
  }

  private static boolean isRegister(Insn in, int operand) {
    return in.kind[operand] == GPR || in.kind[operand] == GPR_HIGH;
  }

  /** destination = f(destination, source). */
  private static boolean binary(Insn in, Emitter out, Target[] family) {
    binary(in, out, of(family, in));
    return true;
  }

  private static void binary(Insn in, Emitter out, Target target) {
    Op op;
    if (in.kind[0] == MEM) {
      int memory = Access.memory(in.size[0]);
      if (in.kind[1] == IMM) {
        out.emit(Template.UPDATE_MI, target, memory);
        return;
      }
      op = out.emit(Template.UPDATE_MR, target, memory | Access.t(in, 1));
      op.t = (byte) in.reg[1];
      return;
    }
    int access = Access.d(in, 0) | Access.s(in, 0);
    if (in.kind[1] == IMM) {
      op = out.emit(Template.RI, target, access);
    } else if (in.kind[1] == MEM) {
      op = out.emit(Template.RM, target, access | Access.memory(in.size[1]));
    } else {
      op = out.emit(Template.RR, target, access | Access.t(in, 1));
      op.t = (byte) in.reg[1];
    }
    op.d = (byte) in.reg[0];
    op.s = op.d;
  }

  private static boolean compare(Insn in, Emitter out, Target[] family) {
    Target target = of(family, in);
    Op op;
    if (in.kind[0] == MEM) {
      int memory = Access.memory(in.size[0]);
      if (in.kind[1] == IMM) {
        out.emit(Template.COMPARE_MI, target, memory);
      } else {
        op = out.emit(Template.COMPARE_MR, target, memory | Access.t(in, 1));
        op.t = (byte) in.reg[1];
      }
      return true;
    }
    int access = Access.s(in, 0);
    if (in.kind[1] == IMM) {
      op = out.emit(Template.COMPARE_RI, target, access);
    } else if (in.kind[1] == MEM) {
      op = out.emit(Template.COMPARE_RM, target, access | Access.memory(in.size[1]));
    } else {
      op = out.emit(Template.COMPARE_RR, target, access | Access.t(in, 1));
      op.t = (byte) in.reg[1];
    }
    op.s = (byte) in.reg[0];
    return true;
  }

  private static boolean unary(Insn in, Emitter out, Target[] family) {
    Target target = of(family, in);
    if (in.kind[0] == MEM) {
      out.emit(Template.UPDATE_M, target, Access.memory(in.size[0]));
    } else {
      Op op = out.emit(Template.R, target, Access.d(in, 0) | Access.s(in, 0));
      op.d = (byte) in.reg[0];
      op.s = op.d;
    }
    return true;
  }

  private static boolean effect(Insn in, Emitter out, Target[] family) {
    Target target = of(family, in);
    if (in.kind[0] == MEM) {
      out.emit(Template.EFFECT_M, target, Access.memory(in.size[0]));
    } else {
      out.emit(Template.EFFECT_R, target, Access.s(in, 0)).s = (byte) in.reg[0];
    }
    return true;
  }

  /** register = f(source): counts. */
  private static boolean count(Insn in, Emitter out, Target[] family) {
    Target target = of(family, in);
    if (in.kind[1] == MEM) {
      out.emit(Template.M, target, Access.d(in, 0) | Access.memory(in.size[1]));
    } else {
      out.emit(Template.R, target, Access.d(in, 0)).s = (byte) in.reg[1];
    }
    return true;
  }

  private static boolean multiplyImmediate(Insn in, Emitter out) {
    Target target = of(IMUL, in);
    int access = Access.d(in, 0);
    if (in.kind[1] == MEM) {
      out.emit(Template.MI, target, access | Access.memory(in.size[1]));
    } else {
      out.emit(Template.RI, target, access).s = (byte) in.reg[1];
    }
    return true;
  }

  private static boolean doubleShift(Insn in, Emitter out, Target[] family) {
    Target target = of(family, in);
    boolean byCl = in.kind[2] != IMM;
    Op op;
    if (in.kind[0] == MEM) {
      op =
          out.emit(
              byCl ? Template.TERNARY_MRC : Template.TERNARY_MRI,
              target,
              Access.memory(in.size[0]));
    } else {
      op = out.emit(byCl ? Template.TERNARY_RRC : Template.TERNARY_RRI, target, Access.d(in, 0));
      op.d = (byte) in.reg[0];
      op.s = op.d;
    }
    op.t = (byte) in.reg[1];
    return true;
  }

  private static boolean bitTest(Insn in, Emitter out, Target[] family, String name) {
    boolean writes = family != BT;
    Target target = of(family, in);
    if (in.kind[0] == MEM && isRegister(in, 1)) {
      // the bit string may reach far from the operand's address
      out.call(BitString.class, name).s = (byte) in.reg[1];
      return true;
    }
    if (writes) {
      binary(in, out, target);
      return true;
    }
    return compare(in, out, family);
  }

  private static boolean crc(Insn in, Emitter out) {
    binary(in, out, CRC[Access.log2(in.size[1])]);
    return true;
  }
}
