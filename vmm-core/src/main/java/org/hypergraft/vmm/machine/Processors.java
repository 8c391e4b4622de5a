package org.hypergraft.vmm.machine;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.device.ApicBus;
import org.hypergraft.vmm.hypervisor.Hypervisor;
import org.hypergraft.vmm.hypervisor.HypervisorHost;

/**
 * The vCPUs and whose turn it is. They share one thread and take turns in the order of their
 * indices; a turn ends
 *
 * <ul>
 *   <li>after {@link #QUANTUM} instructions,
 *   <li>when the vCPU halts and nothing is pending for it,
 *   <li>after {@link #SPINS} PAUSE instructions: it waits for another one,
 *   <li>when it asks the hypervisor to let another one run.
 * </ul>
 *
 * <p>Time is shared like the thread: every instruction that any vCPU retires advances the machine's
 * clock by the same amount, so of n busy vCPUs each proceeds at 1/n of the speed. The clock, and
 * with it every time-stamp counter, never runs backwards from one vCPU to another. Turns depend on
 * instruction counts only, so the interleaving is the same in every run. Devices' events are due at
 * exact counts and do not end a turn.
 *
 * <p>Instructions are never interleaved, so all of them are atomic, locked or not, split over cache
 * lines or pages or not. Only a repeated string instruction may be left between iterations, where
 * the architecture allows it.
 */
final class Processors {
  /**
   * Most instructions of a turn while others are runnable. Part of the machine's contract. Long
   * enough that changing vCPUs costs little, short enough (0.2 ms of virtual time) that eight busy
   * vCPUs all get turns between two timer ticks.
   */
  static final long QUANTUM = 20_000;

  /** PAUSE instructions in a turn that end it. Part of the machine's contract. */
  static final int SPINS = 64;

  private final Vcpu[] all;
  private ApicBus bus;
  private Hypervisor hypervisor;
  private Vcpu current;

  /** Instructions retired by the vCPUs other than {@link #current}. */
  private long othersRetired;

  /** Count of the current vCPU's own instructions at which its turn ends. */
  private long turnEnd;

  /**
   * @param count how many, at least 1
   * @param make makes the vCPU of an index
   */
  Processors(int count, IntFunction<Vcpu> make) {
    all = new Vcpu[count];
    Arrays.setAll(all, make);
    current = all[0];
    startTurn();
  }

  /** Connects them to what is told of turns. To be called before any runs. */
  void connect(ApicBus newBus, Hypervisor newHypervisor) {
    bus = newBus;
    hypervisor = newHypervisor;
  }

  List<Vcpu> all() {
    return List.of(all);
  }

  Vcpu get(int index) {
    return all[index];
  }

  /** The vCPU whose turn it is, or was last. */
  Cpu current() {
    return current.cpu;
  }

  /** Instructions retired by all vCPUs together. */
  long retired() {
    return othersRetired + current.cpu.retired();
  }

  /** Instructions retired by each vCPU. */
  List<Long> retiredByCpu() {
    return Arrays.stream(all).map(v -> v.cpu.retired()).toList();
  }

  /**
   * Has the current vCPU stop when all together have retired {@code total} instructions, or at the
   * end of its turn.
   */
  void setStop(long total) {
    long own = total == Long.MAX_VALUE ? total : total - othersRetired;
    current.cpu.setStop(all.length == 1 ? own : Math.min(own, turnEnd));
  }

  /**
   * Says who runs next: the current vCPU while its turn lasts, else the next runnable one.
   *
   * @return false if none can run
   */
  boolean turn() {
    if (current.cpu.retired() < turnEnd && current.runnable() && current.settle()) {
      return true;
    }
    int at = current.cpu.index;
    for (int i = 1; i <= all.length; i++) {
      Vcpu v = all[(at + i) % all.length];
      if (v.runnable() && v.settle()) {
        begin(v);
        return true;
      }
    }
    return false;
  }

  boolean anyRunnable() {
    return Arrays.stream(all).anyMatch(Vcpu::runnable);
  }

  private void begin(Vcpu v) {
    if (v != current) {
      hypervisor.leaves(current.cpu, !current.runnable());
      othersRetired += current.cpu.retired() - v.cpu.retired();
      current = v;
      bus.select(v.apic);
      hypervisor.enters(v.cpu);
    }
    startTurn();
  }

  private void startTurn() {
    turnEnd = current.cpu.retired() + QUANTUM;
    current.cpu.spins = all.length == 1 ? Integer.MAX_VALUE : SPINS;
  }

  /** The current vCPU left its turn by request: it may have spun for long enough. */
  void requested() {
    if (current.cpu.spins <= 0) {
      giveWay();
    }
  }

  /** Ends the current turn, if somebody else can use the time. */
  void giveWay() {
    for (Vcpu v : all) {
      if (v != current && v.runnable()) {
        turnEnd = current.cpu.retired();
        setStop(turnEnd + othersRetired);
        return;
      }
    }
    current.cpu.spins = SPINS;
  }

  /** How a hypervisor's interface reaches them. */
  HypervisorHost.CpuSignals signals() {
    return new HypervisorHost.CpuSignals() {
      @Override
      public boolean interrupt(int apicId, int icr) {
        return bus.send(apicId, icr);
      }

      @Override
      public void wake(int apicId) {
        if (apicId >= 0 && apicId < all.length) {
          all[apicId].kick();
        }
      }

      @Override
      public void giveWay() {
        Processors.this.giveWay();
      }
    };
  }
}
