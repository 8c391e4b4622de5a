package org.hypergraft.vmm.cpu.system;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.hypergraft.vmm.mmu.Mmu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Control, debug and model-specific registers, flags, ports: values, privileges, refusals. */
class SystemInstructionsTest {
  private static final String GP = "#13(0)";

  private final SystemMachine m = new SystemMachine();
  private final Cpu c = m.cpu;

  @AfterEach
  void close() {
    m.close();
  }

  private void faults(String expected, String code) {
    m.raised.clear();
    m.run(code, 1);
    assertEquals(List.of(expected), m.raised, code);
  }

  private void runs(String code, int instructions) {
    m.raised.clear();
    m.run(code, instructions);
    assertEquals(List.of(), m.raised, code);
  }

  @Test
  void privilegedInstructionsFaultInRing3() {
    m.longMode();
    String[] privileged = {
      "f4", "0f06", "0f08", "0f09", "0f20c0", "0f22c0", "0f20d8", "0f22d8", "0f22e0", "0f21c0",
      "0f23c0", "0f30", "0f32", "0f0138", "0f00d0", "0f00d8", "0f0110", "0f0118", "0f01f0",
      "0f01f8", "fa", "fb", "e410", "ec", "ee", "6c", "6e", "0f33",
    };
    for (String code : privileged) {
      c.r[Cpu.RAX] = 0x4000;
      m.user();
      faults(GP, code);
    }
    for (String code : new String[] {"0f01ca", "0f01cb", "0f01c1", "0f01d9", "0faa", "0f01c2"}) {
      m.user();
      faults("#6", code);
    }
  }

  @Test
  void cr0Rules() {
    long legal = Cpu.CR0_PG | 0x11;
    m.longMode();
    writeCr(0, 0, GP); // paging off in 64-bit code
    writeCr(0, Cpu.CR0_PG, GP); // without protection
    writeCr(0, legal | 1 << 29, GP); // NW without CD
    writeCr(0, legal | 1L << 32, GP);
    writeCr(0, legal | 0x1ff0_ffc0L, null); // bits that do not exist are dropped
    assertEquals(legal, c.cr0 & ~Mmu.CR0_WP & ~Cpu.CR0_AM);
    writeCr(0, legal | 8, null);
    runs("0f06", 1);
    assertEquals(0, c.cr0 & Cpu.CR0_TS);
    c.r[Cpu.RAX] = 0xe;
    runs("0f01f0", 1); // LMSW cannot clear PE
    assertEquals(0xf, c.cr0 & 0xf);
  }

  private void writeCr(int n, long value, String fault) {
    m.longMode();
    c.r[Cpu.RAX] = value;
    String code = String.format("0f22%02x", 0xc0 | n << 3);
    if (fault == null) {
      runs(code, 1);
    } else {
      faults(fault, code);
    }
  }

  @Test
  void cr3AndCr4Rules() {
    writeCr(3, 1L << 40, GP); // beyond MAXPHYADDR
    writeCr(3, 0x10_0018, null);
    assertEquals(0x10_0018, c.cr3);
    writeCr(4, 0, GP); // PAE off in long mode
    writeCr(4, Mmu.CR4_PAE | 1L << 13, GP); // VMXE: not offered
    writeCr(4, Mmu.CR4_PAE | Mmu.CR4_LA57, GP);
    writeCr(4, Mmu.CR4_PAE | Mmu.CR4_PCIDE, GP); // not offered by the baseline
    writeCr(4, Mmu.CR4_PAE | 1L << 32, GP);
    long all =
        Mmu.CR4_PAE | Mmu.CR4_PGE | Mmu.CR4_SMEP | Mmu.CR4_SMAP | ControlRegisters.CR4_FSGSBASE;
    writeCr(4, all, null);
    assertEquals(all, c.cr4);
    m.longMode();
    faults("#6", "0f20c8"); // CR1
    m.longMode();
    c.r[Cpu.RBX] = 0x77;
    runs("0f22d3 0f20d1", 2);
    assertEquals(0x77, c.cr2);
    assertEquals(0x77, c.r[Cpu.RCX]);
  }

