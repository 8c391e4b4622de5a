package org.hypergraft.vmm.cpu.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Breakpoints, single stepping and general detect: Intel SDM vol. 3, 18.2 and 18.3. */
class DebugExceptionsTest {
  private static final long CODE = SystemMachine.CODE;
  private static final long DATA = 0x3_8000;
  private static final int BD = 1 << 13;
  private static final int BS = 1 << 14;
  private static final int BT = 1 << 15;

  private static final int EXECUTE = 0;
  private static final int WRITE = 1;
  private static final int PORT = 2;
  private static final int ACCESS = 3;

  private final SystemMachine m = new SystemMachine();
  private final Cpu c = m.cpu;

  @AfterEach
  void close() {
    m.close();
  }

  /** Enables a breakpoint globally. */
  private void breakpoint(int slot, int kind, long address, int length) {
    int len = length == 8 ? 2 : length - 1;
    c.dr[slot] = address;
    c.dr[7] &= ~(0xfL << 16 + 4 * slot);
    c.dr[7] |= 2L << 2 * slot | (long) (kind | len << 2) << 16 + 4 * slot;
    c.debug.load(c);
  }

  private void noBreakpoints() {
    c.dr[6] = 0;
    c.dr[7] = 0x400;
    c.debug.load(c);
    m.raised.clear();
  }

  /** The debug handler was entered once; returns the address it would return to. */
  private long trappedAt(int dr6) {
    assertEquals(List.of("#1"), m.raised);
    assertEquals(dr6, c.dr[6] & 0xe00f);
    assertEquals(1, m.handler());
    m.raised.clear();
    c.dr[6] = 0;
    return m.stack(0, c.longMode() ? 8 : 4);
  }

  // ---- Data breakpoints -----------------------------------------------------------------------

  /** Every length, distance, operand size and direction. */
  @Test
  void dataBreakpointsMatchOverlapAndDirection() {
    int cases = 0;
    for (int kind : new int[] {WRITE, ACCESS}) {
      for (int length = 1; length <= 8; length *= 2) {
        for (int size = 1; size <= 8; size *= 2) {
          for (int at = -8; at <= 8; at++) {
            for (int direction = 0; direction < 3; direction++) {
              boolean overlaps = at < length && at + size > 0;
              data(kind, length, size, at, direction, overlaps && (direction > 0 || kind != WRITE));
              cases++;
            }
          }
        }
      }
    }
    assertEquals(1632, cases);
  }

  /**
   * @param direction 0 = MOV from memory, 1 = MOV to memory, 2 = NOT memory
   */
  private void data(int kind, int length, int size, int at, int direction, boolean hits) {
    m.longMode();
    noBreakpoints();
    m.ram.fill(DATA - 32, 64, 0);
    breakpoint(2, kind, DATA, length);
    String prefix = size == 2 ? "66" : size == 8 ? "48" : "";
    int opcode = (direction == 0 ? 0x8a : direction == 1 ? 0x88 : 0xf6) | (size == 1 ? 0 : 1);
    String code = prefix + Integer.toHexString(opcode) + (direction == 2 ? "53" : "43");
    c.r[Cpu.RBX] = DATA;
    c.r[Cpu.RAX] = -1;
    String what = kind + " " + length + ": " + code + " at " + at;
    m.run("90 90" + code + hex(at), 2);
    m.go(1);
    assertEquals(hits ? List.of("#1") : List.of(), m.raised, what);
    assertEquals(direction == 0 ? 0 : (byte) -1, (byte) m.ram.u8(DATA + at), what);
    if (hits) {
      int bytes = prefix.length() / 2 + 3;
      assertEquals(CODE + 2 + bytes, trappedAt(1 << 2), what);
      assertEquals(0, m.stack(2, 8) & Flags.RF, "a trap");
    }
  }

  private static String hex(int disp8) {
    return String.format("%02x", disp8 & 0xff);
  }

