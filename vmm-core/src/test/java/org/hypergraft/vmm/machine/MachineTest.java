package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hypergraft.vmm.boot.BootException;
import org.hypergraft.vmm.bus.DeterministicClock;
import org.junit.jupiter.api.Test;

class MachineTest {
  private static MachineConfig.Builder config(SmallGuest guest) {
    return MachineConfig.of(guest.image()).memory(32 << 20);
  }

  private static RunReport run(SmallGuest guest) {
    try (Machine machine = new Machine(config(guest).build())) {
      return machine.run();
    }
  }

  @Test
  void printsAndPowersOff() {
    RunReport report = run(new SmallGuest().print("hello\n").powerOff());
    assertEquals(Outcome.POWER_OFF, report.outcome());
    assertTrue(report.succeeded());
    assertEquals("hello\n", new String(report.console(), US_ASCII));
    // jmp, mov, mov, mov, rep outsb, mov, mov, out
    assertEquals(8, report.retired());
    assertEquals(7, report.exits().get(ExitCause.PORT));
    assertEquals(Map.of("0x100027", 1L), portExitsOfPowerOff(report));
    assertEquals(-1, report.retiredToUserspace());
    assertEquals("", report.death());
  }

  private static Map<String, Long> portExitsOfPowerOff(RunReport report) {
    Map<String, Long> exits = new java.util.TreeMap<>(report.exitsBySymbol().get(ExitCause.PORT));
    exits.values().removeIf(count -> count != 1);
    return exits;
  }

