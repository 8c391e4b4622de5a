package org.hypergraft.vmm.cpu.x87;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.interpret.Emitter;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.model.Feature;

/**
 * Lowers x87 instructions and those that save and restore extended state. In the op, {@code d} and
 * {@code s} are the stack registers in operand order.
 */
public final class FpuLowering implements Lowering {
  /** "MNEMONIC method [flags]" by owner; the method defaults to the mnemonic in lower case. */
  private static final String[] CONTROL = {
    "FNINIT",
    "FNCLEX",
    "FWAIT",
    "FNOP",
    "FLDCW",
    "FNSTCW",
    "FINCSTP",
    "FDECSTP",
    "FFREE",
    "FFREEP",
    "FNSTENV",
    "FLDENV",
    "FNSAVE",
    "FRSTOR",
    "FNENI ignored",
    "FNDISI ignored",
    "FNSETPM ignored",
  };

  private static final String[] STATE = {
    "FXSAVE", "FXRSTOR", "XSAVE", "XSAVEOPT", "XSAVEC", "XSAVES", "XRSTOR", "XRSTORS",
  };

  private static final String[] ARITHMETIC = {
    "FADD",
    "FADDP fadd pop",
    "FIADD fadd integer",
    "FMUL",
    "FMULP fmul pop",
    "FIMUL fmul integer",
    "FSUB",
    "FSUBP fsub pop",
    "FISUB fsub integer",
    "FSUBR",
    "FSUBRP fsubr pop",
    "FISUBR fsubr integer",
    "FDIV",
    "FDIVP fdiv pop",
    "FIDIV fdiv integer",
    "FDIVR",
    "FDIVRP fdivr pop",
    "FIDIVR fdivr integer",
    "FSQRT",
    "FABS",
    "FCHS",
    "FRNDINT",
    "FSCALE",
    "FXTRACT",
    "FPREM",
    "FPREM1",
  };

  private static final String[] COMPARE = {
    "FCOM",
    "FCOM2 fcom",
    "FCOMP fcom pop",
    "FCOMP3 fcom pop",
    "FCOMP5 fcom pop",
    "FCOMPP fcom twice",
    "FICOM fcom integer",
    "FICOMP fcom integer pop",
    "FUCOM",
    "FUCOMP fucom pop",
    "FUCOMPP fucom twice",
    "FTST",
    "FXAM",
    "FCOMI",
    "FCOMIP fcomi pop",
    "FUCOMI",
    "FUCOMIP fucomi pop",
    "FCMOVB",
    "FCMOVE",
    "FCMOVBE",
    "FCMOVU",
    "FCMOVNB fcmovb not",
    "FCMOVNE fcmove not",
    "FCMOVNBE fcmovbe not",
    "FCMOVNU fcmovu not",
  };

  private static final String[] TRANSFER = {
    "FLD",
    "FILD fld integer",
    "FST",
    "FSTP fst pop",
    "FSTP8 fst pop",
    "FSTP9 fst pop",
    "FSTPNCE fstpnce pop",
    "FIST fist integer",
    "FISTP fist integer pop",
    "FISTTP fisttp integer pop",
    "FBLD",
    "FBSTP fbstp pop",
    "FXCH",
    "FXCH4 fxch",
    "FXCH7 fxch",
    "FLDZ",
    "FLD1",
    "FLDPI",
    "FLDL2T",
    "FLDL2E",
    "FLDLG2",
    "FLDLN2",
  };

  private static final String[] TRANSCENDENTAL = {
    "F2XM1", "FYL2X", "FYL2XP1", "FPTAN", "FPATAN", "FSIN", "FCOS", "FSINCOS",
  };

  private static final Map<Mnemonic, Target> TARGETS = new EnumMap<>(Mnemonic.class);

  static {
    add(X87Control.class, CONTROL);
    add(X87Arithmetic.class, ARITHMETIC);
    add(X87Compare.class, COMPARE);
    add(X87Transfer.class, TRANSFER);
    add(X87Transcendental.class, TRANSCENDENTAL);
    for (String name : STATE) {
      Target narrow = new Target(ExtendedState.class, name.toLowerCase(Locale.ROOT), 0, false);
      Target wide = new Target(ExtendedState.class, name.toLowerCase(Locale.ROOT), 1, false);
      TARGETS.put(Mnemonic.valueOf(name), narrow);
      TARGETS.put(Mnemonic.valueOf(name + "64"), wide);
    }
  }