  @Test
  void breakpointsReachCodeThatRunsCompiled() {
    try (SystemMachine hot = new SystemMachine().compiled()) {
      Cpu h = hot.cpu;
      hot.longMode();
      h.r[Cpu.RBX] = DATA;
      h.r[Cpu.RCX] = 3000;
      // 1: mov [rbx], eax; add rbx, 8; dec ecx; jnz 1
      hot.run("89 03 48 83 c3 08 ff c9 75 f6", 4 * 500);
      assertEquals(List.of(), hot.raised);
      h.dr[0] = DATA + 8 * 1000;
      h.dr[7] = 0x400 | 2 | 0xd << 16;
      h.debug.load(h);
      long before = h.retired();
      hot.go(4 * 2500 + 1);
      assertEquals(List.of("#1"), hot.raised);
      assertEquals(CODE + 2, hot.stack(0, 8));
      assertEquals(3000 - 1000, h.r[Cpu.RCX]);
      assertEquals(before + 4 * 500 + 1 + 1, h.retired(), "the store, and the handler's HLT");
      h.dr[0] = CODE + 6; // dec ecx
      h.dr[7] = 0x402;
      h.debug.load(h);
      hot.raised.clear();
      h.rip = CODE + 2;
      h.r[Cpu.RSP] += 40;
      hot.go(100);
      assertEquals(List.of("#1"), hot.raised);
      assertEquals(CODE + 6, hot.stack(0, 8));
    }
  }

  @Test
  void severalBreakpointsOfOneInstructionComeTogether() {
    m.longMode();
    breakpoint(0, ACCESS, DATA, 1);
    breakpoint(1, WRITE, DATA + 8, 4);
    breakpoint(3, WRITE, DATA + 8, 4);
    c.r[Cpu.RSI] = DATA;
    c.r[Cpu.RDI] = DATA + 8;
    m.run("a5", 1); // movsd
    m.go(0);
    assertEquals(CODE + 1, trappedAt(0b1011));
  }

  @Test
  void stringInstructionsStopAfterTheElementThatMatched() {
    for (String code : new String[] {"f3aa", "f3a4"}) { // rep stosb, rep movsb
      m.longMode();
      noBreakpoints();
      breakpoint(0, WRITE, DATA + 100, 1);
      c.r[Cpu.RSI] = DATA + 0x1000;
      c.r[Cpu.RDI] = DATA;
      c.r[Cpu.RCX] = 300;
      m.run(code, 1000);
      assertEquals(CODE, trappedAt(1), "between elements");
      assertEquals(DATA + 101, c.r[Cpu.RDI]);
      assertEquals(199, c.r[Cpu.RCX]);
    }
  }

  @Test
  void aFaultingInstructionDropsItsDataBreakpoint() {
    m.longMode();
    breakpoint(0, ACCESS, DATA, 8);
    c.r[Cpu.RSI] = DATA;
    c.r[Cpu.RDI] = 1L << 40;
    m.run("a5", 10);
    assertEquals(List.of("#14(2)"), m.raised);
    assertEquals(0, c.dr[6] & 0xf);
  }

  @Test
  void deliveryItselfMatchesNothing() {
    m.longMode();
    breakpoint(0, ACCESS, c.r[Cpu.RSP] - 8, 8);
    m.run("cc", 10);
    assertEquals(List.of(), m.raised);
    assertEquals(3, m.handler());
  }

  // ---- Instruction breakpoints ------------------------------------------------------------------

  @Test
  void instructionBreakpointsAreFaultsThatRfPasses() {
    for (boolean wide : new boolean[] {true, false}) {
      SystemMachine mode = wide ? m.longMode() : m.protectedMode();
      noBreakpoints();
      breakpoint(1, EXECUTE, CODE + 2, 1);
      c.r[Cpu.RCX] = 0;
      mode.run("ff c1 ff c1 ff c1 ff c1", 10);
      assertEquals(1, c.r[Cpu.RCX]);
      int slot = c.longMode() ? 8 : 4;
      assertEquals(CODE + 2, trappedAt(1 << 1));
      long image = m.stack(2, slot);
      assertEquals(0, image & Flags.RF, "the image of this fault has RF clear");
      // as a handler does: RF into the image, IRET
      m.ram.put32(c.r[Cpu.RSP] + 2L * slot, (int) image | Flags.RF);
      long handler = c.rip;
      m.run(slot == 8 ? "48 cf" : "cf", 1);
      m.go(1);
      assertEquals(2, c.r[Cpu.RCX]);
      assertEquals(0, c.sysFlags & Flags.RF, "for one instruction");
      assertEquals(List.of(), m.raised);
      m.ram.put16(handler, 0xf4f4);
      c.rip = CODE;
      m.go(10);
      assertEquals(CODE + 2, trappedAt(1 << 1), "again");
    }
  }

  @Test
  void faultsHaveRfInTheirImageAndTrapsHaveNot() {
    m.longMode();
    m.run("0f 0b", 1);
    assertEquals(List.of("#6"), m.raised);
    assertNotEquals(0, m.stack(2, 8) & Flags.RF);
    m.longMode();
    m.run("cc", 1);
    assertEquals(0, m.stack(2, 8) & Flags.RF);
  }

