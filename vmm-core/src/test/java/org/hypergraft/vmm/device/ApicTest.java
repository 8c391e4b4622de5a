package org.hypergraft.vmm.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.bus.CpuPins;
import org.hypergraft.vmm.bus.DeterministicClock;
import org.junit.jupiter.api.Test;

/** Local and I/O APICs together, since each is observed through the other. */
class ApicTest {
  private static final int MASKED = 1 << 16;

  private final DeterministicClock clock = new DeterministicClock(() -> 0);
  private final ApicBus bus = new ApicBus();
  private final List<String> pins = new ArrayList<>();
  private final Pic8259 pic = new Pic8259(asserted -> {});
  private final LocalApic cpu0 = new LocalApic(bus, clock, 0, pinsOf(0), pic, () -> 0);
  private final LocalApic cpu1 = new LocalApic(bus, clock, 1, pinsOf(1), pic, () -> 500);
  private final IoApic ioApic = new IoApic(bus, 0);

  private CpuPins pinsOf(int cpu) {
    return new CpuPins() {
      @Override
      public void nmi() {
        pins.add(cpu + " nmi");
      }

      @Override
      public void smi() {
        pins.add(cpu + " smi");
      }

      @Override
      public void init() {
        pins.add(cpu + " init");
      }

      @Override
      public void startUp(int vector) {
        pins.add(cpu + " start " + vector);
      }
    };
  }

  private static void put(LocalApic apic, int offset, int value) {
    apic.write(offset, 4, value & 0xffffffffL);
  }

  private static int get(LocalApic apic, int offset) {
    return (int) apic.read(offset, 4);
  }

  private void redirect(int pin, long entry) {
    ioApic.write(0, 4, 0x11 + 2 * pin);
    ioApic.write(0x10, 4, entry >>> 32);
    ioApic.write(0, 4, 0x10 + 2 * pin);
    ioApic.write(0x10, 4, entry & 0xffffffffL);
  }

  private long entry(int pin) {
    ioApic.write(0, 4, 0x11 + 2 * pin);
    long high = ioApic.read(0x10, 4);
    ioApic.write(0, 4, 0x10 + 2 * pin);
    return high << 32 | ioApic.read(0x10, 4);
  }

  private void pass(long ns) {
    long end = clock.now() + ns;
    while (clock.nextDeadline() <= end) {
      clock.skipToNext();
    }
    clock.advance(end - clock.now());
  }

  @Test
  void identifiesItself() {
    assertEquals(0, get(cpu0, 0x20));
    assertEquals(1 << 24, get(cpu1, 0x20));
    assertEquals(0x50014, get(cpu0, 0x30));
    assertEquals(0xfee00900L, cpu0.readMsr(0x1b));
    assertEquals(0xfee00800L, cpu1.readMsr(0x1b));
    ioApic.write(0, 4, 1);
    assertEquals(0x170020, ioApic.read(0x10, 4));
  }

  @Test
  void firmwareLeavesVirtualWireModeOnTheBootProcessorOnly() {
    pic.masterPorts().out(0x21, 1, 0);
    pic.set(0, true);
    assertTrue(cpu0.pending());
    assertFalse(cpu1.pending());
    put(cpu0, 0x350, 0x700 | MASKED);
    assertFalse(cpu0.pending());
  }

  @Test
  void selfInterruptGoesThroughRequestServiceAndEoi() {
    put(cpu0, 0x300, 0x40000 | 0x41);
    assertEquals(1 << 1, get(cpu0, 0x220));
    assertTrue(cpu0.pending());
    assertEquals(0x41, cpu0.acknowledge());
    assertEquals(0, get(cpu0, 0x220));
    assertEquals(1 << 1, get(cpu0, 0x120));
    assertEquals(0x40, get(cpu0, 0xa0));
    put(cpu0, 0x300, 0x40000 | 0x4f);
    assertFalse(cpu0.pending(), "same class");
    put(cpu0, 0x300, 0x40000 | 0x50);
    assertEquals(0x50, cpu0.acknowledge());
    put(cpu0, 0xb0, 0);
    put(cpu0, 0xb0, 0);
    assertEquals(0x4f, cpu0.acknowledge());
  }

  @Test
  void taskPriorityHoldsLowerClassesBack() {
    cpu0.setTaskPriorityClass(5);
    assertEquals(0x50, get(cpu0, 0x80));
    put(cpu0, 0x300, 0x40000 | 0x5f);
    assertFalse(cpu0.pending());
    put(cpu0, 0x80, 0x40);
    assertEquals(4, cpu0.taskPriorityClass());
    assertTrue(cpu0.pending());
  }

  @Test
  void softwareDisableMasksTheLvtAndRefusesMessages() {
    put(cpu0, 0x320, 0x20030);
    put(cpu0, 0xf0, 0x0ff);
    assertEquals(0x20030 | MASKED, get(cpu0, 0x320));
    put(cpu0, 0x320, 0x20030);
    assertEquals(0x20030 | MASKED, get(cpu0, 0x320));
    put(cpu0, 0x300, 0x40000 | 0x41);
    assertFalse(cpu0.pending());
  }

