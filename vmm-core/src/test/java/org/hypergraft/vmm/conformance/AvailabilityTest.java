package org.hypergraft.vmm.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Which exception control registers make of vector and x87 instructions: Intel SDM vol. 3, tables
 * 2-2 and 13-1; vol. 2, 2.4 (exception classes).
 */
class AvailabilityTest {
  private static final int NONE = MachineState.NO_EXCEPTION;
  private static final long MP = 1 << 1;
  private static final long NE = 1 << 5;
  private static final long OSFXSR = 1 << 9;
  private static final long OSXMMEXCPT = 1 << 10;
  private static final long OSXSAVE = 1 << 18;

  private static final int[] FADD = {0xd8, 0xc1};
  private static final int[] FWAIT = {0x9b};
  private static final int[] FNINIT = {0xdb, 0xe3};
  private static final int[] FNSTSW_AX = {0xdf, 0xe0};
  private static final int[] PADDB_MM = {0x0f, 0xfc, 0xc1};
  private static final int[] PADDB_XMM = {0x66, 0x0f, 0xfc, 0xc1};
  private static final int[] DIVPS = {0x0f, 0x5e, 0xc1};
  private static final int[] MOVAPS_RBX = {0x0f, 0x28, 0x03};
  private static final int[] VADDPS = {0xc5, 0xf0, 0x58, 0xc2};
  private static final int[] VMOVAPS_RBX = {0xc5, 0xf8, 0x28, 0x03};
  private static final int[] VADDPS_RBX = {0xc5, 0xf0, 0x58, 0x03};
  private static final int[] FXSAVE_RBX = {0x0f, 0xae, 0x03};
  private static final int[] XSAVE_RBX = {0x0f, 0xae, 0x23};

  private InterpreterUnderTest engine;
  private Cpu cpu;
  private MachineState state;

  @BeforeEach
  void open() {
    engine = new InterpreterUnderTest("tier 0", null);
    cpu = engine.cpu();
    state = new MachineState();
    state.gpr(3, MachineState.WINDOW_ADDRESS);
    state.put8(MachineState.TAGS, 0xff);
    for (int i = 0; i < 8; i++) {
      state.put64(MachineState.ST + 16 * i, 1L << 63);
      state.put16(MachineState.ST + 16 * i + 8, 16383);
    }
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private void expect(int vector, int... code) {
    byte[] bytes = new byte[code.length];
    for (int i = 0; i < code.length; i++) {
      bytes[i] = (byte) code[i];
    }
    state.code(bytes);
    assertEquals(vector, engine.run(state).u64(MachineState.VECTOR), () -> TestCase.hex(bytes));
  }

  @Test
  void nothingForbidsThem() {
    for (int[] code :
        new int[][] {
          FADD, FWAIT, FNINIT, PADDB_MM, PADDB_XMM, MOVAPS_RBX, VADDPS, FXSAVE_RBX, XSAVE_RBX
        }) {
      expect(NONE, code);
    }
  }

  @Test
  void taskSwitched() {
    cpu.cr0 |= Cpu.CR0_TS;
    for (int[] code :
        new int[][] {
          FADD, FNINIT, FNSTSW_AX, FWAIT, PADDB_MM, PADDB_XMM, VADDPS, FXSAVE_RBX, XSAVE_RBX
        }) {
      expect(GuestFault.NM, code);
    }
    cpu.cr0 &= ~MP;
    expect(NONE, FWAIT);
    expect(GuestFault.NM, FADD);
  }

  @Test
  void emulated() {
    cpu.cr0 |= Cpu.CR0_EM;
    expect(GuestFault.NM, FADD);
    expect(NONE, FWAIT);
    expect(GuestFault.UD, PADDB_MM);
    expect(GuestFault.UD, PADDB_XMM);
    expect(GuestFault.UD, FXSAVE_RBX);
    expect(NONE, VADDPS);
  }

  @Test
  void operatingSystemHasNotEnabledThem() {
    cpu.cr4 &= ~OSFXSR;
    expect(GuestFault.UD, PADDB_XMM);
    expect(NONE, PADDB_MM);
    cpu.cr4 |= OSFXSR;
    cpu.xcr0 = 3;
    expect(GuestFault.UD, VADDPS);
    expect(NONE, XSAVE_RBX);
    cpu.xcr0 = 7;
    cpu.cr4 &= ~OSXSAVE;
    expect(GuestFault.UD, VADDPS);
    expect(GuestFault.UD, XSAVE_RBX);
    expect(NONE, PADDB_XMM);
  }

  @Test
  void unmaskedVectorExceptionNeedsItsVector() {
    state.put32(MachineState.MXCSR, 0x1f80 & ~(1 << 7)); // invalid: 0 / 0
    expect(GuestFault.XM, DIVPS);
    cpu.cr4 &= ~OSXMMEXCPT;
    expect(GuestFault.UD, DIVPS);
  }

  @Test
  void pendingException() {
    state.put16(MachineState.FCW, 0x37e);
    state.put16(MachineState.FSW, 0x8081);
    expect(GuestFault.MF, FADD);
    expect(GuestFault.MF, FWAIT);
    expect(GuestFault.MF, PADDB_MM);
    expect(NONE, FNSTSW_AX);
    expect(NONE, FNINIT);
    cpu.cr0 &= ~NE;
    expect(NONE, FWAIT);
  }

  @Test
  void alignment() {
    state.gpr(3, MachineState.WINDOW_ADDRESS + 8);
    expect(GuestFault.GP, MOVAPS_RBX);
    expect(GuestFault.GP, VMOVAPS_RBX);
    expect(NONE, VADDPS_RBX);
    expect(GuestFault.GP, FXSAVE_RBX);
    expect(GuestFault.GP, XSAVE_RBX);
  }
}
