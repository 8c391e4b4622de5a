package org.hypergraft.vmm.cpu.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.bus.InterruptSource;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.mmu.GuestFault;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Which of two exceptions wins: during delivery (Intel SDM vol. 3, table 6-5), at one instruction
 * and between two (table 6-2), and when interrupts are looked at (6.8).
 */
class ExceptionMatrixTest {
  private static final long UNMAPPED = 0x4000_0000L;
  private static final int UNMAPPED_STACK = 2;
  private static final int BAD_STACK = 3;
  private static final int NO_STACK = 7;

  private final SystemMachine m = new SystemMachine();
  private final Cpu c = m.cpu;

  @AfterEach
  void close() {
    m.close();
  }

  // ---- During delivery --------------------------------------------------------------------------

  private enum Kind {
    BENIGN,
    CONTRIBUTORY,
    PAGE_FAULT,
    DOUBLE
  }

  /** Table 6-4. */
  private static Kind kind(int vector) {
    return switch (vector) {
      case 0, 10, 11, 12, 13, 21 -> Kind.CONTRIBUTORY;
      case 14 -> Kind.PAGE_FAULT;
      case 8 -> Kind.DOUBLE;
      default -> Kind.BENIGN;
    };
  }

  /** How the delivery of an exception is made to fail, with the exception that it raises. */
  private enum Trouble {
    NOT_PRESENT(11),
    BAD_GATE(13),
    BEYOND_TSS(10),
    NOT_CANONICAL(12),
    STACK_NOT_MAPPED(14);

    final int vector;

    Trouble(int vector) {
      this.vector = vector;
    }
  }

  private void arrange(int vector, Trouble trouble) {
    switch (trouble) {
      case NOT_PRESENT -> m.vector(vector, 0x0e, 0);
      case BAD_GATE -> m.vector(vector, 0x8c, 0); // a call gate
      case BEYOND_TSS -> m.vector(vector, 0x8e, NO_STACK);
      case NOT_CANONICAL -> m.vector(vector, 0x8e, BAD_STACK);
      default -> m.vector(vector, 0x8e, UNMAPPED_STACK);
    }
  }

  private int secondCode(int vector, Trouble trouble) {
    return switch (trouble) {
      case NOT_PRESENT, BAD_GATE -> vector << 3 | 2 | 1; // in the IDT, while delivering
      case BEYOND_TSS -> SystemMachine.TSS_SELECTOR | 1;
      case NOT_CANONICAL -> 1;
      default -> 2;
    };
  }

  private void machine() {
    m.longMode();
    c.trLimit = 36 + 8 * (NO_STACK - 1) - 1;
    m.ram.put64(SystemMachine.TSS + 36 + 8 * (UNMAPPED_STACK - 1), UNMAPPED + 0x1000);
    m.ram.put64(SystemMachine.TSS + 36 + 8 * (BAD_STACK - 1), 1L << 50);
    c.shutdown = false;
    m.raised.clear();
  }

  @Test
  void everyPairOfExceptions() {
    int[] first = {0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 19, 21};
    int cases = 0;
    for (int v : first) {
      for (Trouble trouble : Trouble.values()) {
        if (v == trouble.vector) {
          continue; // its handler is the one that fails: see failingHandlers
        }
        cases++;
        machine();
        arrange(v, trouble);
        boolean pushes = v == 8 || v >= 10 && v <= 14 || v == 17 || v == 21;
        boolean alive = c.delivery.exception(c, v, pushes ? 0 : GuestFault.NO_ERROR_CODE, 0x1234);
        String what = "#" + v + " then " + trouble;
        Kind a = kind(v);
        if (a == Kind.DOUBLE) {
          assertTrue(!alive && c.shutdown, what);
          continue;
        }
        Kind b = kind(trouble.vector);
        boolean together = a == Kind.CONTRIBUTORY && b == Kind.CONTRIBUTORY || a == Kind.PAGE_FAULT;
        assertTrue(alive, what);
        assertEquals(together ? 8 : trouble.vector, m.handler(), what);
        assertEquals(together ? 0 : secondCode(v, trouble), m.stack(0, 8), what);
        if (b == Kind.PAGE_FAULT) {
          assertEquals(UNMAPPED + 0x1000 - 8, c.cr2, what);
        } else if (a == Kind.PAGE_FAULT) {
          assertEquals(0x1234, c.cr2, what);
        }
      }
    }
    assertEquals(17 * 5 - 5, cases);
  }

