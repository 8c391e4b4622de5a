package org.hypergraft.vmm.cpu.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Interrupt frames, stacks, gates, error codes, and exceptions during delivery. */
class InterruptDeliveryTest {
  private static final int INTERRUPT_GATE3 = 0xee;
  private static final int TRAP_GATE3 = 0xef;

  private final SystemMachine m = new SystemMachine();
  private final Cpu c = m.cpu;

  @AfterEach
  void close() {
    m.close();
  }

  @Test
  void longModeFromRing3SwitchesToRsp0AndAligns() {
    m.longMode().vector(0x80, INTERRUPT_GATE3, 0);
    m.ram.put64(SystemMachine.TSS + 4, SystemMachine.KERNEL_STACK + 8);
    m.user().flags(Flags.IF | Flags.DF | Flags.CF);
    m.run("cd80", 1);
    assertEquals(0x80, m.handler());
    assertEquals(0, c.cpl);
    assertEquals(SystemMachine.CODE0, c.sel[Cpu.CS]);
    assertEquals(0, c.sel[Cpu.SS]);
    assertEquals(SystemMachine.KERNEL_STACK - 40, c.r[Cpu.RSP]);
    assertEquals(SystemMachine.CODE + 2, m.stack(0, 8));
    assertEquals(SystemMachine.USER_CODE64, m.stack(1, 8));
    assertEquals(Flags.IF | Flags.DF | Flags.CF | 2, m.stack(2, 8));
    assertEquals(SystemMachine.USER_STACK, m.stack(3, 8));
    assertEquals(SystemMachine.USER_DATA, m.stack(4, 8));
    assertEquals(0, c.sysFlags & Flags.IF);
    assertEquals(Flags.DF, c.sysFlags & Flags.DF);
  }

  @Test
  void trapGateLeavesInterruptsOn() {
    m.longMode().vector(0x80, TRAP_GATE3, 0);
    m.user().flags(Flags.IF | Flags.NT);
    m.run("cd80", 1);
    assertEquals(Flags.IF, c.sysFlags & (Flags.IF | Flags.NT));
  }

  @Test
  void sameRingKeepsTheStackButAlignsIt() {
    m.longMode();
    c.r[Cpu.RSP] = 0x1_f00b;
    m.run("0f0b", 1);
    assertEquals(List.of("#6"), m.raised);
    assertEquals(0x1_f000 - 40, c.r[Cpu.RSP]);
    assertEquals(SystemMachine.CODE, m.stack(0, 8));
    assertEquals(Flags.RF | 2, m.stack(2, 8), "faults push RF");
    assertEquals(0x1_f00b, m.stack(3, 8));
    assertEquals(SystemMachine.DATA0, m.stack(4, 8));
    assertEquals(SystemMachine.DATA0, c.sel[Cpu.SS]);
  }

  @Test
  void interruptStackTableWinsEvenInTheSameRing() {
    m.longMode().vector(6, 0x8e, 1);
    m.run("0f0b", 1);
    assertEquals(SystemMachine.IST_STACK - 40, c.r[Cpu.RSP]);
  }

  @Test
  void pageFaultPushesItsCodeAndSetsCr2() {
    m.longMode().user();
    m.run("488b042500001000 ", 1); // mov rax, [0x100000]: mapped
    assertTrue(m.raised.isEmpty());
    m.run("48a1 0000004000000000", 1); // mov rax, [0x40000000]: not mapped
    assertEquals(List.of("#14(4)"), m.raised);
    assertEquals(0x4000_0000L, c.cr2);
    assertEquals(4, m.stack(0, 8));
    assertEquals(SystemMachine.CODE + 8, m.stack(1, 8));
  }

