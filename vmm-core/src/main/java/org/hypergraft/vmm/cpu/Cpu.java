package org.hypergraft.vmm.cpu;

import org.hypergraft.vmm.bus.InterruptSource;
import org.hypergraft.vmm.bus.PortBus;
import org.hypergraft.vmm.cpu.fpu.SoftFloat;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * Architectural state of one vCPU. Fields are public: semantics are static methods on this class's
 * data, and an accessor per register would only hide it.
 */
public final class Cpu {
  public static final int RAX = 0;
  public static final int RCX = 1;
  public static final int RDX = 2;
  public static final int RBX = 3;
  public static final int RSP = 4;
  public static final int RBP = 5;
  public static final int RSI = 6;
  public static final int RDI = 7;

  /** Index into {@link #r} that always holds zero: "no base", "no index". */
  public static final int NO_REGISTER = 16;

  public static final int ES = 0;
  public static final int CS = 1;
  public static final int SS = 2;
  public static final int DS = 3;
  public static final int FS = 4;
  public static final int GS = 5;

  /**
   * Segment attribute bits: descriptor bits 40-55, that is bytes 5 and 6 with the limit left out.
   */
  public static final int ATTR_TYPE = 0xf;

  public static final int ATTR_S = 1 << 4;
  public static final int ATTR_DPL = 3 << 5;
  public static final int ATTR_P = 1 << 7;
  public static final int ATTR_L = 1 << 13;

  /** Default operation size / big stack. */
  public static final int ATTR_DB = 1 << 14;

  public static final int ATTR_G = 1 << 15;

  /** Set by segment loads that left the register null and unusable. */
  public static final int ATTR_UNUSABLE = 1 << 16;

  public static final long CR0_PE = 1;
  public static final long CR0_TS = 1 << 3;
  public static final long CR0_EM = 1 << 2;
  public static final long CR0_AM = 1 << 18;
  public static final long CR0_PG = 1L << 31;
  public static final long EFER_SCE = 1;
  public static final long EFER_LME = 1 << 8;
  public static final long EFER_LMA = 1 << 10;
  public static final long EFER_NXE = 1 << 11;

  /** FXSAVE and FXRSTOR leave the XMM registers out in 64-bit ring 0 (AMD APM vol. 2, 3.1.7). */
  public static final long EFER_FFXSR = 1 << 14;

  // Bits of modeKey: everything that changes how bytes decode or which ops they become.

  /** Bits 0-1: code size 0 = 16, 1 = 32, 2 = 64. */
  public static final int MODE_SIZE = 3;

  public static final int MODE_USER = 1 << 2;

  /**
   * CS, DS, ES and SS have base 0 and limit 4 GiB, and all but CS may be read and written (always
   * so in 64-bit mode).
   */
  public static final int MODE_FLAT = 1 << 3;

  /** SS.B: 32-bit stack pointer. */
  public static final int MODE_STACK32 = 1 << 4;

  /** Number of mode bits; keys fit in a byte. */
  public static final int MODE_BITS = 5;

  /** RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8-R15, then the zero slot. */
  public final long[] r = new long[NO_REGISTER + 1];

  /** Valid only between blocks, in ops that end a block, and on faults. */
  public long rip;

  // lazy status flags, see Flags
  public int fk;
  public long fa;
  public long fb;
  public long fr;

  /** TF IF DF IOPL NT RF VM AC VIF VIP ID at their EFLAGS positions. */
  public int sysFlags;

  public final int[] sel = new int[6];
  public final long[] segBase = new long[6];

  /** Byte-granular limit, unsigned. */
  public final int[] segLimit = new int[6];

  public final int[] segAttr = new int[6];

  public long gdtBase;
  public int gdtLimit;
  public long idtBase;
  public int idtLimit;
  public int ldtSel;
  public long ldtBase;
  public int ldtLimit;
  public int ldtAttr;
  public int trSel;
  public long trBase;
  public int trLimit;
  public int trAttr;

  public long cr0;
  public long cr2;
  public long cr3;
  public long cr4;
  public long cr8;
  public long xcr0 = 1;
  public long efer;
  public final long[] dr = new long[8];

  /** What the debug registers ask for, and debug traps that are due. */
  public final DebugState debug = new DebugState();

  /** Current privilege level, 0-3. */
  public int cpl;

  /** Decoding mode of the current code; kept by {@link #updateMode()}. */
  public int modeKey;

  /**
   * YMM registers: lane i of register n at {@code n * 4 + i}, lanes 0-1 being XMM. Behind them one
   * slot for the memory operand of the instruction being executed.
   */
  public final long[] x = new long[33 * 4];

