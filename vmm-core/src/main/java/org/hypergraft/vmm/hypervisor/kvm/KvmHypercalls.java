package org.hypergraft.vmm.hypervisor.kvm;

import org.hypergraft.annotator.abi.KvmAbi;
import org.hypergraft.vmm.bus.VirtualClock;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.hypervisor.HypervisorHost;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * KVM's hypercalls: number in RAX, arguments in RBX, RCX, RDX, RSI, result in RAX; no other
 * register changes (Linux {@code Documentation/virt/kvm/x86/hypercalls.rst}).
 */
final class KvmHypercalls {
  /** KVM_CLOCK_PAIRING_WALLCLOCK. */
  private static final long CLOCK_PAIRING_WALLCLOCK = 0;

  /** Bytes of {@code struct kvm_clock_pairing}: seconds, nanoseconds, TSC, flags, padding. */
  private static final int PAIRING_SIZE = 64;

  private final HypervisorHost host;

  KvmHypercalls(HypervisorHost host) {
    this.host = host;
  }

  void call(Cpu c) {
    boolean wide = c.code64();
    long number = argument(c, Cpu.RAX, wide);
    long a0 = argument(c, Cpu.RBX, wide);
    long a1 = argument(c, Cpu.RCX, wide);
    long a2 = argument(c, Cpu.RDX, wide);
    long a3 = argument(c, Cpu.RSI, wide);
    long result = c.cpl > 0 ? -KvmAbi.EPERM : dispatch(c, number, a0, a1, a2, a3, wide);
    c.r[Cpu.RAX] = wide ? result : result & 0xffff_ffffL;
  }

  private static long argument(Cpu c, int reg, boolean wide) {
    return wide ? c.r[reg] : c.r[reg] & 0xffff_ffffL;
  }

  private long dispatch(Cpu c, long number, long a0, long a1, long a2, long a3, boolean wide) {
    if (number >>> 31 != 0) {
      return -KvmAbi.ENOSYS;
    }
    return switch ((int) number) {
      case KvmAbi.HC_VAPIC_POLL_IRQ -> 0;
      case KvmAbi.HC_KICK_CPU -> {
        host.signals().wake((int) a1);
        yield 0;
      }
      case KvmAbi.HC_CLOCK_PAIRING -> clockPairing(c, a0, a1);
      case KvmAbi.HC_SEND_IPI -> sendIpi(a0, a1, (int) a2, (int) a3, wide);
      case KvmAbi.HC_SCHED_YIELD -> {
        host.signals().giveWay();
        yield 0;
      }
      default -> -KvmAbi.ENOSYS;
    };
  }

  /** Sends to each APIC id in a bitmap that starts at {@code first}; counts the receivers. */
  private long sendIpi(long low, long high, int first, int icr, boolean wide) {
    int bits = wide ? 64 : 32;
    long sent = 0;
    for (int i = 0; i < 2 * bits; i++) {
      long word = i < bits ? low : high;
      if ((word >>> i % bits & 1) != 0 && host.signals().interrupt(first + i, icr)) {
        sent++;
      }
    }
    return sent;
  }

  private long clockPairing(Cpu c, long gpa, long type) {
    if (type != CLOCK_PAIRING_WALLCLOCK) {
      return -KvmAbi.EOPNOTSUPP;
    }
    GuestRam ram = host.ram();
    if (!ram.contains(gpa, PAIRING_SIZE)) {
      return -KvmAbi.EFAULT;
    }
    long now = host.clock().now();
    ram.fill(gpa, PAIRING_SIZE, 0);
    ram.put64(gpa, host.epochSeconds() + now / VirtualClock.NS_PER_SECOND);
    ram.put64(gpa + 8, now % VirtualClock.NS_PER_SECOND);
    ram.put64(gpa + 16, c.timeStamp());
    return 0;
  }
}
