package org.hypergraft.vmm.cpu.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Far calls and returns, call gates, IRET, the fast system calls, and mode changes. */
class FarTransferTest {
  private final SystemMachine m = new SystemMachine();
  private final Cpu c = m.cpu;

  @AfterEach
  void close() {
    m.close();
  }

  private void push(int size, long... values) {
    for (long v : values) {
      c.r[Cpu.RSP] -= size;
      if (size == 8) {
        m.ram.put64(c.r[Cpu.RSP], v);
      } else {
        m.ram.put32(c.r[Cpu.RSP], (int) v);
      }
    }
  }

  @Test
  void farCallAndReturnInTheSameRing() {
    m.protectedMode().descriptor(SystemMachine.SCRATCH, 0, 0xfffff, 0xc09b);
    m.ram.put8(0x9000, 0xcb);
    long sp = c.r[Cpu.RSP];
    m.run("9a00900000 6000", 1);
    assertEquals(0x9000, c.rip);
    assertEquals(SystemMachine.CODE + 7, m.stack(0, 4));
    assertEquals(SystemMachine.CODE0, m.stack(1, 4));
    m.go(1);
    assertEquals(SystemMachine.CODE + 7, c.rip);
    assertEquals(SystemMachine.CODE0, c.sel[Cpu.CS]);
    assertEquals(sp, c.r[Cpu.RSP]);
  }

  @Test
  void callGateCopiesParametersToTheInnerStack() {
    m.protectedMode();
    m.gate(SystemMachine.GDT + SystemMachine.SCRATCH, SystemMachine.CODE0, 0x9000, 0xec, 2);
    m.user();
    push(4, 0x1111, 0x2222);
    long sp = c.r[Cpu.RSP];
    m.ram.write(0x9000, new byte[] {(byte) 0xca, 8, 0}); // retf 8
    m.run("9a00000000 6300", 1);
    assertEquals(0, c.cpl);
    assertEquals(0x9000, c.rip);
    assertEquals(SystemMachine.KERNEL_STACK - 24, c.r[Cpu.RSP]);
    assertEquals(SystemMachine.CODE + 7, m.stack(0, 4));
    assertEquals(SystemMachine.USER_CODE32, m.stack(1, 4));
    assertEquals(0x2222, m.stack(2, 4));
    assertEquals(0x1111, m.stack(3, 4));
    assertEquals(sp, m.stack(4, 4));
    assertEquals(SystemMachine.USER_DATA, m.stack(5, 4));
    c.segAttr[Cpu.FS] = 0xc093; // as if the inner code had loaded a ring 0 segment
    c.sel[Cpu.FS] = SystemMachine.DATA0;
    m.go(1);
    assertEquals(3, c.cpl);
    assertEquals(SystemMachine.CODE + 7, c.rip);
    assertEquals(sp + 8, c.r[Cpu.RSP]);
    assertEquals(0, c.sel[Cpu.FS], "inner data segments are dropped");
    assertEquals(SystemMachine.USER_DATA, c.sel[Cpu.DS]);
  }

  @Test
  void callGatePrivilege() {
    m.protectedMode();
    m.gate(SystemMachine.GDT + SystemMachine.SCRATCH, SystemMachine.CODE0, 0x9000, 0x8c, 0);
    m.user().run("9a00000000 6300", 1);
    assertEquals("#13(96)", m.raised.get(0), "gate DPL below CPL");
    m.gate(SystemMachine.GDT + SystemMachine.SCRATCH, SystemMachine.CODE0, 0x9000, 0x6c, 0);
    m.raised.clear();
    m.user().run("9a00000000 6300", 1);
    assertEquals("#11(96)", m.raised.get(0), "gate not present");
    m.gate(SystemMachine.GDT + SystemMachine.SCRATCH, SystemMachine.CODE0, 0x9000, 0xec, 0);
    m.raised.clear();
    m.user().run("ea00000000 6300", 1);
    assertEquals("#13(8)", m.raised.get(0), "a jump does not change rings");
  }

