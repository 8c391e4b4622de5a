package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;

/** LAR, LSL, VERR, VERW and ARPL: questions about selectors, answered in ZF. */
public final class SelectorChecks {
  /** System types LAR accepts, by bit: SDM vol. 2 table 3-53, outside and inside IA-32e mode. */
  private static final int LAR_TYPES =
      1 << Descriptor.TSS16
          | 1 << Descriptor.LDT
          | 1 << Descriptor.TSS16_BUSY
          | 1 << Descriptor.CALL_GATE16
          | 1 << Descriptor.TASK_GATE
          | 1 << Descriptor.TSS
          | 1 << Descriptor.TSS_BUSY
          | 1 << Descriptor.CALL_GATE;

  private static final int LAR_TYPES_64 =
      1 << Descriptor.LDT
          | 1 << Descriptor.TSS
          | 1 << Descriptor.TSS_BUSY
          | 1 << Descriptor.CALL_GATE;

  /** Those of LAR that have a limit: table 3-57. */
  private static final int GATES =
      1 << Descriptor.CALL_GATE16 | 1 << Descriptor.TASK_GATE | 1 << Descriptor.CALL_GATE;

  private SelectorChecks() {}

  public static void larRegister(Cpu c, Op op) {
    lar(c, op, Registers.selector(c, op, false, op.s));
  }

  public static void larMemory(Cpu c, Op op) {
    TableRegisters.requireProtected(c);
    lar(c, op, Registers.selector(c, op, true, 0));
  }

  private static void lar(Cpu c, Op op, int selector) {
    Descriptor d = visible(c, selector, c.longMode() ? LAR_TYPES_64 : LAR_TYPES);
    setZero(c, d != null);
    if (d != null) {
      Registers.write(c, op.d, op.size, d.low() >>> 32 & 0x00ff_ff00L);
    }
  }

  public static void lslRegister(Cpu c, Op op) {
    lsl(c, op, Registers.selector(c, op, false, op.s));
  }

  public static void lslMemory(Cpu c, Op op) {
    TableRegisters.requireProtected(c);
    lsl(c, op, Registers.selector(c, op, true, 0));
  }

  private static void lsl(Cpu c, Op op, int selector) {
    int types = (c.longMode() ? LAR_TYPES_64 : LAR_TYPES) & ~GATES;
    Descriptor d = visible(c, selector, types);
    setZero(c, d != null);
    if (d != null) {
      Registers.write(c, op.d, op.size, d.limit() & 0xffff_ffffL);
    }
  }

  /** The descriptor if the selector is valid for the caller's privilege, else null. */
  private static Descriptor visible(Cpu c, int selector, int systemTypes) {
    TableRegisters.requireProtected(c);
    Descriptor d = Descriptors.isNull(selector) ? null : Descriptors.lookup(c, selector);
    if (d == null) {
      return null;
    }
    if (!d.segment()) {
      if ((systemTypes & 1 << d.type()) == 0) {
        return null;
      }
    } else if (d.code() && d.conforming()) {
      return d;
    }
    return privileged(c, selector, d) ? d : null;
  }

  private static boolean privileged(Cpu c, int selector, Descriptor d) {
    return c.cpl <= d.dpl() && (selector & 3) <= d.dpl();
  }

  public static void verrRegister(Cpu c, Op op) {
    verify(c, Registers.selector(c, op, false, op.d), false);
  }

  public static void verrMemory(Cpu c, Op op) {
    TableRegisters.requireProtected(c);
    verify(c, Registers.selector(c, op, true, 0), false);
  }

  public static void verwRegister(Cpu c, Op op) {
    verify(c, Registers.selector(c, op, false, op.d), true);
  }

  public static void verwMemory(Cpu c, Op op) {
    TableRegisters.requireProtected(c);
    verify(c, Registers.selector(c, op, true, 0), true);
  }

  private static void verify(Cpu c, int selector, boolean write) {
    TableRegisters.requireProtected(c);
    Descriptor d = Descriptors.isNull(selector) ? null : Descriptors.lookup(c, selector);
    boolean ok =
        d != null
            && (write ? d.writableData() : d.dataOrReadableCode())
            && (d.code() && d.conforming() || privileged(c, selector, d));
    setZero(c, ok);
  }

  public static void arplRegister(Cpu c, Op op) {
    TableRegisters.requireProtected(c);
    int dest = (int) c.r[op.d] & 0xffff;
    int rpl = (int) c.r[op.s] & 3;
    boolean raise = (dest & 3) < rpl;
    setZero(c, raise);
    if (raise) {
      Registers.write(c, op.d, 2, dest & ~3 | rpl);
    }
  }

  /** The register operand is the first one in {@code d}. */
  public static void arplMemory(Cpu c, Op op) {
    TableRegisters.requireProtected(c);
    long la = op.address(c);
    int dest = (int) c.mmu.read16(la); // written only when it changes
    int rpl = (int) c.r[op.d] & 3;
    boolean raise = (dest & 3) < rpl;
    if (raise) {
      c.mmu.write16(la, dest & ~3 | rpl);
    }
    setZero(c, raise);
  }

  private static void setZero(Cpu c, boolean zero) {
    int status = Flags.status(c) & ~Flags.ZF;
    Flags.setStatus(c, zero ? status | Flags.ZF : status);
  }
}