  @Test
  void gateChecksOfSoftwareInterrupts() {
    m.longMode();
    int code = 0x80 << 3 | 2;
    m.user().run("cd80", 1); // DPL 0 gate
    assertEquals("#13(" + code + ")", last());
    m.vector(0x80, 0x6e, 0); // not present
    m.user().run("cd80", 1);
    assertEquals("#11(" + code + ")", last());
    m.vector(0x80, 0xec, 0); // call gate type
    m.user().run("cd80", 1);
    assertEquals("#13(" + code + ")", last());
    m.vector(0x80, 0xe6, 0); // 16-bit interrupt gate, not in long mode
    m.user().run("cd80", 1);
    assertEquals("#13(" + code + ")", last());
    c.idtLimit = 0x80 * 16 + 14;
    m.user().run("cd80", 1);
    assertEquals("#13(" + code + ")", last());
  }

  @Test
  void gateTargetsAreChecked() {
    m.longMode();
    int[][] cases = {
      {0, 0}, // null selector
      {SystemMachine.DATA0, SystemMachine.DATA0}, // data
      {SystemMachine.USER_CODE32, SystemMachine.USER_CODE32 & ~3}, // 32-bit code
      {0x1f8, 0x1f8}, // beyond the table
    };
    for (int[] each : cases) {
      m.gate(SystemMachine.IDT + 0x80 * 16, each[0], SystemMachine.HANDLERS, 0xee, 0);
      m.user().run("cd80", 1);
      assertEquals("#13(" + each[1] + ")", last());
    }
    m.descriptor(SystemMachine.SCRATCH, 0, 0xfffff, 0xa01b); // 64-bit code, not present
    m.gate(SystemMachine.IDT + 0x80 * 16, SystemMachine.SCRATCH, SystemMachine.HANDLERS, 0xee, 0);
    m.user().run("cd80", 1);
    assertEquals("#11(" + SystemMachine.SCRATCH + ")", last());
  }

  private String last() {
    return m.raised.get(m.raised.size() - 1);
  }

  @Test
  void hardwareEventsSetExt() {
    m.longMode().vector(6, 0x6e, 0); // #UD gate not present
    m.run("0f0b", 1);
    assertEquals(11, m.handler());
    assertEquals(6 << 3 | 2 | 1, m.stack(0, 8));
  }

  @Test
  void contributoryPairsMakeADoubleFault() {
    m.longMode().vector(13, 0x6e, 0); // #GP not deliverable: #NP while delivering #GP
    c.r[Cpu.RCX] = 0x1234_5678;
    m.run("0f32", 1); // rdmsr of an unknown register
    assertEquals(8, m.handler());
    assertEquals(0, m.stack(0, 8));
  }

  @Test
  void pageFaultDuringPageFaultIsDouble() {
    m.longMode().vector(14, 0x8e, 1);
    m.vector(8, 0x8e, 2);
    m.ram.put64(SystemMachine.TSS + 36, 0x5000_0000L); // IST1 unmapped
    m.ram.put64(SystemMachine.TSS + 44, SystemMachine.IST_STACK);
    m.run("48a1 0000004000000000", 1);
    assertEquals(8, m.handler());
    assertEquals(0x5000_0000L - 8, c.cr2);
    assertFalse(c.shutdown);
  }

  @Test
  void benignThenFaultIsServedInTurn() {
    m.longMode().vector(6, 0x8e, 1);
    m.ram.put64(SystemMachine.TSS + 36, 0x5000_0000L);
    m.run("0f0b", 1); // #UD, then #PF delivering it
    assertEquals(14, m.handler());
    assertEquals(2, m.stack(0, 8));
    assertEquals(SystemMachine.CODE, m.stack(1, 8));
  }

  @Test
  void faultDuringDoubleFaultShutsDown() {
    m.longMode();
    c.idtLimit = 0;
    m.run("0f0b", 1);
    assertTrue(c.shutdown);
  }

  @Test
  void badStackOfTheTssIsReported() {
    m.longMode().vector(0x80, INTERRUPT_GATE3, 0);
    m.ram.put64(SystemMachine.TSS + 4, 0x1234_0000_0000_0000L);
    m.user().run("cd80", 1);
    assertEquals("#12(0)", m.raised.get(0));
    c.shutdown = false;
    c.trLimit = 8;
    m.raised.clear();
    m.user().run("cd80", 1);
    assertEquals("#10(" + SystemMachine.TSS_SELECTOR + ")", m.raised.get(0));
  }

  // ---- 32-bit protected mode -------------------------------------------------------------------