  @Test
  void longModeCallGate() {
    m.longMode();
    m.gate(SystemMachine.GDT + SystemMachine.SCRATCH, SystemMachine.CODE0, 0x9000, 0xec, 0);
    m.user();
    long sp = c.r[Cpu.RSP];
    m.ram.put32(0x3_8000, 0);
    m.ram.put16(0x3_8004, SystemMachine.SCRATCH | 3);
    m.ram.write(0x9000, new byte[] {0x48, (byte) 0xcb});
    m.run("ff1c2500800300", 1); // lcall [0x38000]
    assertEquals(0x9000, c.rip);
    assertEquals(SystemMachine.KERNEL_STACK - 32, c.r[Cpu.RSP]);
    assertEquals(sp, m.stack(2, 8));
    assertEquals(SystemMachine.USER_DATA, m.stack(3, 8));
    m.go(1); // lretq
    assertEquals(3, c.cpl);
    assertEquals(sp, c.r[Cpu.RSP]);
    assertEquals(SystemMachine.CODE + 7, c.rip);
  }

  @Test
  void iretqToUserAndToCompatibilityMode() {
    m.longMode();
    push(8, SystemMachine.USER_DATA, 0x3_1230, 0x202, SystemMachine.USER_CODE64, 0x9000);
    m.run("48cf", 1);
    assertEquals(3, c.cpl);
    assertTrue(c.code64());
    assertEquals(0x3_1230, c.r[Cpu.RSP]);
    assertEquals(Flags.IF, c.sysFlags);
    m.longMode();
    push(8, SystemMachine.USER_DATA, 0x3_1230, 0x202, SystemMachine.USER_CODE32, 0x9000);
    m.run("48cf", 1);
    assertEquals(1 | Cpu.MODE_USER, c.modeKey & (Cpu.MODE_SIZE | Cpu.MODE_USER));
    assertTrue(m.raised.isEmpty());
  }

  @Test
  void iretqInRing0MayReturnToANullStackSegment() {
    m.longMode();
    push(8, 0, 0x1_7000, 2, SystemMachine.CODE0, 0x9000);
    m.run("48cf", 1);
    assertEquals(0x1_7000, c.r[Cpu.RSP]);
    assertEquals(0x9000, c.rip);
    assertTrue(m.raised.isEmpty());
  }

  @Test
  void iretRefusals() {
    long[][] cases = {
      // SS, CS, RIP, vector, error code
      {SystemMachine.USER_DATA, 0, 0x9000, 13, 0},
      {SystemMachine.USER_DATA, SystemMachine.DATA0, 0x9000, 13, SystemMachine.DATA0},
      {SystemMachine.USER_DATA, SystemMachine.CODE0 | 3, 0x9000, 13, SystemMachine.CODE0},
      {0, SystemMachine.USER_CODE64, 0x9000, 13, 0},
      {SystemMachine.DATA0, SystemMachine.USER_CODE64, 0x9000, 13, SystemMachine.DATA0},
      {SystemMachine.USER_DATA, SystemMachine.USER_CODE64, 1L << 50, 13, 0},
      {SystemMachine.USER_DATA, 0x1f8, 0x9000, 13, 0x1f8},
    };
    for (long[] each : cases) {
      m.longMode();
      push(8, each[0], 0x3_0000, 2, each[1], each[2]);
      m.raised.clear();
      m.run("48cf", 1);
      assertEquals(List.of("#" + each[3] + "(" + each[4] + ")"), m.raised);
    }
    m.longMode().flags(Flags.NT);
    m.raised.clear();
    push(8, SystemMachine.USER_DATA, 0x3_0000, 2, SystemMachine.USER_CODE64, 0x9000);
    m.run("48cf", 1);
    assertEquals(List.of("#13(0)"), m.raised, "NT in long mode");
  }

  @Test
  void iretFromUserCodeCannotRaiseItsPrivileges() {
    m.longMode().user().flags(0);
    push(8, SystemMachine.USER_DATA, 0x3_0000, 0x3202, SystemMachine.USER_CODE64, 0x9000);
    m.run("48cf", 1);
    assertEquals(0, c.sysFlags & (Flags.IF | Flags.IOPL));
  }