  @Test
  void smepAndSmapTakeEffect() {
    m.longMode();
    c.r[Cpu.RAX] = Mmu.CR4_PAE | Mmu.CR4_SMAP;
    // Code lies in a user page: only SMAP can be on here. mov cr4, rax; mov rax, [0x100000]
    m.run("0f22e0 48a1 0000100000000000", 2);
    assertEquals("#14(1)", m.raised.get(0));
    assertTrue(c.shutdown, "the IDT lies in user pages too");
    m.longMode();
    c.r[Cpu.RAX] = Mmu.CR4_PAE | Mmu.CR4_SMAP;
    runs("0f22e0 0f01cb 48a1 0000100000000000", 3); // with STAC
    assertEquals(Flags.AC, c.sysFlags & Flags.AC);
    runs("0f01ca", 1);
    assertEquals(0, c.sysFlags & Flags.AC);
  }

  @Test
  void debugRegisters() {
    m.longMode();
    c.r[Cpu.RAX] = 0x1234_5678_9abcL;
    runs("0f23c0 0f21c3", 2);
    assertEquals(0x1234_5678_9abcL, c.r[Cpu.RBX]);
    faults(GP, "0f23f8"); // DR7 above 32 bits
    c.r[Cpu.RAX] = -1 & 0xffff_ffffL;
    runs("0f23f0 0f21f3", 2);
    assertEquals(0xffff_efffL, c.r[Cpu.RBX], "bit 12 reads as zero");
    c.cr4 |= ControlRegisters.CR4_DE;
    faults("#6", "0f21e0"); // DR4 with DE
    m.longMode();
    c.r[Cpu.RAX] = 1 << 13;
    runs("0f23f8", 1);
    faults("#1", "0f21c0"); // general detect
    assertTrue((c.dr[6] & 1 << 13) != 0);
  }

  @Test
  void modelSpecificRegisters() {
    m.longMode();
    rdmsr(0x1234_5678, GP);
    wrmsr(0xc000_0080, 0x501 | 1 << 12, GP); // EFER.SVME: not offered
    wrmsr(0xc000_0080, 0x401, GP); // LME with paging on
    wrmsr(0xc000_0080, 0xd01, null);
    assertEquals(0xd01, c.efer);
    for (int msr : new int[] {0xc000_0082, 0xc000_0083, 0xc000_0100, 0xc000_0101, 0xc000_0102}) {
      wrmsr(msr, 1L << 47, GP);
      wrmsr(msr, 0xffff_8000_1234_5678L, null);
      runs("0f32", 1);
      assertEquals(0xffff_8000_1234_5678L, Registers.edxEax(c));
    }
    wrmsr(0x277, 0x0007_0406_0007_0402L, GP); // PAT type 2 is reserved
    wrmsr(0x277, 0x0407_0506_0007_0106L, null);
    wrmsr(0xfe, 0, GP); // MTRRCAP is read-only
    wrmsr(0x2ff, 1L << 12, GP);
    wrmsr(0x2ff, 0xc06, null);
    rdmsr(0x49, GP); // no speculation control in the baseline
    c.segBase[Cpu.GS] = 5;
    c.kernelGsBase = 6;
    runs("0f01f8", 1);
    assertEquals(6, c.segBase[Cpu.GS]);
    assertEquals(5, c.kernelGsBase);
  }

  private void rdmsr(int msr, String fault) {
    m.longMode();
    c.r[Cpu.RCX] = msr;
    if (fault == null) {
      runs("0f32", 1);
    } else {
      faults(fault, "0f32");
    }
  }

  private void wrmsr(int msr, long value, String fault) {
    m.longMode();
    c.r[Cpu.RCX] = msr;
    Registers.edxEax(c, value);
    if (fault == null) {
      runs("0f30", 1);
    } else {
      faults(fault, "0f30");
    }
  }

  @Test
  void timeStampCounter() {
    m.longMode();
    long before = c.retired();
    runs("0f31", 1);
    assertEquals(before + 1, Registers.edxEax(c), "counts the instruction itself");
    wrmsr(0x10, 1_000_000, null);
    m.longMode();
    runs("0f31", 1);
    assertEquals(1_000_001, Registers.edxEax(c));
    c.cr4 |= ControlRegisters.CR4_TSD;
    m.user();
    c.cr4 |= ControlRegisters.CR4_TSD;
    faults(GP, "0f31");
  }

  @Test
  void fsGsBaseNeedsItsBit() {
    m.longMode();
    faults("#6", "f3480faec0");
    m.longMode();
    c.cr4 |= ControlRegisters.CR4_FSGSBASE;
    c.r[Cpu.RAX] = 0x7fff_1234_5678L;
    runs("f3480faed8 f3480faecb", 2); // wrgsbase rax; rdgsbase rbx
    assertEquals(c.r[Cpu.RAX], c.r[Cpu.RBX]);
    c.r[Cpu.RAX] = 1L << 60;
    faults(GP, "f3480faed8");
  }

