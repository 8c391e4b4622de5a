package org.hypergraft.vmm.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.hypergraft.vmm.bus.DeterministicClock;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class VcpuTest {
  private static final int SIGNATURE = 0x60fb1;

  private final DeterministicClock clock = new DeterministicClock(() -> 0);
  private final Board board = new Board(clock, b -> {}, () -> {}, () -> {});
  private final GuestRam ram = new GuestRam(1 << 20);
  private boolean machineReset;
  private final Vcpu boot = vcpu(0);
  private final Vcpu other = vcpu(1);

  private Vcpu vcpu(int index) {
    Vcpu v = new Vcpu(new Cpu(index), SIGNATURE, () -> machineReset = true);
    v.cpu.mmu = new Mmu(ram, board.mmio);
    v.apic = board.addProcessor(index, v, () -> 0);
    return v;
  }

  @BeforeEach
  void park() {
    other.park();
  }

  @AfterEach
  void free() {
    boot.cpu.mmu.close();
    other.cpu.mmu.close();
    ram.close();
  }

  @Test
  void waitsForAStartUpMessage() {
    assertFalse(other.started());
    assertFalse(other.runnable());
    other.nmi();
    assertFalse(other.runnable(), "an NMI does not end the wait");
    other.startUp(0x9a);
    assertTrue(other.runnable());
    assertTrue(other.settle());
    assertTrue(other.started());
    Cpu c = other.cpu;
    assertEquals(0x9a00, c.sel[Cpu.CS]);
    assertEquals(0x9a000, c.segBase[Cpu.CS]);
    assertEquals(0, c.rip);
    assertEquals(SIGNATURE, c.r[Cpu.RDX]);
    // caches are off and paging is too, Intel SDM vol. 3 table 10-1
    assertEquals(0x60000010, c.cr0);
    assertEquals(2, Flags.get(c));
    assertFalse(c.nmiPending);
  }

  @Test
  void initTakesEffectBetweenInstructions() {
    other.startUp(8);
    other.settle();
    other.cpu.rip = 0x123;
    other.cpu.cr0 = 0x11;
    other.init();
    assertEquals(0x123, other.cpu.rip, "not in the middle of an instruction");
    assertTrue(other.cpu.exitRequested);
    other.startUp(0x10);
    assertTrue(other.settle());
    assertEquals(0x10000, other.cpu.segBase[Cpu.CS]);
    assertEquals(0, other.cpu.rip);
    assertEquals(0x10, other.cpu.cr0, "INIT keeps CD and NW");
    other.init();
    assertFalse(other.settle());
    assertFalse(other.started());
  }

  @Test
  void initOfTheBootProcessorResetsTheMachine() {
    boot.init();
    assertTrue(machineReset);
  }

  @Test
  void aKickEndsThisHaltOrTheNext() {
    boot.cpu.halted = true;
    assertFalse(boot.runnable());
    assertTrue(boot.deaf());
    boot.kick();
    assertTrue(boot.settle());
    assertFalse(boot.cpu.halted);
    boot.cpu.halted = true;
    assertFalse(boot.settle(), "a kick counts once");
    boot.cpu.halted = false;
    boot.kick();
    boot.cpu.halted = true;
    assertTrue(boot.settle(), "the kick came between the guest's check and its HLT");
  }

  @Test
  void interruptsWakeOnlyThoseThatTakeThem() {
    boot.cpu.halted = true;
    board.apicBus.send(0, 0x40);
    assertFalse(boot.runnable());
    boot.cpu.sysFlags |= Flags.IF;
    assertFalse(boot.deaf());
    boot.apic.writeMsr(0x1b, 0xfee00d00L);
    boot.apic.writeMsr(0x80f, 0x1ff);
    board.apicBus.send(0, 0x40);
    assertTrue(boot.runnable());
    boot.cpu.sysFlags &= ~Flags.IF;
    boot.nmi();
    assertTrue(boot.runnable());
    boot.cpu.nmiBlocked = true;
    assertFalse(boot.runnable());
  }
}
