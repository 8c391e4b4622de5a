package org.hypergraft.vmm.cpu.x87;

import java.util.EnumMap;
import java.util.Map;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.interpret.Emitter;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * Lowers x87 instructions and those that save and restore extended state. In the op, {@code d} and
 * {@code s} are the stack registers in operand order.
 */
public final class FpuLowering implements Lowering {
  /** Instructions whose method has their name. */
  private static final Mnemonic[] CONTROL = {
    Mnemonic.FNINIT, Mnemonic.FNCLEX, Mnemonic.FWAIT, Mnemonic.FNOP, Mnemonic.FLDCW,
    Mnemonic.FNSTCW, Mnemonic.FINCSTP, Mnemonic.FDECSTP, Mnemonic.FFREE, Mnemonic.FFREEP,
    Mnemonic.FNSTENV, Mnemonic.FLDENV, Mnemonic.FNSAVE, Mnemonic.FRSTOR,
  };

  private static final Mnemonic[] STATE = {
    Mnemonic.FXSAVE,
    Mnemonic.FXRSTOR,
    Mnemonic.XSAVE,
    Mnemonic.XSAVEOPT,
    Mnemonic.XSAVEC,
    Mnemonic.XSAVES,
    Mnemonic.XRSTOR,
    Mnemonic.XRSTORS,
  };

  private static final Mnemonic[] STATE64 = {
    Mnemonic.FXSAVE64, Mnemonic.FXRSTOR64, Mnemonic.XSAVE64, Mnemonic.XSAVEOPT64,
    Mnemonic.XSAVEC64, Mnemonic.XSAVES64, Mnemonic.XRSTOR64, Mnemonic.XRSTORS64,
  };

  private static final Map<Mnemonic, Target> TARGETS = targets();

  private static final class Target {
    final Class<?> owner;
    final String method;
    final byte aux;

    Target(Class<?> owner, String method, int aux) {
      this.owner = owner;
      this.method = method;
      this.aux = (byte) aux;
    }
  }

  private static Map<Mnemonic, Target> targets() {
    Map<Mnemonic, Target> map = new EnumMap<>(Mnemonic.class);
    for (Mnemonic m : CONTROL) {
      map.put(m, new Target(X87Control.class, lower(m), 0));
    }
    for (int i = 0; i < STATE.length; i++) {
      String method = lower(STATE[i]);
      map.put(STATE[i], new Target(ExtendedState.class, method, 0));
      map.put(STATE64[i], new Target(ExtendedState.class, method, 1));
    }
    Target ignored = new Target(X87Control.class, "ignored", 0);
    map.put(Mnemonic.FNENI, ignored);
    map.put(Mnemonic.FNDISI, ignored);
    map.put(Mnemonic.FNSETPM, ignored);
    return map;
  }

  private static String lower(Mnemonic m) {
    return m.name().toLowerCase(java.util.Locale.ROOT);
  }

  @Override
  public boolean lower(Insn insn, Emitter out) {
    if (insn.mnemonic == Mnemonic.FNSTSW) {
      out.call(X87Control.class, insn.kind[0] == Insn.MEM ? "fnstsw" : "fnstswAx");
      return true;
    }
    Target target = TARGETS.get(insn.mnemonic);
    if (target == null) {
      return false;
    }
    Op op = out.call(target.owner, target.method);
    op.aux = target.aux;
    op.size = (byte) insn.opSize;
    return true;
  }
}