  private static final class Target {
    final Class<?> owner;
    final String method;
    final int aux;

    /** Memory operands are integers. */
    final boolean integer;

    Target(Class<?> owner, String method, int aux, boolean integer) {
      this.owner = owner;
      this.method = method;
      this.aux = aux;
      this.integer = integer;
    }
  }

  private static void add(Class<?> owner, String[] lines) {
    for (String line : lines) {
      String[] words = line.split(" ");
      String method = words.length > 1 ? words[1] : words[0].toLowerCase(Locale.ROOT);
      int aux = 0;
      boolean integer = false;
      for (int i = 2; i < words.length; i++) {
        switch (words[i]) {
          case "pop":
            aux |= X87Arithmetic.POP;
            break;
          case "twice":
            aux |= X87Arithmetic.POP | X87Arithmetic.POP_TWICE;
            break;
          case "not":
            aux |= 1;
            break;
          case "integer":
            integer = true;
            break;
          default:
            throw new IllegalArgumentException("unknown flag in: " + line);
        }
      }
      TARGETS.put(Mnemonic.valueOf(words[0]), new Target(owner, method, aux, integer));
    }
  }

  private final Predicate<Feature> features;

  /**
   * @param features what the processor model has; other instructions are #UD
   */
  public FpuLowering(Predicate<Feature> features) {
    this.features = features;
  }

  /** The feature an instruction needs. */
  private static Feature needs(Mnemonic mnemonic, Target target) {
    if (target.owner == ExtendedState.class) {
      switch (target.method) {
        case "fxsave":
        case "fxrstor":
          return Feature.FXSR;
        case "xsaveopt":
          return Feature.XSAVEOPT;
        case "xsavec":
          return Feature.XSAVEC;
        case "xsaves":
        case "xrstors":
          return Feature.XSAVES;
        default:
          return Feature.XSAVE;
      }
    }
    if (mnemonic == Mnemonic.FISTTP) {
      return Feature.SSE3;
    }
    boolean flags = target.method.startsWith("fcmov") || target.method.endsWith("comi");
    return flags ? Feature.CMOV : Feature.FPU;
  }

  @Override
  public boolean lower(Insn insn, Emitter out) {
    if (insn.mnemonic == Mnemonic.FNSTSW && features.test(Feature.FPU)) {
      out.call(X87Control.class, insn.kind[0] == Insn.MEM ? "fnstsw" : "fnstswAx");
      return true;
    }
    Target target = TARGETS.get(insn.mnemonic);
    if (target == null || !features.test(needs(insn.mnemonic, target))) {
      return false;
    }
    Op op = out.call(target.owner, method(insn, target));
    op.aux = (byte) target.aux;
    if (insn.hasMemory()) {
      op.size = (byte) (insn.size[0] != 0 ? insn.size[0] : insn.opSize);
      if (target.owner != X87Control.class && target.owner != ExtendedState.class) {
        op.aux |= (byte) type(insn.size[0], target.integer);
      }
    } else if (target.owner == X87Compare.class) {
      comparedRegister(insn, op);
    }
    return true;
  }

  /** Loads and stores have a method per operand type. */
  private static String method(Insn insn, Target target) {
    boolean load = target.method.equals("fld");
    if (!load && !target.method.equals("fst")) {
      return target.method;
    }
    if (!insn.hasMemory()) {
      return target.method + "Register";
    }
    switch (target.integer ? 0 : insn.size[0]) {
      case 10:
        return target.method + "Extended";
      case 4:
        return load ? "fld" : "fstSingle";
      case 8:
        return load ? "fld" : "fstDouble";
      default:
        return "fld";
    }
  }

  /** ST(0) is compared with the last operand, with ST(1) where none is named. */
  private static void comparedRegister(Insn insn, Op op) {
    op.s = (byte) (insn.operands == 0 ? 1 : insn.reg[insn.operands - 1]);
  }

  private static int type(int size, boolean integer) {
    switch (size) {
      case 2:
        return X87Arithmetic.INT16;
      case 4:
        return integer ? X87Arithmetic.INT32 : X87Arithmetic.SINGLE;
      case 8:
        return integer ? X87Arithmetic.INT64 : X87Arithmetic.DOUBLE;
      default:
        return X87Arithmetic.EXTENDED;
    }
  }
}
