package org.hypergraft.vmm.cpu.interpret;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.junit.jupiter.api.Test;

/** Counting, self-modifying code, devices and interrupts of the run loop. */
class EngineTest {
  /**
   * mov ecx,5; l: add rax,rcx; dec ecx; jnz l; push rax; pop rbx; call f; jmp $; f: inc rdx; ret.
   */
  private static final String PROGRAM =
      "b9 05 00 00 00  48 01 c8  ff c9  75 f9  50  5b  e8 02 00 00 00  eb fe  48 ff c2  c3";

  /** Everything a program can see, and where it is. */
  private static String state(TestMachine m) {
    StringBuilder s = new StringBuilder(Long.toHexString(m.cpu.rip));
    for (int i = 0; i < 16; i++) {
      s.append(' ').append(Long.toHexString(m.cpu.r[i]));
    }
    return s.append(" f=").append(Integer.toHexString(Flags.get(m.cpu))).toString();
  }

  @Test
  void stopsExactlyWhereverTheSliceEnds() {
    int total = 30;
    String[] stepped = new String[total + 1];
    try (TestMachine m = new TestMachine()) {
      m.code(PROGRAM);
      stepped[0] = state(m);
      for (int i = 1; i <= total; i++) {
        assertEquals(Engine.Exit.COUNT, m.run(1));
        assertEquals(i, m.cpu.retired());
        stepped[i] = state(m);
      }
      assertEquals(15, m.cpu.r[Cpu.RBX]);
      assertEquals(1, m.cpu.r[Cpu.RDX]);
    }
    for (int first = 0; first <= total; first++) {
      try (TestMachine m = new TestMachine()) {
        m.code(PROGRAM);
        m.run(first);
        assertEquals(stepped[first], state(m), "after " + first);
        m.run(total - first);
        assertEquals(stepped[total], state(m), "in two slices, the first of " + first);
      }
    }
  }

  @Test
  void faultLeavesCountAndRipBeforeTheInstruction() {
    try (TestMachine m = new TestMachine()) {
      // inc eax; xor ecx,ecx; div ecx
      m.code("ff c0  31 c9  f7 f1  ff c0  eb fe");
      assertEquals(Engine.Exit.REQUESTED, m.run(100));
      assertEquals(List.of("#0 at 1004 after 2"), m.events);
      assertEquals(1, m.cpu.r[Cpu.RAX]);
    }
  }

  @Test
  void nonCanonicalStackRaisesStackFault() {
    try (TestMachine m = new TestMachine()) {
      m.mmu.control(0, 0, 0, Cpu.EFER_LMA);
      m.cpu.r[Cpu.RSP] = 1L << 62;
      m.code("50");
      m.run(1);
      m.cpu.rip = TestMachine.CODE;
      m.cpu.r[Cpu.RBX] = 1L << 62;
      m.code("8b 03");
      m.run(1);
      assertEquals(List.of("#12 at 1000 after 0", "#13 at 1000 after 0"), m.events);
    }
  }

  @Test
  void undefinedInstructionFaults() {
    try (TestMachine m = new TestMachine()) {
      m.code("90 0f 0b");
      m.run(100);
      assertEquals(List.of("#6 at 1001 after 1"), m.events);
    }
  }

  @Test
  void storeIntoTheRunningBlockTakesEffectAtOnce() {
    try (TestMachine m = new TestMachine()) {
      // mov byte [rip+4], 0xc3 turns the second inc eax (ff c0) into ff c3 = inc ebx
      m.code("c6 05 03 00 00 00 c3  ff c0  ff c0  eb fe");
      m.run(4);
      assertEquals(1, m.cpu.r[Cpu.RAX]);
      assertEquals(1, m.cpu.r[Cpu.RBX]);
      assertEquals(4, m.cpu.retired());
      assertEquals(0x100b, m.cpu.rip);
    }
  }

  @Test
  void linkedBlockIsDroppedWhenItsBytesChange() {
    try (TestMachine m = new TestMachine()) {
      // l: inc eax; jmp m; (pad) m: jmp l
      m.code("ff c0  eb 02  90 90  eb f8");
      m.run(300);
      assertEquals(100, m.cpu.r[Cpu.RAX]);
      m.ram.write(TestMachine.CODE + 1, new byte[] {(byte) 0xc3});
      m.run(300);
      assertEquals(100, m.cpu.r[Cpu.RAX]);
      assertEquals(100, m.cpu.r[Cpu.RBX]);
      assertTrue(m.engine.blocksKilled() > 0);
    }
  }

  @Test
  void instructionAcrossPagesIsDroppedByAWriteToEither() {
    try (TestMachine m = new TestMachine()) {
      // mov eax, imm32 with its last two bytes on the next page; jmp back
      m.cpu.rip = 0x1ffd;
      m.ram.write(0x1ffd, new byte[] {(byte) 0xb8, 1, 0, 0, 0, (byte) 0xeb, (byte) 0xf9});
      m.run(2);
      assertEquals(1, m.cpu.r[Cpu.RAX]);
      m.ram.put8(0x2001, 0x7f);
      m.run(2);
      assertEquals(0x7f000001L, m.cpu.r[Cpu.RAX]);
      m.ram.put8(0x1ffe, 2);
      m.run(2);
      assertEquals(0x7f000002L, m.cpu.r[Cpu.RAX]);
    }
  }

