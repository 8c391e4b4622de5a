package org.hypergraft.vmm.cpu;

import org.hypergraft.vmm.mmu.DataWatch;

/**
 * Hardware breakpoints in force, decoded from DR0-DR3, DR7 and CR4.DE, and the debug traps that are
 * due (Intel SDM vol. 3, 18.2 and 18.3). Data breakpoints are watched for by the MMU, instruction
 * breakpoints keep the blocks of their page from being entered: neither costs anything elsewhere.
 *
 * <p>Only breakpoints that are enabled are reported in DR6. What the delivery of an event itself
 * reads and writes matches none.
 */
public final class DebugState {
  /** DR6: a debug register was accessed with DR7.GD set. */
  public static final int BD = 1 << 13;

  /** DR6: single step. */
  public static final int BS = 1 << 14;

  /** DR6: a task switch to a TSS with its T bit set. */
  public static final int BT = 1 << 15;

  /** DR6: the four breakpoints, B0-B3. */
  public static final int BREAKPOINTS = 15;

  private static final int SLOTS = 4;

  // values of DR7.R/Wn, SDM vol. 3, 18.2.4
  private static final int EXECUTE = 0;
  private static final int WRITE = 1;
  private static final int PORT = 2;

  private static final int CR4_DE = 1 << 3;
  private static final long PAGE = -4096L;

  /** DR6 bits of the debug trap due before the next instruction. */
  public int traps;

  /**
   * Traps and instruction breakpoints are held back while the retired count is below this: the
   * instruction after MOV SS or POP SS runs first (SDM vol. 3, 6.8.3).
   */
  public long heldUntil;

  /** Slots that break on execution, and on port accesses. */
  private int code;

  private int ports;

  private final long[] start = new long[SLOTS];
  private final int[] length = new int[SLOTS];
  private final DataWatch.Range[] data = new DataWatch.Range[SLOTS];
  private final DataWatch.Listener listener = (range, la, write) -> accessed(range);

  /** Decodes the debug registers. To be called after any change of them or of CR4.DE. */
  public void load(Cpu c) {
    int hadCode = code;
    code = 0;
    ports = 0;
    for (int n = 0; n < SLOTS; n++) {
      if (data[n] != null) {
        c.mmu.unwatch(data[n], listener);
        data[n] = null;
      }
      if ((c.dr[7] >>> 2 * n & 3) != 0) {
        enable(c, n, (int) (c.dr[7] >>> 16 + 4 * n) & 15);
      }
    }
    if ((hadCode | code) != 0) {
      // every block proves its place again, which those of watched pages now fail to do
      c.mmu.flushAll();
    }
  }

  /**
   * @param kind R/Wn in bits 0-1, LENn in bits 2-3
   */
  private void enable(Cpu c, int n, int kind) {
    int bytes = kind >> 2 == 2 ? 8 : (kind >> 2) + 1;
    start[n] = c.dr[n] & -bytes;
    length[n] = bytes;
    switch (kind & 3) {
      case EXECUTE -> {
        start[n] = c.dr[n];
        code |= 1 << n;
      }
      case PORT -> {
        if ((c.cr4 & CR4_DE) != 0) {
          ports |= 1 << n;
        }
      }
      default -> {
        data[n] = new DataWatch.Range(start[n], bytes, (kind & 3) != WRITE, true);
        c.mmu.watch(data[n], listener);
      }
    }
  }

  /** Whether the run loop has to look closer than usual. */
  public boolean active() {
    return (traps | code) != 0;
  }

  /** Instruction breakpoints at the current instruction, as DR6 bits. */
  public int atInstruction(Cpu c) {
    long la = c.codeAddress(c.rip);
    int hits = 0;
    for (int n = 0; code >> n != 0; n++) {
      if ((code >> n & 1) != 0 && start[n] == la) {
        hits |= 1 << n;
      }
    }
    return hits;
  }

  /** Whether an instruction breakpoint lies in the page of the current instruction. */
  public boolean inCodePage(Cpu c) {
    return code != 0 && inCodePage(c.codeAddress(c.rip));
  }

  /** Whether an instruction breakpoint lies in the page of a linear address. */
  public boolean inCodePage(long la) {
    for (int n = 0; code >> n != 0; n++) {
      if ((code >> n & 1) != 0 && ((start[n] ^ la) & PAGE) == 0) {
        return true;
      }
    }
    return false;
  }

  private void accessed(DataWatch.Range range) {
    for (int n = 0; n < SLOTS; n++) {
      if (range.equals(data[n])) {
        traps |= 1 << n;
      }
    }
  }

  /** A port was accessed: I/O breakpoints are traps. */
  public void port(int port, int size) {
    for (int n = 0; ports >> n != 0; n++) {
      boolean touched = port < start[n] + length[n] && port + size > start[n];
      if ((ports >> n & 1) != 0 && touched) {
        traps |= 1 << n;
      }
    }
  }
}
