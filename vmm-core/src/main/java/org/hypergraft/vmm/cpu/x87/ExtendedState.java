package org.hypergraft.vmm.cpu.x87;

import java.util.Arrays;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.X87State;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * FXSAVE and XSAVE areas (Intel SDM vol. 1, chapters 10.5 and 13): x87, SSE and AVX state. {@code
 * Op.aux} is 1 for the forms with REX.W, which keep 64-bit instruction and data pointers.
 */
public final class ExtendedState {
  /** State components, bits of XCR0. */
  private static final long X87_STATE = 1;

  private static final long SSE_STATE = 2;
  private static final long AVX_STATE = 4;

  private static final int LEGACY = 512;
  private static final int HEADER = LEGACY + 64;

  /** Offset and size of the upper YMM halves, as CPUID.(0Dh,2) reports them. */
  private static final int AVX_OFFSET = HEADER;

  private static final int AVX_SIZE = 256;
  private static final long COMPACT = 1L << 63;
  private static final int MXCSR_MASK = 0xffff;
  private static final int MXCSR_INITIAL = 0x1f80;

  private ExtendedState() {}

  public static void fxsave(Cpu c, Op o) {
    legacyCheck(c);
    long la = aligned(o.address(c), 16);
    c.mmu.probeWrite(la, LEGACY);
    storeX87(c, la, o.aux != 0);
    storeMxcsr(c, la);
    if (!fast(c)) {
      storeXmm(c, la);
    }
  }

  private static boolean fast(Cpu c) {
    return (c.efer & Cpu.EFER_FFXSR) != 0 && c.cpl == 0 && c.code64();
  }

  public static void fxrstor(Cpu c, Op o) {
    legacyCheck(c);
    long la = aligned(o.address(c), 16);
    c.mmu.probeRead(la, LEGACY);
    int mxcsr = mxcsr(c, la);
    loadX87(c, la, o.aux != 0);
    c.mxcsr = mxcsr;
    if (!fast(c)) {
      loadXmm(c, la);
    }
  }

  private static void legacyCheck(Cpu c) {
    if ((c.cr0 & Cpu.CR0_EM) != 0) {
      throw GuestFault.of(GuestFault.UD);
    }
    if ((c.cr0 & Cpu.CR0_TS) != 0) {
      throw GuestFault.of(GuestFault.NM);
    }
  }

  public static void xsave(Cpu c, Op o) {
    saveStandard(c, o, false);
  }

  public static void xsaveopt(Cpu c, Op o) {
    saveStandard(c, o, true);
  }

  private static void saveStandard(Cpu c, Op o, boolean skipInitial) {
    extendedCheck(c);
    long wanted = requested(c);
    long la = aligned(o.address(c), 64);
    c.mmu.probeWrite(la, (wanted & AVX_STATE) != 0 ? AVX_OFFSET + AVX_SIZE : HEADER);
    long inUse = inUse(c);
    long old = c.mmu.read64(la + LEGACY);
    long store = skipInitial ? wanted & inUse : wanted;
    storeComponents(c, la, o, store, AVX_OFFSET);
    if ((wanted & (SSE_STATE | AVX_STATE)) != 0) {
      storeMxcsr(c, la);
    }
    c.mmu.write64(la + LEGACY, old & ~wanted | inUse & wanted);
  }

  /** XSAVEC, and XSAVES with no supervisor component enabled. */
  public static void xsavec(Cpu c, Op o) {
    extendedCheck(c);
    long wanted = requested(c);
    long la = aligned(o.address(c), 64);
    c.mmu.probeWrite(la, (wanted & AVX_STATE) != 0 ? AVX_OFFSET + AVX_SIZE : HEADER);
    long store = wanted & inUse(c);
    storeComponents(c, la, o, store, AVX_OFFSET);
    if ((store & SSE_STATE) != 0) {
      storeMxcsr(c, la);
    }
    c.mmu.write64(la + LEGACY, store);
    c.mmu.write64(la + LEGACY + 8, wanted | COMPACT);
  }

