package org.hypergraft.vmm.cpu.lower;

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
import org.hypergraft.vmm.cpu.semantics.Bits;
import org.hypergraft.vmm.cpu.semantics.Multiply;

/** BMI1 and BMI2: general-register instructions with a VEX prefix. */
final class BitManipulationLowering implements Lowering {
  private final Predicate<Feature> features;

  BitManipulationLowering(Predicate<Feature> features) {
    this.features = features;
  }

  @Override
  public boolean lower(Insn in, Emitter out) {
    switch (in.mnemonic) {
      case ANDN:
        return sourceLast(in, out, Feature.BMI1, "andn");
      case PDEP:
        return sourceLast(in, out, Feature.BMI2, "pdep");
      case PEXT:
        return sourceLast(in, out, Feature.BMI2, "pext");
      case BEXTR:
        return in.kind[2] != IMM && sourceFirst(in, out, Feature.BMI1, "bextr");
      case BZHI:
        return sourceFirst(in, out, Feature.BMI2, "bzhi");
      case SARX:
        return sourceFirst(in, out, Feature.BMI2, "sarx");
      case SHLX:
        return sourceFirst(in, out, Feature.BMI2, "shlx");
      case SHRX:
        return sourceFirst(in, out, Feature.BMI2, "shrx");
      case BLSR:
        return lowest(in, out, "blsr");
      case BLSMSK:
        return lowest(in, out, "blsmsk");
      case BLSI:
        return lowest(in, out, "blsi");
      case RORX:
        return rotate(in, out);
      case MULX:
        return multiply(in, out);
      default:
        return false;
    }
  }

  /** Without the feature the VEX encoding does not exist. */
  private boolean missing(Feature feature, Emitter out) {
    if (features.test(feature)) {
      return false;
    }
    out.undefined();
    return true;
  }

  private static Target target(Insn in, String name) {
    return Target.of(Bits.class, name + in.size[0] * 8);
  }

  /** op0 = f(op1, op2) where op2 may be memory. */
  private boolean sourceLast(Insn in, Emitter out, Feature feature, String name) {
    if (missing(feature, out)) {
      return true;
    }
    if (in.kind[2] == MEM) {
      out.emit(Template.RM, target(in, name), Access.d(in, 0) | Access.memory(in.size[2]));
    } else {
      out.emit(Template.RR, target(in, name), Access.d(in, 0));
    }
    return true;
  }

  /** op0 = f(op1, op2) where op1 may be memory. */
  private boolean sourceFirst(Insn in, Emitter out, Feature feature, String name) {
    if (missing(feature, out)) {
      return true;
    }
    if (in.kind[1] == MEM) {
      Op op = out.emit(Template.MR, target(in, name), Access.d(in, 0) | Access.memory(in.size[1]));
      op.t = (byte) in.reg[2];
    } else {
      out.emit(Template.RR, target(in, name), Access.d(in, 0));
    }
    return true;
  }

  private boolean lowest(Insn in, Emitter out, String name) {
    if (missing(Feature.BMI1, out)) {
      return true;
    }
    if (in.kind[1] == MEM) {
      out.emit(Template.M, target(in, name), Access.d(in, 0) | Access.memory(in.size[1]));
    } else {
      out.emit(Template.R, target(in, name), Access.d(in, 0));
    }
    return true;
  }

  private boolean rotate(Insn in, Emitter out) {
    if (missing(Feature.BMI2, out)) {
      return true;
    }
    if (in.kind[1] == MEM) {
      out.emit(Template.MI, target(in, "rorx"), Access.d(in, 0) | Access.memory(in.size[1]));
    } else {
      out.emit(Template.RI, target(in, "rorx"), Access.d(in, 0));
    }
    return true;
  }

  private boolean multiply(Insn in, Emitter out) {
    if (missing(Feature.BMI2, out)) {
      return true;
    }
    Op op = out.call(Multiply.class, in.kind[2] == MEM ? "mulxMemory" : "mulxRegister");
    op.size = (byte) in.size[0];
    return true;
  }
}
