package org.hypergraft.vmm.hypervisor.kvm;

import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.abi.KvmAbi;
import org.hypergraft.annotator.abi.KvmAbi.Feature;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.hypervisor.Hypervisor;
import org.hypergraft.vmm.hypervisor.HypervisorHost;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * KVM as a guest sees it: CPUID leaves, clock and steal-time areas in guest memory, hypercalls, and
 * the repair of hypercall instructions of the wrong vendor.
 */
public final class KvmHypervisor implements Hypervisor {
  /** What is offered: everything here is answered below. */
  public static final Set<Feature> FEATURES =
      Collections.unmodifiableSet(
          EnumSet.of(
              Feature.CLOCKSOURCE,
              Feature.NOP_IO_DELAY,
              Feature.CLOCKSOURCE2,
              Feature.STEAL_TIME,
              Feature.PV_UNHALT,
              Feature.PV_TLB_FLUSH,
              Feature.PV_SEND_IPI,
              Feature.POLL_CONTROL,
              Feature.PV_SCHED_YIELD,
              Feature.CLOCKSOURCE_STABLE));

  /** Bytes of {@code struct pvclock_wall_clock}. */
  private static final int WALL_CLOCK_SIZE = 12;

  private final HypervisorHost host;
  private final PvClock clock;
  private final KvmHypercalls calls;
  private final Map<Long, Long> msrs = new HashMap<>();
  private final Map<Integer, StealTime> stealTimes = new HashMap<>();

  public KvmHypervisor(HypervisorHost host) {
    this.host = host;
    clock = new PvClock(host.tscHz());
    calls = new KvmHypercalls(host);
  }

  @Override
  public boolean announced() {
    return true;
  }

  @Override
  public void cpuid(Cpu c, int leaf, int subleaf, int[] out) {
    switch (leaf) {
      case KvmAbi.CPUID_SIGNATURE -> {
        out[0] = KvmAbi.CPUID_FEATURES;
        for (int i = 0; i < 12; i++) {
          out[1 + i / 4] |= KvmAbi.SIGNATURE.charAt(i) << 8 * (i % 4);
        }
      }
      case KvmAbi.CPUID_FEATURES -> {
        for (Feature f : FEATURES) {
          out[0] |= f.eax();
        }
      }
      default -> {}
    }
  }

  // ---- Registers -------------------------------------------------------------------------------

  @Override
  public boolean ownsMsr(int msr) {
    return msr == KvmAbi.MSR_WALL_CLOCK_OLD
        || msr == KvmAbi.MSR_SYSTEM_TIME_OLD
        || msr >>> 8 == KvmAbi.MSR_WALL_CLOCK >>> 8;
  }

  /** The old and new numbers name the same register. */
  private static int canonical(int msr) {
    return switch (msr) {
      case KvmAbi.MSR_WALL_CLOCK_OLD -> KvmAbi.MSR_WALL_CLOCK;
      case KvmAbi.MSR_SYSTEM_TIME_OLD -> KvmAbi.MSR_SYSTEM_TIME;
      default -> msr;
    };
  }

  private static boolean offered(int msr) {
    return switch (msr) {
      case KvmAbi.MSR_WALL_CLOCK,
          KvmAbi.MSR_SYSTEM_TIME,
          KvmAbi.MSR_STEAL_TIME,
          KvmAbi.MSR_POLL_CONTROL ->
          true;
      default -> false;
    };
  }

  private static long key(Cpu c, int msr) {
    // The wall clock is the machine's, the others are each processor's.
    int index = msr == KvmAbi.MSR_WALL_CLOCK ? 0 : c.index;
    return (long) index << 32 | msr & 0xffff_ffffL;
  }

  @Override
  public long readMsr(Cpu c, int msr) {
    int m = canonical(msr);
    if (!offered(m)) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    long reset = m == KvmAbi.MSR_POLL_CONTROL ? 1 : 0;
    return msrs.getOrDefault(key(c, m), reset);
  }

  @Override
  public void writeMsr(Cpu c, int msr, long value) {
    int m = canonical(msr);
    boolean ok =
        switch (m) {
          case KvmAbi.MSR_WALL_CLOCK -> wallClock(value);
          case KvmAbi.MSR_SYSTEM_TIME -> systemTime(c, value);
          case KvmAbi.MSR_STEAL_TIME -> stealTime(c, value);
          case KvmAbi.MSR_POLL_CONTROL -> (value & ~1) == 0;
          default -> false;
        };
    if (!ok) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    msrs.put(key(c, m), value);
  }

  /** {version, seconds, nanoseconds} of the moment at which system time was zero. */
  private boolean wallClock(long gpa) {
    GuestRam ram = host.ram();
    if (ram.contains(gpa, WALL_CLOCK_SIZE)) {
      int version = ram.u32(gpa) & ~1;
      ram.put32(gpa, version + 1);
      ram.put32(gpa + 4, (int) host.epochSeconds());
      ram.put32(gpa + 8, 0);
      ram.put32(gpa, version + 2);
    }
    return true;
  }

  /** Written once: the counter never drifts from the clock, so the record stays right. */
  private boolean systemTime(Cpu c, long value) {
    long gpa = value & ~1L;
    if ((value & 1) != 0 && host.ram().contains(gpa, PvClock.SIZE)) {
      clock.write(host.ram(), gpa, c.timeStamp(), host.clock().now());
    }
    return true;
  }

  private boolean stealTime(Cpu c, long value) {
    if ((value & StealTime.RESERVED) != 0) {
      return false;
    }
    stealTime(c).register(value);
    return true;
  }

  private StealTime stealTime(Cpu c) {
    return stealTimes.computeIfAbsent(c.index, i -> new StealTime(host));
  }

  // ---- Turns -----------------------------------------------------------------------------------

  @Override
  public void enters(Cpu c) {
    stealTime(c).enters(c);
  }

  @Override
  public void leaves(Cpu c, boolean idle) {
    stealTime(c).leaves(idle);
  }

  // ---- Hypercalls ------------------------------------------------------------------------------

  @Override
  public boolean hypercall(Cpu c, boolean amd) {
    if (amd != (host.vendor() == CpuVendor.AMD)) {
      repair(c);
    } else {
      calls.call(c);
    }
    return true;
  }

  /**
   * The other vendor's instruction: writes the right three bytes over it, with the guest's own
   * rights, and runs it again. On a page that is not writable the guest gets a page fault.
   */
  private void repair(Cpu c) {
    byte[] right = host.vendor().hypercall();
    long ip = c.rip - right.length;
    long la = c.codeAddress(ip);
    c.mmu.probeWrite(la, right.length);
    for (int i = 0; i < right.length; i++) {
      c.mmu.write8(la + i, right[i]);
    }
    c.rip = ip;
  }
}
