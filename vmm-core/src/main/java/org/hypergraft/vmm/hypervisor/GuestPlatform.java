package org.hypergraft.vmm.hypervisor;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.hypergraft.vmm.bus.ApicMsrs;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Platform;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuidTable;
import org.hypergraft.vmm.cpu.model.MsrStore;
import org.hypergraft.vmm.mmu.GuestFault;

/** What vCPUs of a machine see around them: a processor model, local APICs and a hypervisor. */
public final class GuestPlatform implements Platform {
  /** CPUID leaves 4000xxxxh are a hypervisor's. */
  private static final int HYPERVISOR_LEAVES = 0x4000;

  private final CpuModel model;
  private final CpuidTable cpuid;
  private final Hypervisor hypervisor;
  private final LongSupplier tsc;
  private final IntFunction<ApicMsrs> apics;
  private final Map<Integer, MsrStore> stores = new HashMap<>();

  /**
   * @param tsc the time-stamp counter before IA32_TSC_ADJUST
   * @param tscHz its frequency
   * @param cpus number of vCPUs
   * @param apics local APIC of a vCPU by {@link Cpu#index}
   */
  public GuestPlatform(
      CpuModel model,
      Hypervisor hypervisor,
      LongSupplier tsc,
      long tscHz,
      int cpus,
      IntFunction<ApicMsrs> apics) {
    this.model = model;
    this.hypervisor = hypervisor;
    this.tsc = tsc;
    this.apics = apics;
    cpuid = new CpuidTable(model, hypervisor.announced(), tscHz, cpus);
  }

  @Override
  public long tsc(Cpu c) {
    return tsc.getAsLong();
  }

  @Override
  public void cpuid(Cpu c, int leaf, int subleaf, int[] out) {
    if (leaf >>> 16 == HYPERVISOR_LEAVES) {
      Arrays.fill(out, 0);
      hypervisor.cpuid(c, leaf, subleaf, out);
    } else {
      cpuid.read(c, leaf, subleaf, out);
    }
  }

  @Override
  public long readMsr(Cpu c, int msr) {
    if (ApicMsrs.owns(msr)) {
      ApicMsrs apic = apics.apply(c.index);
      if (!apic.canReadMsr(msr)) {
        throw GuestFault.of(GuestFault.GP, 0);
      }
      return apic.readMsr(msr);
    }
    return hypervisor.ownsMsr(msr) ? hypervisor.readMsr(c, msr) : store(c).read(msr);
  }

  @Override
  public void writeMsr(Cpu c, int msr, long value) {
    if (ApicMsrs.owns(msr)) {
      if (!apics.apply(c.index).writeMsr(msr, value)) {
        throw GuestFault.of(GuestFault.GP, 0);
      }
    } else if (hypervisor.ownsMsr(msr)) {
      hypervisor.writeMsr(c, msr, value);
    } else {
      store(c).write(msr, value);
    }
  }

  private MsrStore store(Cpu c) {
    return stores.computeIfAbsent(c.index, i -> new MsrStore(model));
  }

  @Override
  public boolean hypercall(Cpu c, boolean amd) {
    return hypervisor.hypercall(c, amd);
  }
}
