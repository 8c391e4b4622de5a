package org.hypergraft.vmm.cpu.lower;

import static org.hypergraft.annotator.isa.Insn.GPR;
import static org.hypergraft.annotator.isa.Insn.GPR_HIGH;
import static org.hypergraft.annotator.isa.Insn.IMM;
import static org.hypergraft.annotator.isa.Insn.MEM;

import java.util.function.Predicate;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Emitter;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.interpret.Target;
import org.hypergraft.vmm.cpu.interpret.Template;
import org.hypergraft.vmm.cpu.model.Feature;
import org.hypergraft.vmm.cpu.semantics.Convert;
import org.hypergraft.vmm.cpu.semantics.Exchange;
import org.hypergraft.vmm.cpu.semantics.StackFrames;
import org.hypergraft.vmm.cpu.semantics.Strings;
import org.hypergraft.vmm.cpu.semantics.Tables;

/** Data movement: MOV and its relatives, exchanges, the stack, string instructions. */
final class MoveLowering implements Lowering {
  /** Predicates of {@link Flags} in encoding order. */
  static final Target[] CONDITIONS = conditions();

  private static final Target[] SWAP = {
    null,
    Target.of(Convert.class, "swap16"),
    Target.of(Convert.class, "bswap32"),
    Target.of(Convert.class, "bswap64")
  };

  private final Predicate<Feature> features;

  MoveLowering(Predicate<Feature> features) {
    this.features = features;
  }

  private static Target[] conditions() {
    String[] names = "o no b ae e ne be a s ns p np l ge le g".split(" ");
    Target[] targets = new Target[names.length];
    for (int i = 0; i < names.length; i++) {
      targets[i] = Target.of(Flags.class, names[i]);
    }
    return targets;
  }

