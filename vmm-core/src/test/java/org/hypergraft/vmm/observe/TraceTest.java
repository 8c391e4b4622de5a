package org.hypergraft.vmm.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.RunReport;
import org.hypergraft.vmm.machine.SmallGuest;
import org.hypergraft.vmm.machine.Tiers;
import org.junit.jupiter.api.Test;

class TraceTest {
  private final StringWriter text = new StringWriter();

  private Trace trace(Trace.Subject subject, Waypoint from, long fromCount, long limit) {
    return new Trace(subject, new PrintWriter(text), from, fromCount, limit);
  }

  private static RunReport run(MachineConfig.Builder config) {
    try (Machine machine = new Machine(config.build())) {
      return machine.run();
    }
  }

  /** mov ecx, 2; loop: dec ecx; jnz loop; power off. */
  private static MachineConfig.Builder guest() {
    SmallGuest guest = new SmallGuest().code("b9 02 00 00 00 49 75 fd").powerOff();
    return MachineConfig.of(guest.image()).memory(32 << 20);
  }

  private List<String> lines() {
    return text.toString().lines().map(String::stripTrailing).toList();
  }

  @Test
  void aLinePerRetiredInstruction() {
    RunReport report =
        run(guest().observer(trace(Trace.Subject.INSTRUCTIONS, null, 0, Long.MAX_VALUE)));
    assertEquals(
        List.of(
            "0 0 0x100000 -  b9 02 00 00 00  mov    $0x2,%ecx",
            "1 0 0x100005 -  49  dec    %ecx",
            "2 0 0x100006 -  75 fd  jne    0x100005",
            "3 0 0x100005 -  49  dec    %ecx",
            "4 0 0x100006 -  75 fd  jne    0x100005",
            "5 0 0x100008 -  ba 04 06 00 00  mov    $0x604,%edx",
            "6 0 0x10000d -  b8 00 34 00 00  mov    $0x3400,%eax",
            "7 0 0x100012 -  66 ef  out    %ax,(%dx)"),
        lines());
    assertEquals(8, report.retired());
  }

  @Test
  void fromACountToALimit() {
    run(guest().observer(trace(Trace.Subject.INSTRUCTIONS, null, 2, 2)));
    assertEquals(
        List.of(
            "2 0 0x100006 -  75 fd  jne    0x100005",
            "3 0 0x100005 -  49  dec    %ecx",
            "the limit of 2 lines is reached"),
        lines());
  }

  @Test
  void fromThePlaceReachedTheNthTime() {
    Trace trace = trace(Trace.Subject.INSTRUCTIONS, Waypoint.parse("0x100005:2"), 0, 1);
    run(guest().observer(trace));
    assertEquals("3 0 0x100005 -  49  dec    %ecx", lines().get(0));
    assertEquals(1, trace.lines());
  }

  /** Two observers at one address: neither loses anything. */
  @Test
  void anotherObserverMayStopAtTheSamePlace() {
    StopAt never = new StopAt(Waypoint.parse("0x100005:99"));
    run(
        guest()
            .observer(never)
            .observer(trace(Trace.Subject.INSTRUCTIONS, null, 0, Long.MAX_VALUE)));
    assertEquals(8, lines().size());
    assertEquals(2, never.seen());
  }

  @Test
  void anInstructionThatFaultsHasNoLine() {
    SmallGuest guest = new SmallGuest().code("90 0f 0b");
    run(
        MachineConfig.of(guest.image())
            .memory(32 << 20)
            .observer(trace(Trace.Subject.INSTRUCTIONS, null, 0, 10))
            .observer(trace(Trace.Subject.EVENTS, null, 0, 10)));
    assertEquals(List.of("0 0 0x100000 -  90  nop", "1 0 #UD at 0x100001"), lines());
  }

  @Test
  void aKernelIsTracedAlikeOnEveryTierAndUndisturbed() {
    String[] traces = new String[2];
    long[] retired = new long[3];
    for (int i = 0; i < 3; i++) {
      MachineConfig.Builder config =
          MachineConfig.of(Kernels.image("6.1 cloud"))
              .tiers(i == 1 ? Tiers.FORCED : Tiers.INTERPRETER)
              .instructionBudget(200_000_000);
      StopAt stop = new StopAt(Waypoint.parse("trap_init"));
      config.observer(stop);
      if (i < 2) {
        text.getBuffer().setLength(0);
        config.observer(
            trace(Trace.Subject.INSTRUCTIONS, Waypoint.parse("start_kernel"), 0, 20_000));
        config.observer(trace(Trace.Subject.EVENTS, null, 0, 100));
      }
      retired[i] = run(config).retired();
      if (i < 2) {
        traces[i] = text.toString();
      }
      assertTrue(stop.state().contains("start_kernel+"), stop.state());
    }
    assertEquals(traces[0], traces[1]);
    assertEquals(retired[0], retired[1]);
    assertEquals(retired[0], retired[2]);
    List<String> lines = lines();
    assertTrue(lines.get(0).contains("#PF error 0x0"), lines.get(0));
    assertTrue(
        lines.stream().anyMatch(l -> l.contains(" start_kernel+0x0  e8 ")), "the first line");
    assertTrue(lines.size() > 20_000);
  }
}