  @Test
  void protectedModeFromRing3() {
    m.protectedMode().vector(0x80, INTERRUPT_GATE3, 0);
    m.user().flags(Flags.IF | Flags.ZF);
    m.run("cd80", 1);
    assertEquals(0x80, m.handler());
    assertEquals(SystemMachine.DATA0, c.sel[Cpu.SS]);
    assertEquals(SystemMachine.KERNEL_STACK - 20, c.r[Cpu.RSP]);
    assertEquals(SystemMachine.CODE + 2, m.stack(0, 4));
    assertEquals(SystemMachine.USER_CODE32, m.stack(1, 4));
    assertEquals(Flags.IF | Flags.ZF | 2, m.stack(2, 4));
    assertEquals(SystemMachine.USER_STACK, m.stack(3, 4));
    assertEquals(SystemMachine.USER_DATA, m.stack(4, 4));
  }

  @Test
  void sixteenBitGatePushesWords() {
    m.protectedMode().vector(0x80, 0x86, 0);
    m.gate(SystemMachine.IDT + 0x80 * 8, SystemMachine.CODE0, 0x9000, 0x86, 0);
    m.run("cd80", 1);
    assertEquals(0x9000, c.rip);
    assertEquals(SystemMachine.KERNEL_STACK - 0x1000 - 6, c.r[Cpu.RSP]);
    assertEquals(SystemMachine.CODE + 2, m.stack(0, 2));
    assertEquals(SystemMachine.CODE0, m.stack(1, 2));
  }

  @Test
  void innerStackSegmentChecks() {
    int[][] cases = {
      {0, 10, 0}, // null
      {SystemMachine.USER_DATA, 10, SystemMachine.USER_DATA & ~3}, // wrong RPL and DPL
      {SystemMachine.CODE0, 10, SystemMachine.CODE0}, // not writable data
      {0x1f8, 10, 0x1f8}, // beyond the table
      {SystemMachine.SCRATCH, 12, SystemMachine.SCRATCH}, // not present
    };
    m.protectedMode().vector(0x80, INTERRUPT_GATE3, 0);
    m.descriptor(SystemMachine.SCRATCH, 0, 0xfffff, 0xc013);
    for (int[] each : cases) {
      m.ram.put32(SystemMachine.TSS + 8, each[0]);
      m.raised.clear();
      c.shutdown = false;
      m.user().run("cd80", 1);
      assertEquals("#" + each[1] + "(" + each[2] + ")", m.raised.get(0));
    }
  }

  @Test
  void virtual8086FrameHoldsTheDataSegments() {
    m.protectedMode().vector(13, 0x8e, 0);
    enterV8086();
    m.run("fb", 1); // sti with IOPL 0
    assertEquals(List.of("#13(0)"), m.raised);
    assertEquals(0, c.sysFlags & Flags.VM);
    assertEquals(0, m.stack(0, 4));
    assertEquals(0x100, m.stack(1, 4));
    assertEquals(0x800, m.stack(2, 4));
    assertEquals(Flags.VM | Flags.RF | 2, m.stack(3, 4));
    assertEquals(0x700, m.stack(4, 4));
    assertEquals(0x900, m.stack(5, 4));
    assertEquals(0xa00, m.stack(6, 4));
    assertEquals(0xb00, m.stack(7, 4));
    assertEquals(0xc00, m.stack(8, 4));
    assertEquals(0xd00, m.stack(9, 4));
    assertEquals(0, c.sel[Cpu.DS]);
    c.rip = SystemMachine.CODE;
    c.r[Cpu.RSP] += 4;
    m.run("cf", 1); // and back
    assertEquals(Flags.VM, c.sysFlags & Flags.VM);
    assertEquals(0x8100, c.segBase[Cpu.CS] + c.rip);
    assertEquals(0xa000, c.segBase[Cpu.ES]);
    assertEquals(3, c.cpl);
  }