  @Test
  void oneShotTimerCountsDownAndFiresOnce() {
    put(cpu0, 0x3e0, 0x3); // divide by 16
    put(cpu0, 0x320, 0x30);
    put(cpu0, 0x380, 1000);
    pass(8_000);
    assertEquals(500, get(cpu0, 0x390));
    assertFalse(cpu0.pending());
    pass(8_000);
    assertEquals(0x30, cpu0.acknowledge());
    put(cpu0, 0xb0, 0);
    assertEquals(0, get(cpu0, 0x390));
    pass(100_000);
    assertFalse(cpu0.pending());
  }

  @Test
  void periodicTimerFiresEachPeriod() {
    put(cpu0, 0x3e0, 0xb); // divide by 1
    put(cpu0, 0x320, 0x20000 | 0x30);
    put(cpu0, 0x380, 4_000_000);
    int fired = 0;
    for (int ms = 0; ms < 100; ms++) {
      pass(1_000_000);
      if (cpu0.pending()) {
        cpu0.acknowledge();
        put(cpu0, 0xb0, 0);
        fired++;
      }
    }
    assertEquals(25, fired);
    put(cpu0, 0x320, 0x20000 | 0x30 | MASKED);
    assertEquals(DeterministicClock.NEVER, clock.nextDeadline(), "nobody listens");
    pass(1_000_000);
    assertEquals(3_000_000, get(cpu0, 0x390), "but it counts on");
  }

  @Test
  void deadlineTimerComparesWithTheGuestsCounter() {
    put(cpu1, 0xf0, 0x1ff);
    put(cpu1, 0x320, 0x40000 | 0x30);
    assertTrue(cpu1.writeMsr(0x6e0, 10_500)); // this CPU's counter is 500 ahead
    assertEquals(10_500, cpu1.readMsr(0x6e0));
    pass(9_999);
    assertFalse(cpu1.pending());
    pass(1);
    assertEquals(0x30, cpu1.acknowledge());
    assertEquals(0, cpu1.readMsr(0x6e0), "disarmed by firing");
  }

  @Test
  void initAndStartUpReachTheOtherProcessor() {
    put(cpu0, 0x310, 1 << 24);
    put(cpu0, 0x300, 0xc500);
    put(cpu0, 0x300, 0x8500); // de-assert does nothing
    put(cpu0, 0x300, 0x0699);
    assertEquals(List.of("1 init", "1 start 153"), pins);
    pins.clear();
    put(cpu0, 0x300, 0xc0400); // NMI to all others
    assertEquals(List.of("1 nmi"), pins);
  }

  @Test
  void logicalDestinationsSelectByFlatAndClusterModel() {
    put(cpu0, 0xd0, 1 << 24);
    put(cpu1, 0xd0, 2 << 24);
    put(cpu1, 0xf0, 0x1ff);
    put(cpu0, 0x310, 2 << 24);
    put(cpu0, 0x300, 0x0841);
    assertFalse(cpu0.pending());
    assertTrue(cpu1.pending());
    put(cpu1, 0xe0, 0x0fffffff);
    put(cpu1, 0xd0, 0x32 << 24);
    assertTrue(cpu1.matchesLogical(0x3f));
    assertFalse(cpu1.matchesLogical(0x22));
    assertFalse(cpu1.matchesLogical(0x31));
  }

  @Test
  void illegalVectorsAndRegistersAreLatchedInTheErrorRegister() {
    put(cpu0, 0x370, 0xfe);
    put(cpu0, 0x300, 0x40000 | 0x05);
    assertEquals(0xfe, cpu0.acknowledge(), "error interrupt");
    assertEquals(0, get(cpu0, 0x280), "not latched yet");
    put(cpu0, 0x280, 0);
    assertEquals(0x20, get(cpu0, 0x280));
    put(cpu0, 0x280, 0);
    assertEquals(0, get(cpu0, 0x280));
    get(cpu0, 0x3d0);
    put(cpu0, 0x280, 0);
    assertEquals(0x80, get(cpu0, 0x280));
  }