  @Test
  void spinsUntilTheBudgetIsSpentToTheInstruction() {
    MachineConfig config =
        config(new SmallGuest().code("90 eb fd")).instructionBudget(12_345).build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals(Outcome.BUDGET, report.outcome());
      assertEquals(12_345, report.retired());
      assertEquals(12_345 * DeterministicClock.NS_PER_INSTRUCTION, report.virtualNs());
    }
  }

  @Test
  void haltWithoutInterruptsIsNoProgress() {
    RunReport report = run(new SmallGuest().code("f4"));
    assertEquals(Outcome.NO_PROGRESS, report.outcome());
    assertEquals("halted with interrupts disabled", report.reason());
    assertEquals(1, report.exits().get(ExitCause.HLT));
    report = run(new SmallGuest().code("fb f4"));
    assertEquals("halted, and no timer is armed that could wake it", report.reason());
  }

  @Test
  void aMaskedTimerDoesNotKeepAHaltedGuestAlive() {
    // PIT channel 0, mode 2; both interrupt controllers are masked or never initialised
    RunReport report =
        run(
            new SmallGuest()
                .out(0x21, 0xff)
                .out(0x43, 0x34)
                .out(0x40, 0xa4)
                .out(0x40, 0x12)
                .code("fb f4"));
    assertEquals(Outcome.NO_PROGRESS, report.outcome());
    assertTrue(report.reason().contains("without an interrupt"), report.reason());
  }

  @Test
  void tripleFaultIsExplained() {
    RunReport report = run(new SmallGuest().code("90 0f 0b"));
    assertEquals(Outcome.TRIPLE_FAULT, report.outcome());
    String death = report.death();
    assertTrue(death.startsWith("triple fault\ncpu 0 at 0x100001"), death);
    assertTrue(death.contains("-> 0x100001: 0f 0b"), death);
    assertTrue(death.contains("ud2"), death);
    assertTrue(death.contains("#UD at 0x100001"), death);
    assertTrue(death.contains("paging is off"), death);
  }

  @Test
  void aPanicIsKnownByItsWords() {
    RunReport report =
        run(new SmallGuest().print("Kernel panic - not syncing: x\n").out(0xcf9, 6).code("f4"));
    assertEquals(Outcome.GUEST_PANIC, report.outcome());
    report = run(new SmallGuest().print("Kernel pan").out(0xcf9, 6).code("f4"));
    assertEquals(Outcome.RESET, report.outcome());
    report =
        run(
            new SmallGuest()
                .print("Kernel panic - not syncing: x\n---[ end Kernel panic")
                .code("eb fe"));
    assertEquals(Outcome.GUEST_PANIC, report.outcome());
  }

  @Test
  void momentsComeAtEntryAndReturn() {
    // call f; call f; power off; f: inc eax; ret
    SmallGuest guest =
        new SmallGuest()
            .code("bc 00 00 20 00 31 c0 e8 12 00 00 00 e8 0d 00 00 00")
            .powerOff()
            .code("40 c3");
    List<String> seen = new ArrayList<>();
    long f = SmallGuest.LOAD + 30;
    try (Machine machine = new Machine(config(guest).build())) {
      machine.atReturn(
          f,
          view -> {
            seen.add("return " + Long.toHexString(view.rip()) + " eax " + view.register(0));
            return true;
          });
      RunReport report = machine.run();
      assertEquals(Outcome.POWER_OFF, report.outcome());
      assertEquals(List.of("return 10000c eax 1", "return 100011 eax 2"), seen);
      assertEquals(11, report.retired(), "moments retire nothing");
    }
    seen.clear();
    try (Machine machine = new Machine(config(guest).build())) {
      machine.atEntry(f, view -> seen.add("entry"));
      machine.atReturn(f, view -> seen.add("return"));
      machine.run();
      assertEquals(List.of("entry", "return", "entry", "return"), seen, "both at one address");
    }
    seen.clear();
    try (Machine machine = new Machine(config(guest).build())) {
      machine.atEntry(
          f,
          view -> {
            seen.add("entry " + view.retired());
            return seen.size() < 2;
          });
      RunReport report = machine.run();
      assertEquals(Outcome.STOPPED, report.outcome());
      assertEquals(List.of("entry 3", "entry 6"), seen);
      assertArrayEquals(new byte[] {0x40, (byte) 0xc3}, machine.view().image(f, 2));
    }
  }

  /** An instruction that runs by itself, as those after STI do, can have a moment too. */
  @Test
  void momentsComeInTheShadowOfSti() {
    List<Long> seen = new ArrayList<>();
    SmallGuest guest = new SmallGuest().code("fb 90 90").powerOff();
    try (Machine machine = new Machine(config(guest).build())) {
      machine.atEntry(SmallGuest.LOAD + 1, view -> seen.add(view.retired()));
      assertEquals(6, machine.run().retired());
    }
    assertEquals(List.of(1L), seen);
  }

  @Test
  void equalRunsAreEqual() {
    SmallGuest guest = new SmallGuest().code("0f 31 a2 00 00 20 00 0f b6 c0 ba f8 03 00 00 ee");
    guest.powerOff();
    RunReport a = run(guest);
    RunReport b = run(guest);
    assertArrayEquals(a.console(), b.console());
    assertEquals(a.retired(), b.retired());
    assertEquals(a.virtualNs(), b.virtualNs());
    assertEquals(a.exitsBySymbol(), b.exitsBySymbol());
  }

  @Test
  void badConfigurationsAreRefusedInOneSentence() {
    SmallGuest guest = new SmallGuest().powerOff();
    assertThrows(
        IllegalArgumentException.class, () -> MachineConfig.of(guest.image()).memory(1).build());
    assertThrows(
        IllegalArgumentException.class, () -> MachineConfig.of(guest.image()).cpus(9).build());
    MachineConfig moved = config(guest).kaslrOffset(2 << 20).build();
    BootException e = assertThrows(BootException.class, () -> new Machine(moved));
    assertEquals(
        "small guest: no relocations are appended, so it cannot take a KASLR offset",
        e.getMessage());
    MachineConfig odd = config(guest).kaslrOffset(4096).build();
    e = assertThrows(BootException.class, () -> new Machine(odd));
    assertEquals("KASLR offset 0x1000: expected a multiple of 2 MiB", e.getMessage());
    MachineConfig large = config(guest).initrd(new byte[33 << 20]).build();
    e = assertThrows(BootException.class, () -> new Machine(large));
    assertTrue(e.getMessage().startsWith("initramfs of 34603008 bytes does not fit"));
  }
}