  @Test
  void syscallAndSysret() {
    m.longMode();
    c.efer |= Cpu.EFER_SCE;
    c.star = 0x0020_0008_0000_0000L; // SYSRET base 20h: 32-bit 20h, SS 28h, 64-bit 30h
    c.lstar = 0x9000;
    c.fmask = Flags.IF | Flags.DF;
    m.user().flags(Flags.IF | Flags.DF | Flags.CF);
    m.run("0f05", 1);
    assertEquals(0x9000, c.rip);
    assertEquals(0, c.cpl);
    assertEquals(SystemMachine.CODE + 2, c.r[Cpu.RCX]);
    assertEquals(Flags.IF | Flags.DF | Flags.CF | 2, c.r[11]);
    assertEquals(Flags.CF | 2, Flags.get(c));
    assertEquals(SystemMachine.CODE0, c.sel[Cpu.CS]);
    assertEquals(SystemMachine.DATA0, c.sel[Cpu.SS]);
    m.run("480f07", 1);
    assertEquals(3, c.cpl);
    assertEquals(SystemMachine.CODE + 2, c.rip);
    assertEquals(SystemMachine.USER_CODE64, c.sel[Cpu.CS]);
    assertEquals(SystemMachine.USER_DATA, c.sel[Cpu.SS]);
    assertEquals(Flags.IF | Flags.DF | Flags.CF | 2, Flags.get(c));
    assertTrue(c.code64());
    m.run("480f07", 1);
    assertEquals(List.of("#13(0)"), m.raised, "SYSRET in ring 3");
    c.efer &= ~Cpu.EFER_SCE;
    m.raised.clear();
    m.user().run("0f05", 1);
    assertEquals(List.of("#6"), m.raised);
  }

  @Test
  void sysretTo32BitCodeAndToABadAddress() {
    m.longMode();
    c.efer |= Cpu.EFER_SCE;
    c.star = 0x0020_0008_0000_0000L;
    c.r[Cpu.RCX] = 0x9000;
    c.r[11] = 2;
    m.run("0f07", 1);
    assertEquals(SystemMachine.USER_CODE32, c.sel[Cpu.CS]);
    assertEquals(1, c.modeKey & Cpu.MODE_SIZE);
    m.longMode();
    c.efer |= Cpu.EFER_SCE;
    c.r[Cpu.RCX] = 1L << 47;
    m.run("480f07", 1);
    assertEquals(List.of("#13(0)"), m.raised);
  }

  @Test
  void sysenterAndSysexit() {
    m.protectedMode();
    c.sysenterCs = 8;
    c.sysenterEsp = 0x1_9000;
    c.sysenterEip = 0x9000;
    m.user().flags(Flags.IF);
    m.run("0f34", 1);
    assertEquals(0, c.cpl);
    assertEquals(0x9000, c.rip);
    assertEquals(0x1_9000, c.r[Cpu.RSP]);
    assertEquals(0, c.sysFlags & Flags.IF);
    c.r[Cpu.RDX] = 0xa000;
    c.r[Cpu.RCX] = 0x3_0000;
    m.run("0f35", 1);
    assertEquals(3, c.cpl);
    assertEquals(8 + 16 | 3, c.sel[Cpu.CS]);
    assertEquals(0xa000, c.rip);
    c.sysenterCs = 0;
    m.user().run("0f34", 1);
    assertEquals(List.of("#13(0)"), m.raised);
  }

  @Test
  void fromRealModeToLongMode() {
    m.realMode();
    m.descriptor(SystemMachine.CODE0, 0, 0xfffff, 0xa09b);
    m.descriptor(SystemMachine.SCRATCH, 0, 0xfffff, 0xc09b);
    long tables = 0x10_0000;
    m.ram.put64(tables, tables + 0x1000 | 3);
    m.ram.put64(tables + 0x1000, 0x83);
    m.ram.put16(0x600, SystemMachine.GDT_LIMIT);
    m.ram.put32(0x602, (int) SystemMachine.GDT);
    // lgdt [0x600]; mov eax, cr0; or al, 1; mov cr0, eax; jmp 60h:8020h
    m.run("0f01160006 0f20c0 0c01 0f22c0 66ea20800000 6000", 5);
    assertEquals(0x8020, c.rip);
    assertEquals(1, c.modeKey & Cpu.MODE_SIZE);
    // mov eax, cr4; or al, 20h; mov cr4, eax; mov eax, tables; mov cr3, eax
    m.run("0f20e0 0c20 0f22e0 b800001000 0f22d8", 5);
    // mov ecx, EFER; rdmsr; or ah, 1; wrmsr; mov eax, cr0; or eax, PG; mov cr0, eax
    m.run("b9800000c0 0f32 80cc01 0f30 0f20c0 0d00000080 0f22c0", 7);
    assertTrue(m.raised.isEmpty());
    assertTrue(c.longMode());
    assertEquals(1, c.modeKey & Cpu.MODE_SIZE, "compatibility mode until the jump");
    m.run("ea00900000 0800", 1);
    assertTrue(c.code64());
    assertEquals(0x9000, c.rip);
    // Leaving paging from 64-bit code is refused.
    m.run("0f20c0 480fbaf01f 0f22c0", 3);
    assertEquals("#13(0)", m.raised.get(0));
  }
}