  @Test
  void popfMasks() {
    m.longMode();
    int all = 0x3f_7fd7;
    push8(all & ~Flags.TF);
    runs("9d", 1);
    assertEquals(
        Flags.STATUS | Flags.IF | Flags.DF | Flags.IOPL | Flags.NT | Flags.AC | Flags.ID | 2,
        Flags.get(c));
    m.longMode().user().flags(0);
    push8(all & ~Flags.TF);
    runs("9d", 1);
    assertEquals(0, c.sysFlags & (Flags.IF | Flags.IOPL), "ring 3, IOPL 0");
    m.user().flags(Flags.IOPL);
    push8(Flags.IF);
    runs("9d", 1);
    assertEquals(Flags.IF | Flags.IOPL, c.sysFlags & (Flags.IF | Flags.IOPL));
    m.longMode().flags(Flags.ID | Flags.AC);
    push8(0);
    runs("669d", 1);
    assertEquals(Flags.ID | Flags.AC, c.sysFlags, "16 bits leave the upper half");
  }

  private void push8(long v) {
    c.r[Cpu.RSP] -= 8;
    m.ram.put64(c.r[Cpu.RSP], v);
  }

  @Test
  void descriptorTableRegisters() {
    m.longMode();
    m.ram.put16(0x3_8000, 0x1ff);
    m.ram.put64(0x3_8002, 0xffff_8000_0000_1000L);
    runs("0f01142500800300 0f01042500900300", 2); // lgdt; sgdt
    assertEquals(0x1ff, m.ram.u16(0x3_9000));
    assertEquals(0xffff_8000_0000_1000L, m.ram.u64(0x3_9002));
    m.ram.put64(0x3_8002, 1L << 50);
    c.gdtBase = SystemMachine.GDT;
    faults(GP, "0f01142500800300");
    m.protectedMode();
    m.ram.put64(0x3_8002, 0x1122_3344L);
    runs("660f011d00800300", 1); // lidt with a 16-bit operand: 24-bit base
    assertEquals(0x22_3344, c.idtBase);
  }

  @Test
  void taskRegister() {
    m.longMode().descriptor(SystemMachine.SCRATCH, 0x3800, 0x67, 0x89);
    m.ram.put64(SystemMachine.GDT + SystemMachine.SCRATCH + 8, 0xffff_8000L);
    c.r[Cpu.RAX] = SystemMachine.SCRATCH;
    runs("0f00d8 0f00cb", 2); // ltr ax; str ebx
    assertEquals(SystemMachine.SCRATCH, c.r[Cpu.RBX]);
    assertEquals(0xffff_8000_0000_3800L, c.trBase);
    assertEquals(0x8b, m.ram.u8(SystemMachine.GDT + SystemMachine.SCRATCH + 5), "busy");
    faults("#13(" + SystemMachine.SCRATCH + ")", "0f00d8"); // busy already
    m.descriptor(SystemMachine.SCRATCH, 0x3800, 0x67, 0x09);
    m.longMode();
    faults("#11(" + SystemMachine.SCRATCH + ")", "0f00d8");
    c.r[Cpu.RAX] = 0;
    m.longMode();
    faults(GP, "0f00d8");
    m.realMode();
    m.ram.put32(6 * 4, 0x9000);
    faults("#6", "0f00d8");
  }

  @Test
  void portPermissions() {
    m.protectedMode();
    c.trLimit = 0x88;
    m.ram.put16(SystemMachine.TSS + 102, 0x68);
    m.ram.fill(SystemMachine.TSS + 0x68, 0x21, 0xff);
    m.ram.put8(SystemMachine.TSS + 0x68 + 8, 0b1110_0111); // ports 43h and 44h
    m.user();
    c.r[Cpu.RDX] = 0x43;
    runs("ec66ed", 2); // in al, dx; in ax, dx
    assertEquals(List.of("in1 43", "in2 43"), m.ports.log);
    faults(GP, "ed"); // four ports reach a forbidden one
    m.user();
    c.r[Cpu.RDX] = 0x42;
    faults(GP, "66ed");
    m.user();
    c.r[Cpu.RDX] = 0x108;
    faults(GP, "ec"); // beyond the bitmap
    m.user().flags(Flags.IOPL);
    runs("ec", 1);
    m.user().flags(0);
    c.trAttr = 0x83; // a 16-bit TSS has no bitmap
    c.r[Cpu.RDX] = 0x43;
    faults(GP, "ec");
  }

