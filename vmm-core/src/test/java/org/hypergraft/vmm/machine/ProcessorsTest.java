package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.hypergraft.vmm.bus.DeterministicClock;
import org.hypergraft.vmm.bus.PortSpace;
import org.junit.jupiter.api.Test;

/** Several processors in small guests: the boot processor copies real-mode code and starts them. */
class ProcessorsTest {
  /** Interrupt command register of the boot processor, in xAPIC mode. */
  private static final int ICR_LOW = 0xfee00300;

  private static final int ICR_HIGH = 0xfee00310;

  // Interrupt commands (Intel SDM vol. 3 figure 11-12), level asserted.
  private static final int TO_OTHERS = 3 << 18 | 1 << 14;
  private static final int INIT = 5 << 8;
  private static final int START_AT_8000 = 6 << 8 | 8;
  private static final int NMI = 4 << 8;

  /** Where the started processors count what they have seen. */
  private static final int COUNTERS = 0x7000;

  /** A guest whose boot processor has started all others at {@code code}, copied to 8000h. */
  private static SmallGuest starting(String code) {
    int bytes = code.replace(" ", "").length() / 2;
    return new SmallGuest()
        // jmp over the code; mov esi, code; mov edi, 0x8000; mov ecx, bytes; rep movsb
        .code("e9" + little(bytes) + code)
        .code("be" + little(SmallGuest.LOAD + 5))
        .code("bf 00 80 00 00 b9" + little(bytes) + "f3 a4")
        .code(store(ICR_LOW, TO_OTHERS | INIT))
        .code(store(ICR_LOW, TO_OTHERS | START_AT_8000));
  }

  private static String little(int value) {
    return "%08x".formatted(Integer.reverseBytes(value));
  }

  /** MOV DWORD PTR [address], value. */
  private static String store(int address, int value) {
    return "c7 05" + little(address) + little(value);
  }

  /** A loop until the word at an address is at least a value, with PAUSE or NOP in it. */
  private static String await(int address, int value, boolean pause) {
    // pause; cmp dword ptr [address], value; jb back
    return (pause ? "f3 90" : "66 90") + "81 3d" + little(address) + little(value) + "72 f2";
  }