  /** By IRET, as a monitor does. */
  private void enterV8086() {
    int[] frame = {0x100, 0x800, Flags.VM | 2, 0x700, 0x900, 0xa00, 0xb00, 0xc00, 0xd00};
    c.r[Cpu.RSP] = 0x1_0000 - 4 * frame.length;
    for (int i = 0; i < frame.length; i++) {
      m.ram.put32(c.r[Cpu.RSP] + 4L * i, frame[i]);
    }
    m.run("cf", 1);
    assertEquals(0x7000, c.segBase[Cpu.SS] - 0x2000);
  }

  @Test
  void doubleFaultThroughATaskGate() {
    m.protectedMode();
    m.descriptor(SystemMachine.SCRATCH, SystemMachine.TSS2, 0x67, 0x89);
    m.gate(SystemMachine.IDT + 8 * 8, SystemMachine.SCRATCH, 0, 0x85, 0);
    long t = SystemMachine.TSS2;
    m.ram.put32(t + 32, 0x9000);
    m.ram.put32(t + 36, 2);
    m.ram.put32(t + 40 + 4 * Cpu.RSP, 0x2_4000);
    m.ram.put32(t + 40 + 4 * Cpu.RBX, 0x1234_5678);
    int[] selectors = {0x10, 0x08, 0x10, 0x10, 0, 0};
    for (int i = 0; i < 6; i++) {
      m.ram.put32(t + 72 + 4L * i, selectors[i]);
    }
    m.vector(13, 0x0e, 0);
    m.vector(11, 0x0e, 0);
    m.ram.put8(0x9000, 0xf4);
    c.r[Cpu.RBX] = 0x55;
    c.r[Cpu.RCX] = 0x1234_5678;
    m.run("0f32", 1); // #GP, #NP delivering it: double fault
    assertEquals(0x9001, c.rip);
    assertEquals(0x1234_5678, c.r[Cpu.RBX]);
    assertEquals(0x2_4000 - 4, c.r[Cpu.RSP]);
    assertEquals(0, m.stack(0, 4));
    assertEquals(SystemMachine.SCRATCH, c.trSel);
    assertEquals(SystemMachine.TSS_SELECTOR, m.ram.u16(t), "back link");
    assertEquals(0x55, m.ram.u32(SystemMachine.TSS + 40 + 4 * Cpu.RBX));
    assertEquals((int) SystemMachine.CODE, m.ram.u32(SystemMachine.TSS + 32));
    assertEquals(Flags.NT, c.sysFlags & Flags.NT);
    assertTrue((c.cr0 & Cpu.CR0_TS) != 0);
    c.r[Cpu.RSP] += 4;
    m.run("cf", 1); // IRET with NT: back to the first task
    assertEquals(SystemMachine.TSS_SELECTOR, c.trSel);
    assertEquals(0x55, c.r[Cpu.RBX]);
    assertEquals(SystemMachine.CODE, c.rip);
  }

  // ---- Real mode -------------------------------------------------------------------------------

  @Test
  void realModeVectorTableAndReturn() {
    m.realMode().flags(Flags.IF | Flags.CF);
    m.ram.put16(0x21 * 4, 0x0010);
    m.ram.put16(0x21 * 4 + 2, 0x0900);
    m.run("cd21", 1);
    assertEquals(0x10, c.rip);
    assertEquals(0x9000, c.segBase[Cpu.CS]);
    assertEquals(0x6ffa, c.r[Cpu.RSP]);
    assertEquals(0x8002, m.stack(0, 2));
    assertEquals(0, m.stack(1, 2));
    assertEquals(Flags.IF | Flags.CF | 2, m.stack(2, 2));
    assertEquals(0, c.sysFlags & Flags.IF);
    m.run("cf", 1);
    assertEquals(0x8002, c.rip);
    assertEquals(Flags.IF | Flags.CF | 2, Flags.get(c));
  }

  @Test
  void singleStepTrapsAfterEachInstruction() {
    m.longMode().flags(Flags.TF);
    m.run("9090", 1);
    assertEquals(List.of("#1"), m.raised);
    assertEquals(1 << 14, c.dr[6] & 1 << 14);
    assertEquals(SystemMachine.CODE + 1, m.stack(0, 8));
    assertEquals(0, c.sysFlags & Flags.TF);
  }
}