  @Test
  void stringPortTransfers() {
    m.longMode();
    c.r[Cpu.RDX] = 0x1f0;
    c.r[Cpu.RCX] = 3;
    c.r[Cpu.RDI] = 0x3_8000;
    runs("f3666d", 1); // rep insw
    assertEquals(0x01f0_01f0, m.ram.u32(0x3_8000));
    assertEquals(0x3_8006, c.r[Cpu.RDI]);
    assertEquals(0, c.r[Cpu.RCX]);
    m.ports.log.clear();
    c.r[Cpu.RSI] = 0x3_8004;
    c.r[Cpu.RCX] = 2;
    m.flags(Flags.DF);
    runs("f3666f", 1);
    assertEquals(List.of("out2 1f0=1f0", "out2 1f0=1f0"), m.ports.log);
    assertEquals(0x3_8000, c.r[Cpu.RSI]);
    // A fault half-way keeps what was done.
    m.longMode().flags(0);
    c.r[Cpu.RDI] = 0x3fff_fffeL;
    c.r[Cpu.RCX] = 3;
    faults("#14(2)", "f3666d");
    assertEquals(2, c.r[Cpu.RCX]);
    assertEquals(0x4000_0000L, c.r[Cpu.RDI]);
  }

  @Test
  void cpuidClearsUpperHalvesAndAnswersByLeaf() {
    m.longMode();
    c.r[Cpu.RAX] = 0xffff_ffff_0000_0000L;
    c.r[Cpu.RBX] = -1;
    runs("0fa2", 1);
    assertEquals(0x6874_7541, c.r[Cpu.RBX]);
    assertEquals(0x6974_6e65, c.r[Cpu.RDX]);
    assertEquals(0x444d_4163, c.r[Cpu.RCX]);
    assertNotEquals(0, c.r[Cpu.RAX]);
  }

  @Test
  void umipHidesDescriptorTablesFromUserCode() {
    m.longMode().user();
    runs("0f01042500900300 0f00c0 0f01e0", 3); // sgdt, sldt, smsw: allowed
    c.cr4 |= ControlRegisters.CR4_UMIP;
    for (String code : new String[] {"0f01042500900300", "0f00c0", "0f00c8", "0f01e0"}) {
      m.user();
      c.cr4 |= ControlRegisters.CR4_UMIP;
      faults(GP, code);
    }
  }

  /** Random numbers are the same in every run, and differ between processors. */
  @Test
  void randomNumbersAreDrawnInOneOrder() {
    CpuModel zen = CpuModels.find("zen", null).orElseThrow();
    long[][] drawn = new long[3][4];
    for (int run = 0; run < 3; run++) {
      try (SystemMachine z = new SystemMachine(zen, run == 2 ? 1 : 0)) {
        z.longMode().flags(Flags.STATUS & ~Flags.CF);
        for (int i = 0; i < 4; i++) {
          z.cpu.rip = SystemMachine.CODE;
          z.run(i % 2 == 0 ? "48 0f c7 f0" : "48 0f c7 f8", 1); // rdrand rax; rdseed rax
          assertEquals(Flags.CF, Flags.get(z.cpu) & Flags.STATUS);
          drawn[run][i] = z.cpu.r[Cpu.RAX];
        }
        z.cpu.rip = SystemMachine.CODE;
        z.cpu.r[Cpu.RAX] = -1;
        z.run("66 0f c7 f0", 1);
        assertEquals(-1L << 16, z.cpu.r[Cpu.RAX] & -1L << 16, "16 bits leave the rest");
      }
    }
    assertArrayEquals(drawn[0], drawn[1]);
    assertEquals(
        8,
        java.util.stream.Stream.of(drawn[0], drawn[2])
            .flatMapToLong(java.util.Arrays::stream)
            .distinct()
            .count());
  }

  @Test
  void haltAndInvlpg() {
    m.longMode();
    c.r[Cpu.RAX] = 1L << 50;
    runs("0f0138", 1); // INVLPG of a non-canonical address does nothing
    runs("f4", 1);
    assertTrue(c.halted);
  }
}