  @Test
  void x2apicModeMovesRegistersIntoMsrs() {
    assertFalse(cpu1.canReadMsr(0x802));
    assertFalse(cpu1.writeMsr(0x1b, 0xfee00400L), "EXTD without EN");
    assertTrue(cpu1.writeMsr(0x1b, 0xfee00c00L));
    assertEquals(1, cpu1.readMsr(0x802));
    assertEquals(0x2, cpu1.readMsr(0x80d));
    assertEquals(0xffffffffL, cpu1.read(0x20, 4), "the page is gone");
    assertTrue(cpu1.writeMsr(0x80f, 0x1ff));
    assertTrue(cpu1.writeMsr(0x83f, 0x45));
    assertEquals(0x45, cpu1.acknowledge());
    assertFalse(cpu1.writeMsr(0x80b, 1), "EOI takes only zero");
    assertTrue(cpu1.writeMsr(0x80b, 0));
    assertTrue(cpu1.writeMsr(0x830, 0L << 32 | 0x44));
    assertEquals(0x44, cpu0.acknowledge());
    assertFalse(cpu1.canReadMsr(0x80b));
    assertFalse(cpu1.canReadMsr(0x831));
    assertFalse(cpu1.writeMsr(0x80d, 0));
    assertFalse(cpu1.writeMsr(0x1b, 0xfee00800L), "back to xAPIC only through disabled");
    assertTrue(cpu1.writeMsr(0x1b, 0xfee00000L));
    assertTrue(cpu1.writeMsr(0x1b, 0xfee00800L));
    assertEquals(0xff, get(cpu1, 0xf0));
  }

  @Test
  void x2apicAddressesByIdBitAndShorthand() {
    for (LocalApic apic : List.of(cpu0, cpu1)) {
      apic.writeMsr(0x1b, 0xfee00c00L);
      apic.writeMsr(0x80f, 0x1ff);
    }
    cpu1.receive(ApicBus.INIT, 0, false);
    assertEquals(2, cpu1.readMsr(0x80d), "INIT leaves the derived logical id");
    cpu1.writeMsr(0x80f, 0x1ff);
    cpu0.writeMsr(0x830, 1L << 32 | 0x51);
    assertEquals(0x51, cpu1.acknowledge(), "physical");
    cpu0.writeMsr(0x830, 2L << 32 | 1 << 11 | 0x61);
    assertFalse(cpu0.pending());
    assertEquals(0x61, cpu1.acknowledge(), "logical");
    cpu0.writeMsr(0x830, 0xffff_ffffL << 32 | 0x71);
    assertEquals(0x71, cpu0.acknowledge(), "broadcast");
    assertEquals(0x71, cpu1.acknowledge());
    cpu0.writeMsr(0x830, 2 << 18 | 0x81);
    assertEquals(0x81, cpu0.acknowledge(), "all with self");
    assertEquals(0x81, cpu1.acknowledge());
    cpu0.writeMsr(0x830, 3 << 18 | 0x91);
    assertFalse(cpu0.pending(), "all but self");
    assertEquals(0x91, cpu1.acknowledge());
    assertTrue(cpu0.writeMsr(0x83f, 0xa1));
    assertEquals(0xa1, cpu0.acknowledge(), "self");
    assertFalse(cpu0.writeMsr(0x83f, 0x1a1), "reserved bits");
    assertFalse(cpu0.pending());
    pins.clear();
    cpu0.writeMsr(0x830, 1L << 32 | 4 << 8);
    assertEquals(List.of("1 nmi"), pins);
  }

  @Test
  void edgesAreForwardedOnce() {
    redirect(2, 0x30);
    ioApic.set(2, true);
    assertEquals(0x30, cpu0.acknowledge());
    put(cpu0, 0xb0, 0);
    assertFalse(cpu0.pending());
    ioApic.set(2, false);
    ioApic.set(2, true);
    assertTrue(cpu0.pending());
  }

  @Test
  void levelsRepeatUntilReleased() {
    redirect(9, 0x8000 | 0x39);
    ioApic.set(9, true);
    assertEquals(0x8000 | 0x4000 | 0x39, entry(9));
    assertEquals(0x39, cpu0.acknowledge());
    put(cpu0, 0xb0, 0);
    assertTrue(cpu0.pending(), "still asserted after EOI");
    cpu0.acknowledge();
    ioApic.set(9, false);
    put(cpu0, 0xb0, 0);
    assertFalse(cpu0.pending());
    assertEquals(0x8000 | 0x39, entry(9));
  }

  @Test
  void maskedLevelIsDeliveredWhenUnmasked() {
    redirect(5, 0x8000 | MASKED | 0x35);
    ioApic.set(5, true);
    assertFalse(cpu0.pending());
    redirect(5, 0x8000 | 0x35);
    assertTrue(cpu0.pending());
    ioApic.write(0x40, 4, 0x35); // EOI register
    assertEquals(0x8000 | 0x4000 | 0x35, entry(5));
  }

  @Test
  void lowestPriorityPicksTheLessBusyProcessor() {
    put(cpu0, 0xd0, 1 << 24);
    put(cpu1, 0xd0, 2 << 24);
    put(cpu1, 0xf0, 0x1ff);
    put(cpu0, 0x80, 0x20);
    redirect(4, 3L << 56 | 0x800 | 0x100 | 0x34);
    ioApic.set(4, true);
    assertFalse(cpu0.pending());
    assertEquals(0x34, cpu1.acknowledge());
  }
}