  /** SSE control and status, 0x1F80 at reset (Intel SDM vol. 1, 10.2.3). */
  public int mxcsr = 0x1f80;

  public final X87State x87 = new X87State();

  /** Arithmetic units by the rules of SSE and of x87; between instructions they hold no state. */
  public final SoftFloat sse = new SoftFloat(false);

  public final SoftFloat extended = new SoftFloat(true);

  // MSRs of the core
  public long star;
  public long lstar;
  public long cstar;
  public long fmask;
  public long kernelGsBase;
  public long sysenterCs;
  public long sysenterEsp;
  public long sysenterEip;
  public long tscAux;
  public long tscAdjust;
  public long apicBase;
  public long pat = 0x0007040600070406L;
  public long miscEnable;

  /** Numbers that RDRAND and RDSEED have given. */
  public long randomsDrawn;

  /** Index of this vCPU, 0 = bootstrap processor. */
  public final int index;

  // time, in retired instructions

  /** Instructions until {@link #stopAt}; already reduced by the whole of the block being run. */
  public long left;

  /** Absolute count of retired instructions at which the run loop must return. */
  public long stopAt;

  /** Interrupts are held back while {@link #retired()} is below this (STI and MOV SS shadow). */
  public long shadowEnd;

  // conditions the run loop looks at between blocks

  /** HLT was executed and nothing has woken the processor yet. */
  public boolean halted;

  /** PAUSE instructions until the processor asks to give way; see {@link #exitRequested}. */
  public int spins;

  /** Triple fault: nothing but a reset helps. */
  public boolean shutdown;

  public boolean nmiPending;

  /** An NMI handler runs; cleared by IRET. */
  public boolean nmiBlocked;

  /** Asks the run loop to return to the machine at the next block end. */
  public boolean exitRequested;

  public Mmu mmu;
  public PortBus ports;
  public InterruptSource interrupts;
  public ExceptionDelivery delivery;
  public Platform platform;

  public Cpu(int index) {
    this.index = index;
  }

  /**
   * Retired instructions. Exact between blocks and in ops that end a block (the instruction being
   * executed counts as retired).
   */
  public long retired() {
    return stopAt - left;
  }

  /**
   * Moves the point at which the run loop returns, keeping the count. Call between blocks or from
   * ops that end a block.
   */
  public void setStop(long absolute) {
    left += absolute - stopAt;
    stopAt = absolute;
  }

  /** The time-stamp counter as RDTSC reads it. */
  public long timeStamp() {
    return platform.tsc(this) + tscAdjust;
  }

  public boolean interruptsEnabled() {
    return (sysFlags & Flags.IF) != 0;
  }

  public int iopl() {
    return (sysFlags & Flags.IOPL) >>> 12;
  }

  public boolean longMode() {
    return (efer & EFER_LMA) != 0;
  }

  public boolean code64() {
    return (modeKey & MODE_SIZE) == 2;
  }

  /** Width of the current code in bits: 16, 32 or 64. */
  public int codeBits() {
    return 16 << (modeKey & MODE_SIZE);
  }

  /** Linear address of an instruction pointer in the current code segment. */
  public long codeAddress(long ip) {
    return code64() ? ip : segBase[CS] + ip & 0xffff_ffffL;
  }

  /** Real-address mode or virtual-8086 mode: segments are paragraphs. */
  public boolean realSegments() {
    return (cr0 & CR0_PE) == 0 || (sysFlags & Flags.VM) != 0;
  }

  /**
   * Recomputes {@link #modeKey}. To be called after any change of CS, SS, DS, ES, CPL, EFER.LMA or
   * CR0.PE, by an op that ends its block.
   */
  public void updateMode() {
    int key = cpl == 3 ? MODE_USER : 0;
    int cs = segAttr[CS];
    if ((efer & EFER_LMA) != 0 && (cs & ATTR_L) != 0) {
      modeKey = key | 2 | MODE_FLAT;
      return;
    }
    if ((cs & ATTR_DB) != 0) {
      key |= 1;
    }
    if ((segAttr[SS] & ATTR_DB) != 0) {
      key |= MODE_STACK32;
    }
    if (flat(CS) && flat(SS) && flat(DS) && flat(ES)) {
      key |= MODE_FLAT;
    }
    modeKey = key;
  }

  private boolean flat(int s) {
    // type bits 3-1 of data that expands up and may be written are 001; of expand-down data the
    // limit means the opposite
    boolean plain = s == CS || (segAttr[s] & 0xe) == 2;
    return segBase[s] == 0
        && segLimit[s] == -1
        && plain
        && (segAttr[s] & (ATTR_P | ATTR_UNUSABLE)) == ATTR_P;
  }
}
