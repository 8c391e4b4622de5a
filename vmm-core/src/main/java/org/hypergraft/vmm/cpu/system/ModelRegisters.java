package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.model.Feature;

/**
 * RDMSR, WRMSR and the time-stamp counter. Registers that change how the core works live in {@link
 * Cpu}; all others belong to the platform. Numbers: Intel SDM vol. 4 chapter 2; AMD APM vol. 2
 * appendix A.
 */
public final class ModelRegisters {
  static final int TSC = 0x10;
  static final int TSC_ADJUST = 0x3b;
  static final int SYSENTER_CS = 0x174;
  static final int SYSENTER_ESP = 0x175;
  static final int SYSENTER_EIP = 0x176;
  static final int PAT = 0x277;
  static final int EFER = 0xc000_0080;
  static final int STAR = 0xc000_0081;
  static final int LSTAR = 0xc000_0082;
  static final int CSTAR = 0xc000_0083;
  static final int FMASK = 0xc000_0084;
  static final int FS_BASE = 0xc000_0100;
  static final int GS_BASE = 0xc000_0101;
  static final int KERNEL_GS_BASE = 0xc000_0102;
  static final int TSC_AUX = 0xc000_0103;

  private ModelRegisters() {}

  public static void rdmsr(Cpu c, Op op) {
    Registers.requireRing0(c);
    Registers.edxEax(c, read(c, (int) c.r[Cpu.RCX]));
  }

  public static void wrmsr(Cpu c, Op op) {
    Registers.requireRing0(c);
    write(c, (int) c.r[Cpu.RCX], Registers.edxEax(c));
  }

  /** Reads an MSR; #GP(0) if it does not exist. */
  public static long read(Cpu c, int msr) {
    return switch (msr) {
      case TSC -> c.timeStamp();
      case TSC_ADJUST -> {
        require(c, Feature.TSC_ADJUST);
        yield c.tscAdjust;
      }
      case SYSENTER_CS -> c.sysenterCs;
      case SYSENTER_ESP -> c.sysenterEsp;
      case SYSENTER_EIP -> c.sysenterEip;
      case PAT -> c.pat;
      case EFER -> c.efer;
      case STAR -> c.star;
      case LSTAR -> c.lstar;
      case CSTAR -> c.cstar;
      case FMASK -> c.fmask;
      case FS_BASE -> c.segBase[Cpu.FS];
      case GS_BASE -> c.segBase[Cpu.GS];
      case KERNEL_GS_BASE -> c.kernelGsBase;
      case TSC_AUX -> {
        require(c, Feature.RDTSCP);
        yield c.tscAux;
      }
      default -> c.platform.readMsr(c, msr);
    };
  }

  /** Writes an MSR; #GP(0) if it does not exist or the value is not allowed. */
  public static void write(Cpu c, int msr, long v) {
    switch (msr) {
      case TSC -> c.tscAdjust += v - c.timeStamp();
      case TSC_ADJUST -> {
        require(c, Feature.TSC_ADJUST);
        c.tscAdjust = v;
      }
      case SYSENTER_CS -> c.sysenterCs = v & 0xffff_ffffL;
      case SYSENTER_ESP -> c.sysenterEsp = canonical(c, v);
      case SYSENTER_EIP -> c.sysenterEip = canonical(c, v);
      case PAT -> writePat(c, v);
      case EFER -> writeEfer(c, v);
      case STAR -> c.star = v;
      case LSTAR -> c.lstar = canonical(c, v);
      case CSTAR -> c.cstar = canonical(c, v);
      case FMASK -> {
        if (v >>> 32 != 0) {
          throw Registers.gp();
        }
        c.fmask = v;
      }
      case FS_BASE -> c.segBase[Cpu.FS] = canonical(c, v);
      case GS_BASE -> c.segBase[Cpu.GS] = canonical(c, v);
      case KERNEL_GS_BASE -> c.kernelGsBase = canonical(c, v);
      case TSC_AUX -> {
        require(c, Feature.RDTSCP);
        if (v >>> 32 != 0) {
          throw Registers.gp();
        }
        c.tscAux = v;
      }
      default -> c.platform.writeMsr(c, msr, v);
    }
  }

  private static void require(Cpu c, Feature f) {
    if (!Features.has(c, f)) {
      throw Registers.gp();
    }
  }

  private static long canonical(Cpu c, long v) {
    // Outside long mode the 64-bit rule still applies to these registers.
    boolean ok = c.longMode() ? c.mmu.canonical(v) : v << 16 >> 16 == v;
    if (!ok) {
      throw Registers.gp();
    }
    return v;
  }

  /** Each byte holds a memory type: UC, WC, WT, WP, WB or UC- (SDM vol. 3 table 12-10). */
  private static void writePat(Cpu c, long v) {
    for (int i = 0; i < 8; i++) {
      int type = (int) (v >>> 8 * i) & 0xff;
      if (type > 7 || type == 2 || type == 3) {
        throw Registers.gp();
      }
    }
    c.pat = v;
  }

  private static void writeEfer(Cpu c, long v) {
    long allowed = Cpu.EFER_LMA;
    if (Features.has(c, Feature.SYSCALL)) {
      allowed |= Cpu.EFER_SCE;
    }
    if (Features.has(c, Feature.NX)) {
      allowed |= Cpu.EFER_NXE;
    }
    if (Features.has(c, Feature.LM)) {
      allowed |= Cpu.EFER_LME;
    }
    if (Features.has(c, Feature.FXSR_OPT)) {
      allowed |= Cpu.EFER_FFXSR;
    }
    boolean paging = (c.cr0 & Cpu.CR0_PG) != 0;
    if ((v & ~allowed) != 0 || paging && ((v ^ c.efer) & Cpu.EFER_LME) != 0) {
      throw Registers.gp();
    }
    long fresh = v & ~Cpu.EFER_LMA | c.efer & Cpu.EFER_LMA;
    if (((fresh ^ c.efer) & (Cpu.EFER_NXE | Cpu.EFER_LMA)) != 0
        && !c.mmu.control(c.cr0, c.cr3, c.cr4, fresh)) {
      throw Registers.gp();
    }
    c.efer = fresh;
  }

  // ---- Time-stamp counter ----------------------------------------------------------------------

  public static void rdtsc(Cpu c, Op op) {
    checkTsd(c);
    Registers.edxEax(c, c.timeStamp());
  }

  public static void rdtscp(Cpu c, Op op) {
    rdtsc(c, op);
    c.r[Cpu.RCX] = c.tscAux;
  }

  public static void rdpid(Cpu c, Op op) {
    c.r[op.d] = c.tscAux;
  }

  private static void checkTsd(Cpu c) {
    if ((c.cr4 & ControlRegisters.CR4_TSD) != 0 && c.cpl != 0) {
      throw Registers.gp();
    }
  }

  /** RDPMC: no performance counters exist, so every index is invalid. */
  public static void rdpmc(Cpu c, Op op) {
    throw Registers.gp();
  }
}