  private static RunReport run(SmallGuest guest, int cpus) {
    MachineConfig config = MachineConfig.of(guest.image()).memory(32 << 20).cpus(cpus).build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals(Outcome.POWER_OFF, report.outcome(), report::death);
      return report;
    }
  }

  @Test
  void startsInRealModeAtItsVector() {
    // xor ax,ax; mov ds,ax; lock inc dword [7000h]; cli; hlt
    SmallGuest guest =
        starting("31c0 8ed8 f066ff060070 fa f4")
            .code(await(COUNTERS, 7, true))
            .print("started\n")
            .powerOff();
    RunReport report = run(guest, 8);
    assertEquals("started\n", new String(report.console(), US_ASCII));
    List<Long> retired = report.retiredByCpu();
    assertEquals(List.of(5L, 5L, 5L, 5L, 5L, 5L, 5L), retired.subList(1, 8));
    assertEquals(report.retired(), retired.stream().mapToLong(Long::longValue).sum());
    assertEquals(7, report.exits().get(ExitCause.HLT));
    // spinning gives way: the boot processor does not wait for the end of a turn
    assertTrue(retired.get(0) < 3L * Processors.SPINS * 3 + 100, retired::toString);
  }

  @Test
  void takesTurnsOfEqualLengthAndTimeIsTheSumOfAll() {
    // again: inc eax; jmp again
    SmallGuest guest =
        starting("6640 ebfc").code("31 c0 40 3d 40 0d 03 00 72 f8").powerOff(); // to 200,000
    RunReport report = run(guest, 3);
    List<Long> retired = report.retiredByCpu();
    assertEquals(0, retired.get(1) % Processors.QUANTUM);
    assertEquals(retired.get(1), retired.get(2));
    // the boot processor is in a turn that the others have not had yet
    assertEquals(retired.get(0) / Processors.QUANTUM, retired.get(1) / Processors.QUANTUM);
    assertEquals(30, retired.get(1) / Processors.QUANTUM, retired::toString);
    long ports = report.exits().get(ExitCause.PORT) * PortSpace.ACCESS_NS;
    assertEquals(
        report.retired() * DeterministicClock.NS_PER_INSTRUCTION + ports, report.virtualNs());
  }

  @Test
  void interruptsWakeHaltedProcessors() {
    // Real-mode code: vectors of NMI and 40h, x2APIC on and enabled, sti, count ready, halt for
    // ever. nmi: inc dword [7004h]; iret. 40h: inc dword [7008h]; EOI by MSR 80Bh; iret.
    String code =
        "31c08ed88ed0bc0060c70608004280a30a00c70600014880a3020166b91b0000000f320d000c0f30"
            + "66b90f08000066b8ff0100006631d20f30fb66ff060070f4ebfd66ff060470cf66ff060870"
            + "66b90b0800006631c06631d20f30cf";
    SmallGuest guest =
        starting(code)
            .code(await(COUNTERS, 2, true))
            .code(store(ICR_LOW, TO_OTHERS | NMI))
            .code(await(COUNTERS + 4, 2, true))
            // fixed, by physical id, to processor 2 only
            .code(store(ICR_HIGH, 2 << 24))
            .code(store(ICR_LOW, 1 << 14 | 0x40))
            .code(await(COUNTERS + 8, 1, true))
            .code(store(ICR_LOW, 1 << 14 | 0x40))
            .code(await(COUNTERS + 8, 2, true))
            .powerOff();
    RunReport report = run(guest, 3);
    assertEquals(2 + 2, report.interrupts());
    long fewer = report.retiredByCpu().get(2) - report.retiredByCpu().get(1);
    // two visits to the handler of 40h: jmp back, hlt, and seven instructions each
    assertTrue(fewer >= 2 * 7, report.retiredByCpu()::toString);
  }

  @Test
  void initStopsARunningProcessorUntilItIsStartedAgain() {
    // xor ax,ax; mov ds,ax; inc dword [7000h]; again: inc eax; jmp again
    SmallGuest guest =
        starting("31c0 8ed8 66ff060070 6640 ebfc")
            .code(await(COUNTERS, 1, true))
            .code(store(ICR_LOW, TO_OTHERS | START_AT_8000)) // a running one does not listen
            .code(await(COUNTERS, 1, false))
            .code(store(ICR_LOW, TO_OTHERS | INIT))
            // it does not run while it waits: 300,000 instructions of the boot processor
            .code("31 c0 40 3d 60 5b 03 00 72 f8")
            .code(store(ICR_LOW, TO_OTHERS | START_AT_8000))
            .code(await(COUNTERS, 2, true))
            .powerOff();
    RunReport report = run(guest, 2);
    assertTrue(report.retiredByCpu().get(0) > 400_000);
    assertTrue(report.retiredByCpu().get(1) < 3 * Processors.QUANTUM, report::toString);
  }

  @Test
  void codeWrittenByOneProcessorIsExecutedByTheOthers() {
    // xor ax,ax; mov ds,ax; again: mov al,1; mov [7000h],al; jmp again
    SmallGuest guest =
        starting("31c0 8ed8 b001 a20070 ebf9")
            .code(await(COUNTERS, 1, false))
            .code("c6 05 05 80 00 00 02") // mov byte [8005h], 2
            .code(await(COUNTERS, 2, false))
            .powerOff();
    RunReport report = run(guest, 2);
    assertTrue(report.retiredByCpu().get(1) < 6 * Processors.QUANTUM, report::toString);
  }

  @Test
  void interleavingIsTheSameInEveryRun() {
    // again: xadd of a shared counter without lock, result to the serial port now and then
    String code = "31c0 8ed8 66b801000000 660fc1060070 a8ff 75f2 baf803 ee ebec".replace(" ", "");
    SmallGuest guest = starting(code).code(await(COUNTERS, 30_000, false)).powerOff();
    RunReport first = run(guest, 4);
    RunReport second = run(guest, 4);
    assertArrayEquals(first.console(), second.console());
    assertEquals(first.retiredByCpu(), second.retiredByCpu());
    assertEquals(first.virtualNs(), second.virtualNs());
    assertEquals(first.exitsBySymbol(), second.exitsBySymbol());
  }
}