  @Override
  public boolean lower(Insn in, Emitter out) {
    switch (in.mnemonic) {
      case MOV:
      case MOVNTI:
        return move(in, out);
      case MOVZX:
        return extend(in, out, Target.of(Convert.class, "zero" + in.size[1] * 8));
      case MOVSX:
      case MOVSXD:
        return in.size[0] == in.size[1]
            ? move(in, out)
            : extend(in, out, signExtension(in.size[1], in.size[0]));
      case MOVBE:
        return missing(Feature.MOVBE, out) || swapped(in, out);
      case LEA:
        out.emit(Template.LEA, Target.NONE, Access.dCut(in, 0)).d = (byte) in.reg[0];
        return true;
      case CMOVCC:
        return conditional(in, out);
      case SETCC:
        return set(in, out);
      case XCHG:
        return exchange(in, out, "exchangeRegisters", "exchangeMemory");
      case XADD:
        return exchange(in, out, "addRegisters", "addMemory");
      case CMPXCHG:
        return exchange(in, out, "compareRegisters", "compareMemory");
      case CMPXCHG8B:
        out.call(Exchange.class, "compare8");
        return true;
      case CMPXCHG16B:
        if (!missing(Feature.CX16, out)) {
          out.call(Exchange.class, "compare16");
        }
        return true;
      case CBW:
        return accumulator(out, "sign8to16", 2, Cpu.RAX);
      case CWDE:
        return accumulator(out, "sign16to32", 4, Cpu.RAX);
      case CDQE:
        return accumulator(out, "sign32to64", 8, Cpu.RAX);
      case CWD:
        return accumulator(out, "signFill16", 2, Cpu.RDX);
      case CDQ:
        return accumulator(out, "signFill32", 4, Cpu.RDX);
      case CQO:
        return accumulator(out, "signFill64", 8, Cpu.RDX);
      case PUSH:
        return push(in, out);
      case POP:
        return pop(in, out);
      case PUSHA:
        return frame(out, "pushAll");
      case POPA:
        return frame(out, "popAll");
      case ENTER:
        out.call(StackFrames.class, "enter").aux = (byte) (in.imm2 & 31);
        return true;
      case LEAVE:
        return frame(out, leave(in, out.modeKey()));
      case XLAT:
        out.call(Tables.class, "xlat").seg = segment(in);
        return true;
      case MOVS:
        return strings(in, out, "movs");
      case STOS:
        return strings(in, out, "stos");
      case LODS:
        return strings(in, out, "lods");
      case SCAS:
        return strings(in, out, "scas");
      case CMPS:
        return strings(in, out, "cmps");
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

  private static boolean isRegister(Insn in, int operand) {
    return in.kind[operand] == GPR || in.kind[operand] == GPR_HIGH;
  }

  private static Target signExtension(int from, int to) {
    return Target.of(Convert.class, "sign" + from * 8 + "to" + to * 8);
  }

  private static boolean move(Insn in, Emitter out) {
    if (in.kind[0] == MEM) {
      int memory = Access.memory(in.size[0]);
      if (in.kind[1] == IMM) {
        out.emit(Template.STORE_IMM, Target.NONE, memory);
        return true;
      }
      if (!isRegister(in, 1)) {
        return false;
      }
      out.emit(Template.STORE, Target.NONE, memory | Access.s(in, 1)).s = (byte) in.reg[1];
      return true;
    }
    if (!isRegister(in, 0)) {
      return false;
    }
    if (in.kind[1] == IMM) {
      out.emit(Template.MOVE_IMM, Target.NONE, Access.dCut(in, 0));
    } else if (in.kind[1] == MEM) {
      out.emit(Template.LOAD, Target.NONE, Access.d(in, 0) | Access.memory(in.size[1]));
    } else if (isRegister(in, 1)) {
      out.emit(Template.MOVE, Target.NONE, Access.dCut(in, 0) | Access.s(in, 1));
    } else {
      return false;
    }
    return true;
  }

  private static boolean extend(Insn in, Emitter out, Target target) {
    if (in.kind[1] == MEM) {
      out.emit(Template.M, target, Access.d(in, 0) | Access.memory(in.size[1]));
    } else {
      out.emit(Template.R, target, Access.d(in, 0) | Access.s(in, 1));
    }
    return true;
  }

  private static boolean swapped(Insn in, Emitter out) {
    if (in.kind[0] == MEM) {
      out.call(Tables.class, "storeSwapped");
    } else {
      Target swap = SWAP[Access.log2(in.size[0])];
      out.emit(Template.M, swap, Access.d(in, 0) | Access.memory(in.size[1]));
    }
    return true;
  }

  private static boolean conditional(Insn in, Emitter out) {
    Target condition = CONDITIONS[in.cond];
    int access = Access.dCut(in, 0);
    Op op;
    if (in.kind[1] == MEM) {
      op = out.emit(Template.MOVE_IF_M, condition, access | Access.memory(in.size[1]));
    } else {
      op = out.emit(Template.MOVE_IF_R, condition, access);
      op.t = (byte) in.reg[1];
    }
    op.s = op.d;
    return true;
  }

  private static boolean set(Insn in, Emitter out) {
    Target condition = CONDITIONS[in.cond];
    if (in.kind[0] == MEM) {
      out.emit(Template.SET_M, condition, Access.memory(1));
    } else {
      out.emit(Template.SET_R, condition, Access.d(in, 0));
    }
    return true;
  }

  private static boolean exchange(Insn in, Emitter out, String registers, String memory) {
    boolean inMemory = in.kind[0] == MEM || in.kind[1] == MEM;
    Op op = out.call(Exchange.class, inMemory ? memory : registers);
    int first = in.kind[0] == MEM ? 1 : 0;
    int aux = in.kind[first] == GPR_HIGH ? Exchange.D_HIGH : 0;
    if (!inMemory && in.kind[1] == GPR_HIGH) {
      aux |= Exchange.S_HIGH;
    }
    op.aux = (byte) aux;
    op.size = (byte) in.size[first];
    return true;
  }

  /** register = f(RAX). */
  private static boolean accumulator(Emitter out, String method, int size, int register) {
    Op op = out.emit(Template.R, Target.of(Convert.class, method), Access.put(size));
    op.d = (byte) register;
    op.s = Cpu.RAX;
    return true;
  }

  private static boolean push(Insn in, Emitter out) {
    int access = Access.stack(out.modeKey(), in.opSize);
    if (in.kind[0] == IMM) {
      out.emit(Template.PUSH_IMM, Target.NONE, access);
    } else if (in.kind[0] == MEM) {
      out.emit(Template.PUSH_M, Target.NONE, access | Access.memory(in.size[0]));
    } else if (in.kind[0] == GPR) {
      out.emit(Template.PUSH_R, Target.NONE, access).s = (byte) in.reg[0];
    } else {
      return false; // segment registers
    }
    return true;
  }

  private static boolean pop(Insn in, Emitter out) {
    if (in.kind[0] == MEM) {
      out.call(StackFrames.class, "popMemory");
    } else if (in.kind[0] == GPR) {
      int access = Access.stack(out.modeKey(), in.opSize) | Access.d(in, 0);
      out.emit(Template.POP_R, Target.NONE, access);
    } else {
      return false;
    }
    return true;
  }

  private static String leave(Insn in, int modeKey) {
    if (in.mode == 64 && in.opSize == 8) {
      return "leave64";
    }
    int flat = Cpu.MODE_FLAT | Cpu.MODE_STACK32;
    boolean flat32 = in.mode == 32 && in.opSize == 4 && (modeKey & flat) == flat;
    return flat32 ? "leaveFlat32" : "leave";
  }

  private static boolean frame(Emitter out, String method) {
    out.call(StackFrames.class, method);
    return true;
  }

  private static byte segment(Insn in) {
    return (byte) (in.segmentOverride ? in.segment : Cpu.DS);
  }

  private static boolean strings(Insn in, Emitter out, String method) {
    Op op = out.emit(Template.CALL_OR_REPEAT, Target.of(Strings.class, method), 0);
    op.seg = segment(in);
    op.form = stringForm(in, out.modeKey(), op.seg);
    op.aux = (byte) (in.rep ? Strings.REPEAT : in.repne ? Strings.REPEAT_NOT_EQUAL : Strings.ONCE);
    return true;
  }

  /** PLAIN where offsets are linear addresses, GENERAL where segments matter. */
  static byte stringForm(Insn in, int modeKey, int segment) {
    if ((modeKey & Cpu.MODE_SIZE) == 2) {
      return segment >= Cpu.FS ? Op.GENERAL : Op.PLAIN;
    }
    boolean flat = (modeKey & Cpu.MODE_FLAT) != 0 && segment < Cpu.FS && in.addrSize == 4;
    return flat ? Op.PLAIN : Op.GENERAL;
  }
}
