package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.model.Feature;
import org.hypergraft.vmm.cpu.x87.ExtendedState;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * Control registers and XCR0 (Intel SDM vol. 3 sections 2.5 and 2.6). Every write ends its block,
 * because paging and decoding may change under the next instruction.
 */
public final class ControlRegisters {
  static final long CR0_MP = 1 << 1;
  static final long CR0_ET = 1 << 4;
  static final long CR0_NE = 1 << 5;
  static final long CR0_NW = 1 << 29;
  static final long CR0_CD = 1 << 30;

  /** Bits that exist; the others read as zero and ignore writes to the low half. */
  private static final long CR0_BITS =
      Mmu.CR0_PE
          | CR0_MP
          | Cpu.CR0_EM
          | Cpu.CR0_TS
          | CR0_ET
          | CR0_NE
          | Mmu.CR0_WP
          | Cpu.CR0_AM
          | CR0_NW
          | CR0_CD
          | Mmu.CR0_PG;

  /** Changes of these flush translations. */
  private static final long CR0_PAGING = Mmu.CR0_PE | Mmu.CR0_WP | Mmu.CR0_AM | Mmu.CR0_PG;

  static final long CR4_VME = 1;
  static final long CR4_PVI = 1 << 1;
  static final long CR4_TSD = 1 << 2;
  static final long CR4_DE = 1 << 3;
  static final long CR4_MCE = 1 << 6;
  static final long CR4_PCE = 1 << 8;
  static final long CR4_OSFXSR = 1 << 9;
  static final long CR4_OSXMMEXCPT = 1 << 10;
  static final long CR4_UMIP = 1 << 11;
  static final long CR4_FSGSBASE = 1 << 16;
  static final long CR4_OSXSAVE = 1 << 18;

  private static final long CR4_PAGING =
      Mmu.CR4_PSE
          | Mmu.CR4_PAE
          | Mmu.CR4_PGE
          | Mmu.CR4_LA57
          | Mmu.CR4_PCIDE
          | Mmu.CR4_SMEP
          | Mmu.CR4_SMAP;

  /** CR3 bit 63: keep translations of the new PCID. */
  private static final long CR3_NO_FLUSH = 1L << 63;

  private ControlRegisters() {}

  // ---- MOV -------------------------------------------------------------------------------------

  /** MOV r, CRn; the number is in {@code s}. */
  public static void read(Cpu c, Op op) {
    Registers.requireRing0(c);
    long v =
        switch (op.s) {
          case 0 -> c.cr0;
          case 2 -> c.cr2;
          case 3 -> c.cr3;
          case 4 -> c.cr4;
          case 8 -> c.interrupts == null ? c.cr8 : c.interrupts.taskPriorityClass();
          default -> throw Registers.ud();
        };
    c.r[op.d] = c.code64() ? v : v & 0xffff_ffffL;
  }

  /** MOV CRn, r; the number is in {@code d}. */
  public static void write(Cpu c, Op op) {
    Registers.requireRing0(c);
    long v = c.code64() ? c.r[op.s] : c.r[op.s] & 0xffff_ffffL;
    switch (op.d) {
      case 0 -> writeCr0(c, v);
      case 2 -> c.cr2 = v;
      case 3 -> writeCr3(c, v);
      case 4 -> writeCr4(c, v);
      case 8 -> writeCr8(c, v);
      default -> throw Registers.ud();
    }
  }

  static void writeCr0(Cpu c, long value) {
    if (value >>> 32 != 0) {
      throw Registers.gp();
    }
    long v = value & CR0_BITS | CR0_ET;
    boolean paging = (v & Mmu.CR0_PG) != 0;
    boolean bad =
        paging && (v & Mmu.CR0_PE) == 0
            || (v & CR0_NW) != 0 && (v & CR0_CD) == 0
            || !paging && (c.cr0 & Mmu.CR0_PG) != 0 && (c.code64() || (c.cr4 & Mmu.CR4_PCIDE) != 0);
    long efer = c.efer;
    if (paging && (c.cr0 & Mmu.CR0_PG) == 0 && (efer & Mmu.EFER_LME) != 0) {
      // Entering IA-32e mode: PAE must be on, and neither a 64-bit CS nor a 16-bit TSS loaded.
      bad |= (c.cr4 & Mmu.CR4_PAE) == 0;
      bad |= (c.segAttr[Cpu.CS] & Cpu.ATTR_L) != 0;
      efer |= Mmu.EFER_LMA;
    } else if (!paging) {
      efer &= ~Mmu.EFER_LMA;
    }
    if (bad) {
      throw Registers.gp();
    }
    if (((v ^ c.cr0) & CR0_PAGING) != 0 && !c.mmu.control(v, c.cr3, c.cr4, efer)) {
      throw Registers.gp();
    }
    c.cr0 = v;
    c.efer = efer;
    c.updateMode();
  }

  static void writeCr3(Cpu c, long value) {
    long v = value;
    if (c.longMode()) {
      if ((c.cr4 & Mmu.CR4_PCIDE) != 0) {
        v &= ~CR3_NO_FLUSH;
      }
      if (v >>> c.mmu.physicalBits() != 0) {
        throw Registers.gp();
      }
    }
    if (!c.mmu.cr3(v)) {
      throw Registers.gp();
    }
    c.cr3 = v;
  }

