package org.hypergraft.vmm.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.RunReport;
import org.hypergraft.vmm.machine.SmallGuest;
import org.hypergraft.vmm.machine.Tiers;
import org.junit.jupiter.api.Test;

class HotFunctionsTest {
  private static final long BUDGET = 60_000_000;

  private static HotFunctions profile(Tiers tiers) {
    HotFunctions hot = new HotFunctions();
    MachineConfig config =
        MachineConfig.of(Kernels.image("6.1 cloud"))
            .tiers(tiers)
            .instructionBudget(BUDGET)
            .observer(hot)
            .build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals(BUDGET, report.retired());
    }
    return hot;
  }

  @Test
  void samplesAreTheSameOnEveryTierAndAddUp() {
    HotFunctions hot = profile(Tiers.INTERPRETER);
    assertEquals(BUDGET / HotFunctions.INTERVAL, hot.total());
    List<HotFunctions.Function> all = hot.top(Integer.MAX_VALUE);
    assertEquals(hot.total(), all.stream().mapToLong(HotFunctions.Function::samples).sum());
    assertEquals(100, all.stream().mapToDouble(HotFunctions.Function::percent).sum(), 1e-6);
    List<HotFunctions.Function> top = hot.top(5);
    assertEquals(all.subList(0, 5), top);
    assertTrue(top.get(0).samples() >= top.get(4).samples());
    assertEquals(top, profile(Tiers.COMPILED).top(5));
  }

  @Test
  void whatHasNoSymbolIsElsewhere() {
    HotFunctions hot = new HotFunctions();
    SmallGuest guest = new SmallGuest().code("90 eb fd");
    MachineConfig config =
        MachineConfig.of(guest.image())
            .memory(32 << 20)
            .instructionBudget(10 * HotFunctions.INTERVAL + 1)
            .observer(hot)
            .build();
    try (Machine machine = new Machine(config)) {
      machine.run();
    }
    assertEquals(HotFunctions.ELSEWHERE, hot.top(1).get(0).name());
    assertEquals(10 * HotFunctions.INTERVAL, hot.top(1).get(0).instructions());
  }
}