  @Test
  void devicesAreReachedWithAnExactClock() {
    try (TestMachine m = new TestMachine()) {
      m.cpu.r[Cpu.RBX] = 0x4000_0042L;
      // inc edx; mov eax,[rbx]; inc edx; mov [rbx],dl; inc edx; jmp $
      m.code("ff c2  8b 03  ff c2  88 13  ff c2  eb fe");
      m.run(6);
      assertEquals(List.of("read 4 at 2", "write 1 2 at 4"), m.device.log);
      assertEquals(0x42, m.cpu.r[Cpu.RAX]);
      assertEquals(3, m.cpu.r[Cpu.RDX]);
      assertEquals(6, m.cpu.retired());
    }
  }

  @Test
  void stiHoldsInterruptsBackForOneInstruction() {
    try (TestMachine m = new TestMachine()) {
      m.line.raised = true;
      // inc eax; sti; inc eax; inc eax; jmp $
      m.code("ff c0  fb  ff c0  ff c0  eb fe");
      m.run(10);
      assertEquals(List.of("int 64 at 1005 after 3"), m.events);
    }
  }

  @Test
  void interruptRaisedBetweenSlicesInsideTheShadowWaits() {
    try (TestMachine m = new TestMachine()) {
      m.code("ff c0  fb  ff c0  ff c0  eb fe");
      m.run(2);
      m.line.raised = true;
      m.run(10);
      assertEquals(List.of("int 64 at 1005 after 3"), m.events);
    }
  }

  @Test
  void popfThatEnablesInterruptsTakesThemAtOnce() {
    try (TestMachine m = new TestMachine()) {
      m.line.raised = true;
      // push 0x202; popf; inc eax; jmp $
      m.code("68 02 02 00 00  9d  ff c0  eb fe");
      m.run(10);
      assertEquals(List.of("int 64 at 1006 after 2"), m.events);
    }
  }

  @Test
  void repeatedMoveRetiresOnceAndSpreadsPatterns() {
    try (TestMachine m = new TestMachine()) {
      m.ram.put8(0x8ff0, 0x5a);
      m.cpu.r[Cpu.RSI] = 0x8ff0;
      m.cpu.r[Cpu.RDI] = 0x8ff1;
      m.cpu.r[Cpu.RCX] = 0x2000;
      m.code("f3 a4  eb fe");
      m.run(1);
      assertEquals(0, m.cpu.r[Cpu.RCX]);
      assertEquals(0xaff1, m.cpu.r[Cpu.RDI]);
      assertEquals(0x5a, m.ram.u8(0xaff0));
      assertEquals(0, m.ram.u8(0xaff1));
    }
  }

  @Test
  void endlessRepetitionSpendsTheBudget() {
    try (TestMachine m = new TestMachine()) {
      m.cpu.r[Cpu.RCX] = Long.MIN_VALUE;
      m.cpu.r[Cpu.RSI] = TestMachine.DATA;
      m.cpu.r[Cpu.RDI] = TestMachine.DATA;
      // repe cmpsb of zeros
      m.code("f3 a6  eb fe");
      assertEquals(Engine.Exit.COUNT, m.run(2));
      assertEquals(2, m.cpu.retired());
      assertEquals(TestMachine.CODE, m.cpu.rip);
      assertEquals(1 << 23, Long.MIN_VALUE - m.cpu.r[Cpu.RCX]);
      assertEquals(TestMachine.DATA + (1 << 23), m.cpu.r[Cpu.RSI]);
    }
  }

  @Test
  void repeatedStoreOverItsOwnCodeKeepsGoing() {
    try (TestMachine m = new TestMachine()) {
      m.cpu.r[Cpu.RDI] = TestMachine.CODE + 2;
      m.cpu.r[Cpu.RCX] = 4;
      m.cpu.r[Cpu.RAX] = 0x90;
      // rep stosb over two ud2, then jmp $
      m.code("f3 aa  0f 0b 0f 0b  eb fe");
      m.run(10);
      assertEquals(List.of(), m.events);
      assertEquals(0x1006, m.cpu.rip);
    }
  }

  @Test
  void trapFlagStepsWithADebugExceptionAfterEachInstruction() {
    try (TestMachine m = new TestMachine()) {
      // push 0x102; popf; inc eax; inc eax
      m.code("68 02 01 00 00  9d  ff c0  ff c0  eb fe");
      assertEquals(Engine.Exit.REQUESTED, m.run(10));
      assertEquals(List.of("#1 at 1008 after 3"), m.events);
      assertEquals(1 << 14, m.cpu.dr[6] & 1 << 14);
    }
  }

  @Test
  void flat32BitCodeWrapsAddressesAndPushesFourBytes() {
    try (TestMachine m = new TestMachine()) {
      m.mode(1);
      m.cpu.r[Cpu.RBX] = 0xffff_fff0L;
      m.ram.put32(0x8000, 0x12345678);
      // enter 16,0; mov eax,[ebx+0x8010]; push eax; pop ecx; leave; jmp $
      m.cpu.r[Cpu.RBP] = 0x1234;
      m.code("c8 10 00 00  8b 83 10 80 00 00  50  59  c9  eb fe");
      m.run(5);
      assertEquals(0x1234, m.cpu.r[Cpu.RBP]);
      assertEquals(0x12345678, m.cpu.r[Cpu.RCX]);
      assertEquals(TestMachine.STACK, m.cpu.r[Cpu.RSP]);
      assertEquals(0x12345678, m.ram.u32(TestMachine.STACK - 24));
      assertEquals(0x1234, m.ram.u32(TestMachine.STACK - 4));
    }
  }
}