  static void writeCr4(Cpu c, long v) {
    long changed = v ^ c.cr4;
    boolean bad =
        (v & ~allowedCr4(c)) != 0
            || c.longMode() && (v & Mmu.CR4_PAE) == 0
            || c.longMode() && (changed & Mmu.CR4_LA57) != 0
            || (changed & v & Mmu.CR4_PCIDE) != 0 && (!c.longMode() || (c.cr3 & 0xfff) != 0);
    if (bad || (changed & CR4_PAGING) != 0 && !c.mmu.control(c.cr0, c.cr3, v, c.efer)) {
      throw Registers.gp();
    }
    c.cr4 = v;
    if ((changed & CR4_DE) != 0) {
      c.debug.load(c);
    }
  }

  /** CR4 bits exist with the CPUID features they enable. */
  private static long allowedCr4(Cpu c) {
    long ok = CR4_PCE;
    ok |= bits(c, Feature.VME, CR4_VME | CR4_PVI);
    ok |= bits(c, Feature.TSC, CR4_TSD);
    ok |= bits(c, Feature.DE, CR4_DE);
    ok |= bits(c, Feature.PSE, Mmu.CR4_PSE);
    ok |= bits(c, Feature.PAE, Mmu.CR4_PAE);
    ok |= bits(c, Feature.MCE, CR4_MCE);
    ok |= bits(c, Feature.PGE, Mmu.CR4_PGE);
    ok |= bits(c, Feature.FXSR, CR4_OSFXSR);
    ok |= bits(c, Feature.SSE, CR4_OSXMMEXCPT);
    ok |= bits(c, Feature.UMIP, CR4_UMIP);
    ok |= bits(c, Feature.LA57, Mmu.CR4_LA57);
    ok |= bits(c, Feature.FSGSBASE, CR4_FSGSBASE);
    ok |= bits(c, Feature.PCID, Mmu.CR4_PCIDE);
    ok |= bits(c, Feature.XSAVE, CR4_OSXSAVE);
    ok |= bits(c, Feature.SMEP, Mmu.CR4_SMEP);
    ok |= bits(c, Feature.SMAP, Mmu.CR4_SMAP);
    return ok;
  }

  private static long bits(Cpu c, Feature f, long bits) {
    return Features.has(c, f) ? bits : 0;
  }

  private static void writeCr8(Cpu c, long v) {
    if (v >>> 4 != 0) {
      throw Registers.gp();
    }
    c.cr8 = v;
    if (c.interrupts != null) {
      c.interrupts.setTaskPriorityClass((int) v);
    }
  }

  // ---- CLTS, LMSW, SMSW ------------------------------------------------------------------------

  public static void clts(Cpu c, Op op) {
    Registers.requireRing0(c);
    c.cr0 &= ~Cpu.CR0_TS;
  }

  public static void lmswRegister(Cpu c, Op op) {
    Registers.requireRing0(c);
    lmsw(c, c.r[op.d]);
  }

  public static void lmswMemory(Cpu c, Op op) {
    Registers.requireRing0(c);
    lmsw(c, c.mmu.read16(op.address(c)));
  }

  /** Changes PE (set only), MP, EM and TS. */
  private static void lmsw(Cpu c, long v) {
    long low = v & 0xe | (v | c.cr0) & 1;
    writeCr0(c, c.cr0 & ~0xfL | low);
  }

  public static void smswRegister(Cpu c, Op op) {
    checkUmip(c);
    Registers.write(c, op.d, op.size, c.cr0);
  }

  public static void smswMemory(Cpu c, Op op) {
    checkUmip(c);
    c.mmu.write16(op.address(c), c.cr0);
  }

  /** CR4.UMIP hides descriptor-table registers and CR0 from user code. */
  static void checkUmip(Cpu c) {
    if ((c.cr4 & CR4_UMIP) != 0 && c.cpl != 0) {
      throw Registers.gp();
    }
  }

  // ---- XCR0 ------------------------------------------------------------------------------------

  public static void xgetbv(Cpu c, Op op) {
    requireXsave(c);
    switch ((int) c.r[Cpu.RCX]) {
      case 0:
        Registers.edxEax(c, c.xcr0);
        break;
      case 1:
        // CPUID.(0Dh,1):EAX[2]: what XSAVEOPT and XSAVEC would save
        if (!offersInUse(c)) {
          throw Registers.gp();
        }
        Registers.edxEax(c, c.xcr0 & ExtendedState.inUse(c));
        break;
      default:
        throw Registers.gp();
    }
  }

  private static boolean offersInUse(Cpu c) {
    int[] out = new int[4];
    c.platform.cpuid(c, 0xd, 1, out);
    return (out[0] & 4) != 0;
  }

  /** XSETBV: x87 always on, AVX only with SSE, nothing that CPUID 0Dh does not list. */
  public static void xsetbv(Cpu c, Op op) {
    requireXsave(c);
    Registers.requireRing0(c);
    long v = Registers.edxEax(c);
    int[] out = new int[4];
    c.platform.cpuid(c, 0xd, 0, out);
    long allowed = out[0] & 0xffff_ffffL | (long) out[3] << 32;
    boolean bad =
        (c.r[Cpu.RCX] & 0xffff_ffffL) != 0 || (v & 1) == 0 || (v & ~allowed) != 0 || (v & 6) == 4;
    if (bad) {
      throw Registers.gp();
    }
    c.xcr0 = v;
  }

  private static void requireXsave(Cpu c) {
    if ((c.cr4 & CR4_OSXSAVE) == 0) {
      throw Registers.ud();
    }
  }
}