  @Test
  void onlyTheFirstByteOfAnInstructionMatches() {
    m.longMode();
    breakpoint(0, EXECUTE, CODE + 1, 1);
    m.run("ff c1 ff c1", 2);
    assertEquals(List.of(), m.raised);
  }

  @Test
  void instructionsOfOtherPagesRunInBlocks() {
    m.longMode();
    breakpoint(0, EXECUTE, CODE + 0x1000, 1);
    m.run("e9 fb 0f 00 00", 10); // jmp CODE + 0x1000
    assertEquals(CODE + 0x1000, trappedAt(1));
  }

  // ---- Ports and general detect -----------------------------------------------------------------

  @Test
  void portBreakpointsNeedDe() {
    m.longMode();
    breakpoint(0, PORT, 0x60, 2);
    m.run("e4 61", 1);
    m.go(0);
    assertEquals(List.of(), m.raised, "without CR4.DE");
    c.cr4 |= ControlRegisters.CR4_DE;
    c.debug.load(c);
    c.rip = CODE;
    m.run("e4 61", 1);
    m.go(0);
    assertEquals(CODE + 2, trappedAt(1), "a trap");
    m.longMode();
    c.cr4 |= ControlRegisters.CR4_DE;
    m.run("e4 5f e4 62 e5 5e", 2);
    assertEquals(List.of(), m.raised);
    m.go(1);
    assertEquals(CODE + 6, trappedAt(1), "four ports from 5Eh");
    m.longMode();
    c.r[Cpu.RDX] = 0x60;
    c.r[Cpu.RCX] = 5;
    c.r[Cpu.RSI] = DATA;
    m.run("f3 6e", 1); // rep outsb
    m.go(0);
    assertEquals(CODE, trappedAt(1));
    assertEquals(4, c.r[Cpu.RCX]);
  }

  @Test
  void generalDetectIsAFaultAndClearsItself() {
    m.longMode();
    c.dr[7] |= BD;
    m.run("0f 21 f8", 1); // mov rax, dr7
    assertEquals(CODE, trappedAt(BD));
    assertEquals(0, c.dr[7] & BD, "the handler may use the registers");
  }

  @Test
  void registersAreWrittenByInstructions() {
    m.longMode();
    c.r[Cpu.RAX] = DATA;
    c.r[Cpu.RCX] = 0x401 | 0x1 << 16; // L0, write, one byte
    m.run("0f 23 c0 0f 23 f9 c6 00 01", 3); // mov dr0, rax; mov dr7, rcx; mov byte [rax], 1
    m.go(0);
    assertEquals(CODE + 9, trappedAt(1));
    m.longMode();
    c.r[Cpu.RCX] = 1L << 32;
    m.run("0f 23 f9", 1);
    assertEquals(List.of("#13(0)"), m.raised);
  }

  // ---- Single step ------------------------------------------------------------------------------

  /** Single-steps code; the addresses to return to of every trap. */
  private List<Long> steps(String code, int instructions) {
    m.flags(Flags.TF);
    List<Long> at = new ArrayList<>();
    m.ram.write(
        c.segBase[Cpu.CS] + c.rip, java.util.HexFormat.of().parseHex(code.replace(" ", "")));
    for (int i = 0; i < instructions; i++) {
      long sp = c.r[Cpu.RSP];
      m.go(1);
      m.go(0);
      if (m.raised.isEmpty()) {
        continue;
      }
      assertEquals(List.of("#1"), m.raised);
      assertEquals(BS, c.dr[6] & 0xe00f);
      m.raised.clear();
      boolean real = (c.cr0 & Cpu.CR0_PE) == 0;
      int slot = c.longMode() ? 8 : real ? 2 : 4;
      long ip = m.stack(0, slot);
      at.add(ip - CODE);
      c.rip = ip;
      m.flags((int) m.stack(2, slot));
      c.r[Cpu.RSP] = c.longMode() ? m.stack(3, 8) : c.r[Cpu.RSP] + 3 * slot;
      assertEquals(sp, c.r[Cpu.RSP]);
    }
    return at;
  }

  @Test
  void singleStepInEveryMode() {
    String code = "40 90 90 f5 f5"; // inc ax / rex nop; nop; cmc; cmc
    m.longMode();
    assertEquals(List.of(2L, 3L, 4L), steps(code, 3));
    m.protectedMode();
    c.dr[6] = 0;
    assertEquals(List.of(1L, 2L, 3L), steps(code, 3));
    m.realMode();
    c.dr[6] = 0;
    m.ram.put16(4, 0x9000);
    m.ram.put16(6, 0);
    assertEquals(List.of(1L, 2L, 3L), steps(code, 3));
  }

