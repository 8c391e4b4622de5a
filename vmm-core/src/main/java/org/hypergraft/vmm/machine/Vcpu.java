package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.bus.CpuPins;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.system.Reset;
import org.hypergraft.vmm.device.LocalApic;

/**
 * A processor with its local APIC and what it waits for. The bootstrap processor runs from
 * power-on; the others wait for INIT and a start-up message (Intel SDM vol. 3, 9.4).
 */
final class Vcpu implements CpuPins {
  final Cpu cpu;
  LocalApic apic;
  private final int signature;
  private final Runnable machineReset;
  private boolean waiting;
  private boolean kicked;
  private boolean initPending;
  private int startPending = -1;

  /**
   * @param signature EAX of CPUID leaf 1
   * @param machineReset what INIT of the bootstrap processor does: firmware would start over
   */
  Vcpu(Cpu cpu, int signature, Runnable machineReset) {
    this.cpu = cpu;
    this.signature = signature;
    this.machineReset = machineReset;
  }

  /** Puts an application processor into the state in which firmware leaves it. */
  void park() {
    Reset.powerOn(cpu, signature);
    waiting = true;
  }

  /** Whether it has been started and not been put back to waiting. */
  boolean started() {
    return !waiting;
  }

  /** Whether it executes instructions when its turn comes. */
  boolean runnable() {
    return initPending || startPending >= 0 || !waiting && (!cpu.halted || wakes());
  }

  private boolean wakes() {
    return kicked || cpu.nmiPending && !cpu.nmiBlocked || cpu.interruptsEnabled() && apic.pending();
  }

  /** Whether only another processor could end its halt. */
  boolean deaf() {
    return cpu.halted && !cpu.interruptsEnabled() && !wakes();
  }

  /**
   * Does, between instructions, what messages asked for: resets, starts, ends a halt by a kick.
   *
   * @return whether it can run now
   */
  boolean settle() {
    if (initPending) {
      initPending = false;
      Reset.init(cpu, signature);
      waiting = true;
      kicked = false;
    }
    if (startPending >= 0 && waiting) {
      Reset.startUp(cpu, startPending);
      waiting = false;
    }
    startPending = -1;
    cpu.exitRequested = false;
    if (cpu.halted && kicked) {
      cpu.halted = false;
      kicked = false;
    }
    return runnable();
  }

  /** Wakes it from its present halt, or else from the next one, whatever its interrupt flag. */
  void kick() {
    kicked = true;
  }

  @Override
  public void nmi() {
    if (!waiting) {
      cpu.nmiPending = true;
    }
  }

  @Override
  public void smi() {} // no system management mode

  @Override
  public void init() {
    if (cpu.index == 0) {
      machineReset.run();
      return;
    }
    initPending = true;
    startPending = -1;
    cpu.exitRequested = true;
  }

  @Override
  public void startUp(int vector) {
    // one that runs ignores it
    if (waiting || initPending) {
      startPending = vector;
    }
  }
}
