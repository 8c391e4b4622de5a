package org.hypergraft.vmm.hypervisor.kvm;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.hypervisor.HypervisorHost;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * A vCPU's {@code struct kvm_steal_time} (Linux {@code asm/kvm_para.h}): time it could have run but
 * waited for its turn, whether it is off the host's processor, and whether its translations are to
 * be dropped before it runs again.
 */
final class StealTime {
  /** Bytes of the structure. */
  static final int SIZE = 64;

  /** Reserved bits of the register: 64-byte aligned address, bit 0 enables. */
  static final long RESERVED = 0x3e;

  private static final long ENABLED = 1;
  private static final int VERSION = 8;
  private static final int PREEMPTED = 16;

  /** KVM_VCPU_PREEMPTED, set by us, and KVM_VCPU_FLUSH_TLB, added by the guest. */
  private static final int IS_PREEMPTED = 1;

  private static final int FLUSH_TLB = 2;

  private final HypervisorHost host;
  private long gpa = -1;
  private long stolen;
  private long leftAt;
  private boolean waits;

  StealTime(HypervisorHost host) {
    this.host = host;
  }

  /** Takes a value of the register whose reserved bits are clear. */
  void register(long value) {
    long at = value & ~0x3fL;
    gpa = (value & ENABLED) != 0 && host.ram().contains(at, SIZE) ? at : -1;
    if (gpa >= 0) {
      host.ram().put8(gpa + PREEMPTED, 0);
      write();
    }
  }

  /**
   * The vCPU's turn has ended.
   *
   * @param idle whether it had nothing to execute, so that nothing is stolen from it
   */
  void leaves(boolean idle) {
    waits = !idle;
    leftAt = host.clock().now();
    if (gpa >= 0) {
      host.ram().put8(gpa + PREEMPTED, IS_PREEMPTED);
    }
  }

  /** The vCPU's next turn begins. */
  void enters(Cpu c) {
    if (waits) {
      stolen += host.clock().now() - leftAt;
      waits = false;
    }
    if (gpa < 0) {
      return;
    }
    int flags = host.ram().u8(gpa + PREEMPTED);
    host.ram().put8(gpa + PREEMPTED, 0);
    if ((flags & FLUSH_TLB) != 0) {
      c.mmu.flushAll();
    }
    write();
  }

  private void write() {
    GuestRam ram = host.ram();
    int version = ram.u32(gpa + VERSION) & ~1;
    ram.put32(gpa + VERSION, version + 1);
    ram.put64(gpa, stolen);
    ram.put32(gpa + VERSION, version + 2);
  }
}