  @Test
  void externalInterruptsAreBenign() {
    for (int v : new int[] {2, 0x40, 13}) {
      for (Trouble trouble : Trouble.values()) {
        if (v != trouble.vector) {
          machine();
          arrange(v, trouble);
          assertTrue(c.delivery.interrupt(c, v));
          assertEquals(trouble.vector, m.handler(), v + " then " + trouble);
        }
      }
    }
  }

  /** A handler that cannot be entered: first a double fault, then the end. */
  @Test
  void failingHandlersEndInShutdown() {
    for (int v : new int[] {10, 11, 12, 13, 14}) {
      for (Trouble trouble : Trouble.values()) {
        machine();
        arrange(v, trouble);
        boolean alive = c.delivery.exception(c, v, 0, 0);
        boolean pageFaultLast = kind(v) == Kind.CONTRIBUTORY && trouble.vector == 14;
        assertTrue(alive);
        assertEquals(pageFaultLast ? 14 : 8, m.handler(), v + " " + trouble);
        machine();
        arrange(v, trouble);
        arrange(8, trouble);
        arrange(14, trouble);
        assertTrue(!c.delivery.exception(c, v, 0, 0) && c.shutdown, v + " " + trouble);
      }
    }
  }

  // ---- At one instruction -----------------------------------------------------------------------

  private String faults(String code) {
    m.raised.clear();
    m.run(code, 1);
    return String.join(" ", m.raised);
  }

