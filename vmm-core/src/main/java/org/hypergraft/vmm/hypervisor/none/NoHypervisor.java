package org.hypergraft.vmm.hypervisor.none;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.hypervisor.Hypervisor;

/** Bare hardware: no leaves, no registers, hypercall instructions are undefined. */
public final class NoHypervisor implements Hypervisor {
  @Override
  public boolean announced() {
    return false;
  }

  @Override
  public void cpuid(Cpu c, int leaf, int subleaf, int[] out) {}

  @Override
  public boolean ownsMsr(int msr) {
    return false;
  }

  @Override
  public long readMsr(Cpu c, int msr) {
    throw new IllegalArgumentException("no such register");
  }

  @Override
  public void writeMsr(Cpu c, int msr, long value) {
    throw new IllegalArgumentException("no such register");
  }

  @Override
  public boolean hypercall(Cpu c, boolean amd) {
    return false;
  }
}
