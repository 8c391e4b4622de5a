package org.hypergraft.annotator.abi;

import java.util.Locale;
import java.util.Optional;

/**
 * The KVM paravirtual interface.
 *
 * <p>Source: Linux {@code arch/x86/include/uapi/asm/kvm_para.h}, {@code
 * include/uapi/linux/kvm_para.h}, {@code Documentation/virt/kvm/x86/{cpuid,msr,hypercalls}.rst}.
 */
public final class KvmAbi {
  /** First CPUID leaf: EAX = highest leaf, EBX:ECX:EDX = {@link #SIGNATURE}. */
  public static final int CPUID_SIGNATURE = 0x4000_0000;

  /** CPUID leaf of the feature bits (EAX) and hints (EDX). */
  public static final int CPUID_FEATURES = 0x4000_0001;

  /** Twelve bytes of EBX, ECX, EDX. */
  public static final String SIGNATURE = "KVMKVMKVM\0\0\0";

  public static final int MSR_WALL_CLOCK_OLD = 0x11;
  public static final int MSR_SYSTEM_TIME_OLD = 0x12;
  public static final int MSR_WALL_CLOCK = 0x4b56_4d00;
  public static final int MSR_SYSTEM_TIME = 0x4b56_4d01;
  public static final int MSR_ASYNC_PF_EN = 0x4b56_4d02;
  public static final int MSR_STEAL_TIME = 0x4b56_4d03;
  public static final int MSR_PV_EOI_EN = 0x4b56_4d04;
  public static final int MSR_POLL_CONTROL = 0x4b56_4d05;
  public static final int MSR_ASYNC_PF_INT = 0x4b56_4d06;
  public static final int MSR_ASYNC_PF_ACK = 0x4b56_4d07;
  public static final int MSR_MIGRATION_CONTROL = 0x4b56_4d08;

  /** Hypercall numbers: RAX on entry; arguments RBX, RCX, RDX, RSI; result RAX. */
  public static final int HC_VAPIC_POLL_IRQ = 1;

  public static final int HC_FEATURES = 3;
  public static final int HC_KICK_CPU = 5;
  public static final int HC_CLOCK_PAIRING = 9;
  public static final int HC_SEND_IPI = 10;
  public static final int HC_SCHED_YIELD = 11;
  public static final int HC_MAP_GPA_RANGE = 12;

  /** Results below zero. */
  public static final int ENOSYS = 1000;

  public static final int EPERM = 1;
  public static final int EFAULT = 14;
  public static final int E2BIG = 7;
  public static final int EOPNOTSUPP = 95;

  /** Bits of {@link #CPUID_FEATURES}: EAX, and the hint in EDX. */
  public enum Feature {
    CLOCKSOURCE(0),
    NOP_IO_DELAY(1),
    MMU_OP(2),
    CLOCKSOURCE2(3),
    ASYNC_PF(4),
    STEAL_TIME(5),
    PV_EOI(6),
    PV_UNHALT(7),
    PV_TLB_FLUSH(9),
    ASYNC_PF_VMEXIT(10),
    PV_SEND_IPI(11),
    POLL_CONTROL(12),
    PV_SCHED_YIELD(13),
    ASYNC_PF_INT(14),
    MSI_EXT_DEST_ID(15),
    HC_MAP_GPA_RANGE(16),
    MIGRATION_CONTROL(17),
    CLOCKSOURCE_STABLE(24),
    /** EDX bit 0: every vCPU has a physical CPU of its own. */
    REALTIME(32);

    private final int bit;

    Feature(int bit) {
      this.bit = bit;
    }

    /** Bit 0-31 of EAX; 32 is bit 0 of EDX. */
    public int bit() {
      return bit;
    }

    /** Mask in EAX; 0 for the hint. */
    public int eax() {
      return bit < 32 ? 1 << bit : 0;
    }

    /** Lower-case name with hyphens, as written in assumptions. */
    public String id() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The feature of that name, in either spelling. */
    public static Optional<Feature> named(String id) {
      String wanted = id.toUpperCase(Locale.ROOT).replace('-', '_');
      for (Feature f : values()) {
        if (f.name().equals(wanted)) {
          return Optional.of(f);
        }
      }
      return Optional.empty();
    }
  }

  private KvmAbi() {}
}