  @Test
  void oneInstructionWithSeveralFaults() {
    String[][] rows = {
      // code at CPL 3, and what it raises; RBX is not mapped, RDX not canonical, RCX neither
      {"0f 01 13", "#13(0)", "LGDT: privilege before its operand's page"},
      {"0f 00 13", "#13(0)", "LLDT"},
      {"0f 22 c0", "#13(0)", "MOV CR0"},
      {"0f 23 f8", "#13(0)", "MOV DR7"},
      {"f0 8b 03", "#6", "LOCK where it is not allowed, before the page"},
      {"f0 01 d8", "#6", "LOCK of a register"},
      {"8b 03", "#14(4)", "MOV: not present, user"},
      {"89 03", "#14(6)", "write"},
      {"8b 02", "#13(0)", "not canonical"},
      {"f7 33", "#14(4)", "DIV: the operand's page before the division"},
      {"f7 f7", "#0", "DIV by EDI = 0"},
      {"ff 13", "#14(4)", "CALL through memory"},
      {"ff d2", "#13(0)", "CALL to an address that is not canonical"},
      {"0f 0b", "#6", "UD2"},
      {"ec", "#13(0)", "IN without permission"},
      {"f4", "#13(0)", "HLT"},
      {"cd 80", "#13(1026)", "INT 80h through a gate of ring 0"},
      {"0f 05", "#6", "SYSCALL without EFER.SCE"},
      {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", "", "15 bytes are an instruction"},
      {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", "#13(0)", "16 bytes are too long"},
      {"0f 0f 00 ff", "#6", "an opcode that does not exist"},
    };
    for (String[] row : rows) {
      m.longMode().user().flags(0);
      c.r[Cpu.RBX] = UNMAPPED;
      c.r[Cpu.RDX] = 1L << 50;
      c.r[Cpu.RDI] = 0;
      assertEquals(row[1], faults(row[0]), row[2]);
    }
  }

  /** #AC is looked for before the page tables, a canonical address before both. */
  @Test
  void alignmentBeforePagesAfterCanonicalAddresses() {
    for (long[] row : new long[][] {{0, 14}, {1, 17}, {2, 17}, {4, 14}}) {
      m.longMode().user();
      c.cr0 |= Cpu.CR0_AM;
      c.mmu.control(c.cr0, c.cr3, c.cr4, c.efer);
      m.flags(Flags.AC);
      c.r[Cpu.RBX] = UNMAPPED + row[0];
      assertEquals(row[1] == 14 ? "#14(4)" : "#17(0)", faults("8b 03"));
    }
    m.longMode().user();
    m.flags(Flags.AC);
    c.r[Cpu.RBX] = (1L << 50) + 1;
    assertEquals("#13(0)", faults("8b 03"));
    // not at CPL 0, and not without AM or AC
    m.longMode();
    c.cr0 |= Cpu.CR0_AM;
    c.mmu.control(c.cr0, c.cr3, c.cr4, c.efer);
    m.flags(Flags.AC);
    c.r[Cpu.RBX] = SystemMachine.USER_STACK + 1;
    assertEquals("", faults("8b 03"));
    m.user().flags(0);
    assertEquals("", faults("8b 03"));
  }

  /** An instruction breakpoint comes before the faults of fetching, decoding and executing. */
  @Test
  void breakpointsComeFirst() {
    for (long at : new long[] {SystemMachine.CODE, UNMAPPED}) {
      m.longMode();
      m.raised.clear();
      m.ram.write(SystemMachine.CODE, new byte[] {0x0f, 0x0b});
      c.dr[0] = at;
      c.dr[7] = 0x402;
      c.debug.load(c);
      c.rip = at;
      m.go(1);
      assertEquals(List.of("#1"), m.raised);
      assertEquals(at, m.stack(0, 8));
    }
  }

  // ---- Between two instructions -----------------------------------------------------------------

  /** A line that stays raised until it is acknowledged. */
  private final class Line implements InterruptSource {
    boolean raised = true;
    final List<Long> seen = new ArrayList<>();

    @Override
    public boolean pending() {
      return raised;
    }

    @Override
    public int acknowledge() {
      raised = false;
      seen.add(c.rip - SystemMachine.CODE);
      return 0x40;
    }
  }

  /**
   * Runs code with an interrupt pending from the start.
   *
   * @return how far it got before the interrupt was taken, or -1
   */
  private long window(int flags, String code, int instructions) {
    Line line = new Line();
    c.interrupts = line;
    m.raised.clear();
    m.flags(flags);
    m.run(code, instructions);
    return line.seen.isEmpty() ? -1 : line.seen.get(0);
  }

  @Test
  void interruptWindows() {
    m.protectedMode();
    c.r[Cpu.RAX] = SystemMachine.DATA0;
    Object[][] rows = {
      {Flags.IF, "90 90", 0L, "at once"},
      {0, "90 90 90", -1L, "masked"},
      {0, "fb 90 90 90", 2L, "STI: after one more instruction"},
      {0, "fb fa 90 90", -1L, "STI, CLI: never"},
      {Flags.IF, "fb 90 90", 0L, "STI while enabled"},
      {0, "fb fb 90 90", 2L, "the second STI makes no window"},
      {0, "fb 8e d0 90 90", 4L, "STI, MOV SS: the latter's window"},
      {0, "fb f4", 2L, "STI, HLT: taken by the halted processor"},
      // push 0x202; popf; nop
      {0, "68 02 02 00 00 9d 90 90", 6L, "POPF makes no window"},
    };
    for (Object[] row : rows) {
      m.protectedMode();
      c.r[Cpu.RAX] = SystemMachine.DATA0;
      assertEquals(row[2], window((int) row[0], (String) row[1], 4), (String) row[3]);
    }
    m.protectedMode();
    c.r[Cpu.RAX] = SystemMachine.DATA0;
    // mov ss, ax is under way when the line rises
    Line line = new Line();
    line.raised = false;
    c.interrupts = line;
    m.flags(Flags.IF);
    m.run("8e d0 90 90", 1);
    line.raised = true;
    m.go(2);
    assertEquals(List.of(3L), line.seen, "MOV SS: after one more instruction");
  }

  @Test
  void nonMaskableInterruptsWaitForMovSsAndForTheirReturn() {
    m.protectedMode();
    m.flags(0);
    c.r[Cpu.RAX] = SystemMachine.DATA0;
    m.run("8e d0 90 90", 1);
    c.nmiPending = true;
    m.go(1);
    assertEquals(SystemMachine.CODE + 3, c.rip);
    m.go(1);
    assertEquals(2, m.handler());
    assertEquals(SystemMachine.CODE + 3, m.stack(0, 4));
    c.nmiPending = true;
    long handler = c.rip;
    m.ram.write(SystemMachine.HANDLERS + 32, new byte[] {(byte) 0x90, (byte) 0x90, (byte) 0xcf});
    c.rip = SystemMachine.HANDLERS + 32;
    m.go(2);
    assertEquals(SystemMachine.HANDLERS + 34, c.rip, "blocked within its handler " + handler);
    m.go(2);
    assertEquals(SystemMachine.HANDLERS + 33, c.rip, "after IRET");
    assertEquals(SystemMachine.CODE + 3, m.stack(0, 4));
  }

  /** Traps of the instruction before come ahead of interrupts. */
  @Test
  void trapsBeforeInterrupts() {
    m.protectedMode();
    Line line = new Line();
    line.raised = false;
    c.interrupts = line;
    m.flags(Flags.TF | Flags.IF);
    m.vector(1, 0x8f, 0); // a trap gate keeps IF
    m.run("90 90", 1);
    line.raised = true;
    m.go(1);
    assertEquals(List.of("#1"), m.raised);
    assertEquals(
        List.of(SystemMachine.HANDLERS + 16 - SystemMachine.CODE),
        line.seen,
        "the interrupt meets the debug handler's first instruction");
  }
}
