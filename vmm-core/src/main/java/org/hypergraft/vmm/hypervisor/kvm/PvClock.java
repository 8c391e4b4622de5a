package org.hypergraft.vmm.hypervisor.kvm;

import org.hypergraft.vmm.bus.VirtualClock;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Writes pvclock records: the relation between time-stamp counter and nanoseconds, for guests to
 * compute time without leaving. Layout: Linux {@code arch/x86/include/asm/pvclock-abi.h}.
 */
final class PvClock {
  /** Bytes of {@code struct pvclock_vcpu_time_info}. */
  static final int SIZE = 32;

  /** Flag: the counters of all processors agree and never stop. */
  private static final int TSC_STABLE = 1;

  private final int multiplier;
  private final int shift;

  /** Chooses multiplier and shift so that {@code ns = (ticks << shift) * multiplier >> 32}. */
  PvClock(long tscHz) {
    long hz = tscHz;
    int s = 0;
    // Bring the scaled frequency into (1 GHz/2, 1 GHz * 2), where the 32-bit fraction is precise.
    while (hz > 2 * VirtualClock.NS_PER_SECOND) {
      hz >>= 1;
      s--;
    }
    while (hz <= VirtualClock.NS_PER_SECOND) {
      hz <<= 1;
      s++;
    }
    shift = s;
    multiplier = (int) Long.divideUnsigned(VirtualClock.NS_PER_SECOND << 32, hz);
  }

  /**
   * Writes a record for a counter that has always run at this rate from zero.
   *
   * @param tsc present counter value as the guest reads it
   * @param now present time, ns
   */
  void write(GuestRam ram, long gpa, long tsc, long now) {
    int version = ram.u32(gpa) & ~1;
    ram.put32(gpa, version + 1);
    ram.put32(gpa + 4, 0);
    ram.put64(gpa + 8, tsc);
    ram.put64(gpa + 16, now);
    ram.put32(gpa + 24, multiplier);
    ram.put32(gpa + 28, shift & 0xff | TSC_STABLE << 8);
    ram.put32(gpa, version + 2);
  }
}