  public static void xsaves(Cpu c, Op o) {
    privileged(c);
    xsavec(c, o);
  }

  private static void storeComponents(Cpu c, long la, Op o, long which, int avxOffset) {
    if ((which & X87_STATE) != 0) {
      storeX87(c, la, o.aux != 0);
    }
    if ((which & SSE_STATE) != 0) {
      storeXmm(c, la);
    }
    if ((which & AVX_STATE) != 0) {
      int n = registers(c);
      for (int i = 0; i < n; i++) {
        c.mmu.write128(la + avxOffset + 16 * i, c.x[4 * i + 2], c.x[4 * i + 3]);
      }
    }
  }

  public static void xrstor(Cpu c, Op o) {
    extendedCheck(c);
    restore(c, o, false);
  }

  /** XRSTORS with no supervisor component enabled; takes the compacted format only. */
  public static void xrstors(Cpu c, Op o) {
    privileged(c);
    extendedCheck(c);
    restore(c, o, true);
  }

  private static void restore(Cpu c, Op o, boolean compactOnly) {
    long wanted = requested(c);
    long la = aligned(o.address(c), 64);
    c.mmu.probeRead(la, HEADER);
    long present = c.mmu.read64(la + LEGACY);
    long layout = c.mmu.read64(la + LEGACY + 8);
    boolean compact = (layout & COMPACT) != 0;
    boolean bad;
    if (compact) {
      bad = (layout & ~COMPACT & ~c.xcr0) != 0 || (present & ~layout) != 0;
    } else {
      bad = compactOnly || layout != 0 || (present & ~c.xcr0) != 0;
    }
    // bytes 23-16 of the header must be zero; when compacted all that follows as well
    for (int i = 16; i < (compact ? 64 : 24); i += 8) {
      bad |= c.mmu.read64(la + LEGACY + i) != 0;
    }
    if (bad) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    long load = wanted & present;
    if ((load & AVX_STATE) != 0) {
      c.mmu.probeRead(la, AVX_OFFSET + AVX_SIZE);
    }
    // In the standard format MXCSR comes with SSE or AVX, whatever XSTATE_BV says.
    boolean loadMxcsr = compact ? (load & SSE_STATE) != 0 : (wanted & (SSE_STATE | AVX_STATE)) != 0;
    int mxcsr = loadMxcsr ? mxcsr(c, la) : MXCSR_INITIAL;
    if ((load & X87_STATE) != 0) {
      loadX87(c, la, o.aux != 0);
    } else if ((wanted & X87_STATE) != 0) {
      X87.init(c);
      Arrays.fill(c.x87.significand, 0);
      Arrays.fill(c.x87.signExponent, 0);
    }
    if (loadMxcsr || (wanted & SSE_STATE) != 0) {
      c.mxcsr = mxcsr;
    }
    int n = registers(c);
    if ((load & SSE_STATE) != 0) {
      loadXmm(c, la);
    } else if ((wanted & SSE_STATE) != 0) {
      for (int i = 0; i < n; i++) {
        c.x[4 * i] = 0;
        c.x[4 * i + 1] = 0;
      }
    }
    if ((wanted & AVX_STATE) != 0) {
      for (int i = 0; i < n; i++) {
        if ((load & AVX_STATE) != 0) {
          c.mmu.read128(la + AVX_OFFSET + 16 * i, c.x, 4 * i + 2);
        } else {
          c.x[4 * i + 2] = 0;
          c.x[4 * i + 3] = 0;
        }
      }
    }
  }

  private static void extendedCheck(Cpu c) {
    if ((c.cr4 & 1 << 18) == 0) { // CR4.OSXSAVE
      throw GuestFault.of(GuestFault.UD);
    }
    if ((c.cr0 & Cpu.CR0_TS) != 0) {
      throw GuestFault.of(GuestFault.NM);
    }
  }

  private static void privileged(Cpu c) {
    if (c.cpl != 0) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
  }

  private static long aligned(long la, int by) {
    if ((la & by - 1) != 0) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return la;
  }

