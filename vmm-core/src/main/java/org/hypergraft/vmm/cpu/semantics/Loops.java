package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Whether LOOP and JCXZ jump. The counter has the address size. */
public final class Loops {
  private Loops() {}

  private static boolean counted(Cpu c, Op op) {
    long n = Access.cut(c.r[Cpu.RCX] - 1, op.addrSize);
    Registers.write(c, Cpu.RCX, op.addrSize, false, n);
    return n != 0;
  }

  public static boolean loop(Cpu c, Op op) {
    return counted(c, op);
  }

  public static boolean loope(Cpu c, Op op) {
    return counted(c, op) && Flags.zero(c);
  }

  public static boolean loopne(Cpu c, Op op) {
    return counted(c, op) && !Flags.zero(c);
  }

  public static boolean jcxz(Cpu c, Op op) {
    return Access.cut(c.r[Cpu.RCX], op.addrSize) == 0;
  }
}
