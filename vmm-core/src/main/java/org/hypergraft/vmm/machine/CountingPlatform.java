package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Platform;

/** Counts what would exit to a hypervisor, then passes it on. */
final class CountingPlatform implements Platform {
  private final Platform platform;
  private final ExitLog exits;

  CountingPlatform(Platform platform, ExitLog exits) {
    this.platform = platform;
    this.exits = exits;
  }

  @Override
  public long tsc(Cpu c) {
    return platform.tsc(c);
  }

  @Override
  public void cpuid(Cpu c, int leaf, int subleaf, int[] out) {
    platform.cpuid(c, leaf, subleaf, out);
  }

  @Override
  public void executesCpuid(Cpu c, int leaf) {
    exits.note(ExitCause.CPUID, leaf & 0xffffffffL, 0);
  }

  @Override
  public long readMsr(Cpu c, int msr) {
    exits.note(ExitCause.RDMSR, msr & 0xffffffffL, 0);
    return platform.readMsr(c, msr);
  }

  @Override
  public void writeMsr(Cpu c, int msr, long value) {
    exits.note(ExitCause.WRMSR, msr & 0xffffffffL, value);
    platform.writeMsr(c, msr, value);
  }

  @Override
  public boolean hypercall(Cpu c, boolean amd) {
    exits.note(ExitCause.HYPERCALL, c.r[Cpu.RAX], 0);
    return platform.hypercall(c, amd);
  }
}
