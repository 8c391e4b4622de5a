package org.hypergraft.vmm.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.machine.KernelMatrixTest;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.Observer;
import org.hypergraft.vmm.machine.SmallGuest;
import org.hypergraft.vmm.machine.Stop;
import org.hypergraft.vmm.machine.Tiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LockStepTest {
  /** Breaks something in the second machine, at a count. */
  private static class Saboteur implements Observer {
    private final long at;
    private GuestControl guest;
    private boolean done;

    Saboteur(long at) {
      this.at = at;
    }

    @Override
    public boolean begin(GuestControl control) {
      guest = control;
      return true;
    }

    @Override
    public long nextCount(int cpu) {
      return done ? Long.MAX_VALUE : at;
    }

    @Override
    public boolean stopped(Stop why) {
      done = true;
      sabotage(guest);
      return true;
    }

    void sabotage(GuestControl g) {
      g.current().r[Cpu.RSI] ^= 0x10;
    }
  }

  /** mov ecx, 1000; inc edx; dec ecx; jnz; power off: 3,004 instructions. */
  private static MachineConfig.Builder guest() {
    SmallGuest guest = new SmallGuest().code("b9 e8 03 00 00 42 49 75 fc").powerOff();
    return MachineConfig.of(guest.image()).memory(32 << 20);
  }

  private static LockStep.Result compare(long interval, Saboteur... saboteurs) {
    LockStep.Pair pair =
        (second, observer) -> {
          MachineConfig.Builder config = guest().observer(observer);
          config.tiers(second ? Tiers.FORCED : Tiers.INTERPRETER);
          for (Saboteur s : saboteurs) {
            s.done = false;
            if (second) {
              config.observer(s);
            }
          }
          return new Machine(config.build());
        };
    return new LockStep(pair, interval, n -> {}, s -> {}).run();
  }

  @Test
  void equalMachinesAreEqual() {
    LockStep.Result result = compare(1000);
    assertTrue(result.equal(), result.difference());
    assertEquals(3004, result.instructions());
    assertEquals(4, result.comparisons());
    assertEquals("the guest powered the machine off", result.ending());
  }

  @Test
  void aChangedRegisterIsFoundToTheInstruction() {
    LockStep.Result result = compare(1000, new Saboteur(2345));
    assertEquals(2344, result.instructions());
    String text = result.difference();
    assertTrue(text.contains("equal after instruction 2344:"), text);
    assertTrue(text.contains("2344 0 0x100005 -  42  inc    %edx"), text);
    assertTrue(text.contains("rsi: 0 | 10"), text);
    assertEquals(
        1, text.lines().filter(l -> l.startsWith("  ") && l.contains(" | ")).count(), text);
  }

  @Test
  void aChangedByteOfMemoryIsFound() {
    LockStep.Result result =
        compare(
            700,
            new Saboteur(1234) {
              @Override
              void sabotage(GuestControl g) {
                assertTrue(g.writePhysical(0x1fffffb, new byte[] {0x77}));
              }
            });
    assertEquals(1233, result.instructions());
    String text = result.difference();
    assertTrue(text.contains("memory at physical 0x1fffffb: 0 | 77"), text);
  }

  @Test
  void anotherEndIsADifference() {
    LockStep.Result result =
        compare(
            5000,
            new Saboteur(100) {
              @Override
              void sabotage(GuestControl g) {
                g.current().rip = 0x100009; // out of the loop
              }
            });
    assertEquals(99, result.instructions());
    assertTrue(result.difference().contains("rip: "), result.difference());
  }

  private static LockStep.Pair kernel(String name, int cpus, long budget) {
    return (second, observer) ->
        new Machine(
            MachineConfig.of(Kernels.image(name))
                .commandLine(MachineConfig.DEFAULT_COMMAND_LINE + " cryptomgr.notests")
                .memory(128 << 20)
                .cpus(cpus)
                .tiers(second ? Tiers.FORCED : Tiers.INTERPRETER)
                .instructionBudget(budget)
                .observer(observer)
                .build());
  }

  @Test
  void bothTiersRunTheStartOfAKernelAlike() {
    List<Long> progress = new ArrayList<>();
    LockStep.Pair pair = kernel("6.1 cloud", 1, 30_000_000);
    LockStep.Result result = new LockStep(pair, 2_000_000, progress::add, s -> {}).run();
    assertTrue(result.equal(), result.difference());
    assertEquals(30_000_000, result.instructions());
    assertEquals(15, progress.size());
  }

  static List<String> kernels() {
    return Kernels.ALL;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void bothTiersBootEveryKernelAlike(String name) {
    KernelMatrixTest.onlyInFullMatrix();
    LockStep.Pair pair = kernel(name, 4, Long.MAX_VALUE);
    LockStep.Result result = new LockStep(pair, 20_000_000, n -> {}, s -> {}).run();
    assertTrue(result.equal(), result.difference());
    assertEquals("the guest powered the machine off", result.ending());
  }
}