  /** EDX:EAX cut to what XCR0 enables. */
  private static long requested(Cpu c) {
    return c.xcr0 & (c.r[Cpu.RDX] << 32 | c.r[Cpu.RAX] & 0xffffffffL);
  }

  /** Components that are not in their initial configuration (XINUSE), as XGETBV(1) returns. */
  public static long inUse(Cpu c) {
    long used = 0;
    X87State s = c.x87;
    long any = s.control ^ 0x37f | s.status | s.top | s.valid | s.opcode | s.instruction | s.data;
    for (int i = 0; i < 8; i++) {
      any |= s.significand[i] | s.signExponent[i];
    }
    if (any != 0) {
      used |= X87_STATE;
    }
    long xmm = c.mxcsr ^ MXCSR_INITIAL;
    long high = 0;
    for (int i = 0; i < 16; i++) {
      xmm |= c.x[4 * i] | c.x[4 * i + 1];
      high |= c.x[4 * i + 2] | c.x[4 * i + 3];
    }
    return used | (xmm != 0 ? SSE_STATE : 0) | (high != 0 ? AVX_STATE : 0);
  }

  /** XMM registers that exist in the current mode. */
  private static int registers(Cpu c) {
    return c.code64() ? 16 : 8;
  }

  private static void storeX87(Cpu c, long la, boolean wide) {
    X87State s = c.x87;
    long word = s.control | (long) X87.statusWord(c) << 16;
    word |= (long) s.valid << 32 | (long) s.opcode << 48;
    c.mmu.write64(la, word);
    if (wide) {
      c.mmu.write64(la + 8, s.instruction);
      c.mmu.write64(la + 16, s.data);
    } else {
      c.mmu.write64(la + 8, s.instruction & 0xffffffffL | (long) s.instructionSelector << 32);
      c.mmu.write64(la + 16, s.data & 0xffffffffL | (long) s.dataSelector << 32);
    }
    for (int i = 0; i < 8; i++) {
      int p = s.top + i & 7;
      c.mmu.write128(la + 32 + 16 * i, s.significand[p], s.signExponent[p] & 0xffff);
    }
  }

  private static void loadX87(Cpu c, long la, boolean wide) {
    X87State s = c.x87;
    long word = c.mmu.read64(la);
    s.control = (int) word & 0x1f7f | 0x40;
    s.valid = (int) (word >>> 32) & 0xff;
    s.opcode = (int) (word >>> 48) & 0x7ff;
    X87.setStatusWord(c, (int) (word >>> 16) & 0xffff);
    long ip = c.mmu.read64(la + 8);
    long data = c.mmu.read64(la + 16);
    s.instruction = wide ? ip : ip & 0xffffffffL;
    s.data = wide ? data : data & 0xffffffffL;
    s.instructionSelector = wide ? 0 : (int) (ip >>> 32) & 0xffff;
    s.dataSelector = wide ? 0 : (int) (data >>> 32) & 0xffff;
    for (int i = 0; i < 8; i++) {
      int p = s.top + i & 7;
      s.significand[p] = c.mmu.read64(la + 32 + 16 * i);
      s.signExponent[p] = (int) c.mmu.read16(la + 40 + 16 * i);
    }
  }

  private static void storeMxcsr(Cpu c, long la) {
    c.mmu.write64(la + 24, c.mxcsr & 0xffffffffL | (long) MXCSR_MASK << 32);
  }

  /** MXCSR of an area, refused when it has reserved bits. */
  private static int mxcsr(Cpu c, long la) {
    int v = (int) c.mmu.read32(la + 24);
    if ((v & ~MXCSR_MASK) != 0) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return v;
  }

  private static void storeXmm(Cpu c, long la) {
    int n = registers(c);
    for (int i = 0; i < n; i++) {
      c.mmu.write128(la + 160 + 16 * i, c.x[4 * i], c.x[4 * i + 1]);
    }
  }

  private static void loadXmm(Cpu c, long la) {
    int n = registers(c);
    for (int i = 0; i < n; i++) {
      c.mmu.read128(la + 160 + 16 * i, c.x, 4 * i);
    }
  }
}