  @Test
  void repeatedInstructionsTrapAfterEachElement() {
    m.longMode();
    c.r[Cpu.RDI] = DATA;
    c.r[Cpu.RCX] = 3;
    assertEquals(List.of(0L, 0L, 2L, 3L), steps("f3 ab 90", 4));
    m.longMode();
    c.r[Cpu.RSI] = DATA;
    c.r[Cpu.RDI] = DATA;
    c.r[Cpu.RCX] = 2;
    c.dr[6] = 0;
    assertEquals(List.of(0L, 2L), steps("f3 a6", 2));
  }

  @Test
  void popfAndMovSsDelayTheTrap() {
    m.longMode();
    m.flags(0);
    // push 0x102; popf; nop
    m.run("68 02 01 00 00 9d 90", 2);
    m.go(0);
    assertEquals(List.of(), m.raised, "TF was clear when POPF began");
    m.go(1);
    m.go(0);
    assertEquals(CODE + 7, trappedAt(BS));
    m.protectedMode();
    c.r[Cpu.RAX] = SystemMachine.DATA0;
    // mov ss, ax; nop; nop
    assertEquals(List.of(3L, 4L), steps("8e d0 90 90", 3));
  }

  @Test
  void interruptsOfInstructionsAreNotStepped() {
    m.longMode();
    m.flags(Flags.TF);
    m.run("cd 80", 1);
    m.go(0);
    assertEquals(List.of(), m.raised);
    assertEquals(0x80, m.handler());
    assertNotEquals(0, m.stack(2, 8) & Flags.TF, "the image keeps it");
  }

  @Test
  void syscallIsSteppedUnlessItsMaskClearsTf() {
    for (boolean masked : new boolean[] {true, false}) {
      m.longMode();
      m.raised.clear();
      c.dr[6] = 0;
      c.efer |= Cpu.EFER_SCE;
      c.star = (long) SystemMachine.CODE0 << 32;
      c.lstar = 0x9000;
      c.fmask = masked ? Flags.TF : 0;
      m.flags(Flags.TF);
      m.run("0f 05", 1);
      m.go(0);
      if (masked) {
        assertEquals(List.of(), m.raised);
      } else {
        assertEquals(0x9000, trappedAt(BS));
      }
    }
  }

  @Test
  void dataBreakpointOfMovSsWaitsForTheNextInstruction() {
    m.protectedMode();
    m.ram.put16(DATA, SystemMachine.DATA0);
    breakpoint(0, ACCESS, DATA, 2);
    c.r[Cpu.RBX] = DATA;
    m.run("8e 13 cc", 2); // mov ss, [ebx]; int3
    m.go(0);
    // the trap of the load comes before the first instruction of INT3's handler
    assertEquals(SystemMachine.HANDLERS + 3 * 16, trappedAt(1));
    assertEquals(CODE + 3, m.stack(3, 4));
  }

  @Test
  void taskSwitchEndsLocalBreakpointsAndTrapsOnDemand() {
    m.protectedMode();
    m.descriptor(SystemMachine.SCRATCH, SystemMachine.TSS2, 0x67, 0x89);
    long t = SystemMachine.TSS2;
    m.ram.put32(t + 32, 0x9000);
    m.ram.put32(t + 36, 2);
    m.ram.put32(t + 40 + 4 * Cpu.RSP, 0x2_4000);
    int[] selectors = {0x10, 0x08, 0x10, 0x10, 0, 0};
    for (int i = 0; i < 6; i++) {
      m.ram.put32(t + 72 + 4L * i, selectors[i]);
    }
    m.ram.put16(t + 100, 1); // T
    c.dr[7] = 0x400 | 0xff | 0x300;
    m.run("ea 00 00 00 00 60 00", 1); // jmp SCRATCH:0
    m.go(0);
    assertEquals(0x9000, trappedAt(BT));
    assertEquals(0x400 | 0xaa | 0x200, c.dr[7]);
  }

  // ---- Nothing left behind ----------------------------------------------------------------------

  @Test
  void withoutBreakpointsMemoryIsReachedDirectly() {
    m.longMode();
    breakpoint(0, ACCESS, DATA, 8);
    assertEquals(0, c.mmu.hostWrite(DATA + 0x100));
    noBreakpoints();
    c.mmu.write8(DATA, 1);
    assertNotEquals(0, c.mmu.hostWrite(DATA + 0x100));
    assertTrue(!c.debug.active());
  }
}
