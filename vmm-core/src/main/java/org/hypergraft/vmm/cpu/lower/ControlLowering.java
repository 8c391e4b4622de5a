package org.hypergraft.vmm.cpu.lower;

import java.util.function.Predicate;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Emitter;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.interpret.Target;
import org.hypergraft.vmm.cpu.interpret.Template;
import org.hypergraft.vmm.cpu.model.Feature;
import org.hypergraft.vmm.cpu.semantics.Decimal;
import org.hypergraft.vmm.cpu.semantics.FlagOps;
import org.hypergraft.vmm.cpu.semantics.Loops;
import org.hypergraft.vmm.cpu.semantics.Tables;

/** Near branches, flag instructions, hints and decimal leftovers. */
final class ControlLowering implements Lowering {
  private final Predicate<Feature> features;

  ControlLowering(Predicate<Feature> features) {
    this.features = features;
  }

  /** Whether an instruction is undefined for want of its feature. */
  private boolean missing(Insn in) {
    return switch (in.mnemonic) {
      case CLFLUSHOPT -> !features.test(Feature.CLFLUSHOPT);
      case CLWB -> !features.test(Feature.CLWB);
      case LAHF, SAHF -> in.mode == 64 && !features.test(Feature.LAHF_LM);
      default -> false;
    };
  }

  @Override
  public boolean lower(Insn in, Emitter out) {
    if (missing(in)) {
      out.undefined();
      return true;
    }
    switch (in.mnemonic) {
      case JCC:
        out.emit(Template.CONDITIONAL, MoveLowering.CONDITIONS[in.cond], 0);
        return true;
      case JMP:
        return jump(in, out, Template.JUMP, Template.JUMP_M, Template.JUMP_R, 0);
      case CALL:
        int stack = Access.stack(out.modeKey(), in.opSize);
        return jump(in, out, Template.CALL_NEAR, Template.CALL_M, Template.CALL_R, stack);
      case RET:
        out.emit(
            in.operands == 0 ? Template.RETURN : Template.RETURN_RELEASE,
            Target.NONE,
            Access.stack(out.modeKey(), in.opSize));
        return true;
      case LOOP:
        return decided(out, "loop");
      case LOOPE:
        return decided(out, "loope");
      case LOOPNE:
        return decided(out, "loopne");
      case JCXZ:
      case JECXZ:
      case JRCXZ:
        return decided(out, "jcxz");
      case CLC:
        return flags(out, "clc");
      case STC:
        return flags(out, "stc");
      case CMC:
        return flags(out, "cmc");
      case CLD:
        return flags(out, "cld");
      case STD:
        return flags(out, "std");
      case LAHF:
        return flags(out, "lahf");
      case SAHF:
        return flags(out, "sahf");
      case SALC:
        return flags(out, "salc");
      case AAA:
        return decimal(out, "aaa");
      case AAS:
        return decimal(out, "aas");
      case DAA:
        return decimal(out, "daa");
      case DAS:
        return decimal(out, "das");
      case AAM:
        return decimal(out, "aam");
      case AAD:
        return decimal(out, "aad");
      case BOUND:
        return decimal(out, "bound");
      case UD0:
      case UD1:
      case UD2:
        out.undefined();
        return true;
      case NOP:
      case ENDBR32:
      case ENDBR64:
      case LFENCE:
      case MFENCE:
      case SFENCE:
      case PREFETCH:
      case PREFETCHW:
      case PREFETCHWT1:
      case PREFETCHNTA:
      case PREFETCHT0:
      case PREFETCHT1:
      case PREFETCHT2:
      case PREFETCHIT0:
      case PREFETCHIT1:
      case CLDEMOTE:
        // one vCPU runs at a time and nothing is cached, so order and hints are moot
        out.emit(Template.NOTHING, Target.NONE, 0);
        return true;
      case CLFLUSH:
      case CLFLUSHOPT:
      case CLWB:
        // caches are not modelled, but the access faults like a one-byte load
        out.call(Tables.class, "touch");
        return true;
      default:
        return false;
    }
  }

  private static boolean jump(
      Insn in, Emitter out, Template direct, Template memory, Template register, int stack) {
    switch (in.kind[0]) {
      case Insn.REL:
        out.emit(direct, Target.NONE, stack);
        return true;
      case Insn.MEM:
        out.emit(memory, Target.NONE, stack | Access.memory(in.size[0]));
        return true;
      case Insn.GPR:
        out.emit(register, Target.NONE, stack).s = (byte) in.reg[0];
        return true;
      default:
        return false;
    }
  }

  private static boolean decided(Emitter out, String method) {
    out.emit(Template.DECIDED, Target.of(Loops.class, method), 0);
    return true;
  }

  private static boolean flags(Emitter out, String method) {
    out.call(FlagOps.class, method);
    return true;
  }

  private static boolean decimal(Emitter out, String method) {
    out.call(Decimal.class, method);
    return true;
  }
}
