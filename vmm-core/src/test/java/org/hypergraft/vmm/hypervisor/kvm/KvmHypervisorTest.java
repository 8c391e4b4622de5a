package org.hypergraft.vmm.hypervisor.kvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.abi.KvmAbi;
import org.hypergraft.vmm.bus.ApicMsrs;
import org.hypergraft.vmm.bus.DeterministicClock;
import org.hypergraft.vmm.bus.MmioBus;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Platform;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.hypergraft.vmm.hypervisor.GuestPlatform;
import org.hypergraft.vmm.hypervisor.Hypervisor;
import org.hypergraft.vmm.hypervisor.HypervisorHost;
import org.hypergraft.vmm.hypervisor.Hypervisors;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** KVM's leaves, registers and hypercalls against KvmAbi. */
class KvmHypervisorTest {
  private static final long EPOCH = 1_700_000_000;

  private final GuestRam ram = new GuestRam(1 << 20);
  private final Mmu mmu = new Mmu(ram, new Nothing());
  private final Cpu cpu = new Cpu(0);
  private final DeterministicClock clock = new DeterministicClock(() -> 0);
  private final List<String> signals = new ArrayList<>();
  private Platform platform;

  private static final class Nothing implements MmioBus {
    @Override
    public long read(long gpa, int size) {
      return -1;
    }

    @Override
    public void write(long gpa, int size, long value) {}
  }

  private final class Signals implements HypervisorHost.CpuSignals {
    @Override
    public boolean interrupt(int apicId, int icr) {
      signals.add("irq " + apicId + " " + Integer.toHexString(icr));
      return apicId < 3;
    }

    @Override
    public void wake(int apicId) {
      signals.add("wake " + apicId);
    }

    @Override
    public void giveWay() {
      signals.add("give way");
    }
  }

  @BeforeEach
  void create() {
    host(CpuVendor.AMD, 1_000_000_000);
  }

  private HypervisorHost hostOf(CpuVendor vendor, long tscHz) {
    return new HypervisorHost(vendor, ram, clock, tscHz, EPOCH, new Signals());
  }

  private void host(CpuVendor vendor, long tscHz) {
    HypervisorHost host = hostOf(vendor, tscHz);
    platform =
        new GuestPlatform(
            CpuModels.find("baseline", vendor).orElseThrow(),
            Hypervisors.named("kvm").orElseThrow().create(host),
            () -> clock.now() / 1000 * (tscHz / 1_000_000),
            tscHz,
            4,
            i -> (ApicMsrs) null);
    cpu.platform = platform;
    cpu.mmu = mmu;
    mmu.exact = true;
    cpu.cr0 = Cpu.CR0_PE;
    cpu.efer = Cpu.EFER_LMA;
    cpu.segAttr[Cpu.CS] = Cpu.ATTR_L;
    cpu.cpl = 0;
    cpu.updateMode();
  }

  @AfterEach
  void close() {
    mmu.close();
    ram.close();
  }

  @Test
  void leaves() {
    int[] out = new int[4];
    platform.cpuid(cpu, 1, 0, out);
    assertTrue(out[2] < 0, "hypervisor bit");
    platform.cpuid(cpu, KvmAbi.CPUID_SIGNATURE, 0, out);
    assertEquals(KvmAbi.CPUID_FEATURES, out[0]);
    assertEquals(0x4b4d_564b, out[1]);
    assertEquals(0x564b_4d56, out[2]);
    assertEquals(0x4d, out[3]);
    platform.cpuid(cpu, KvmAbi.CPUID_FEATURES, 0, out);
    for (KvmAbi.Feature f : KvmAbi.Feature.values()) {
      if (f.eax() != 0) {
        assertEquals(KvmHypervisor.FEATURES.contains(f), (out[0] & f.eax()) != 0, f.toString());
      }
    }
    platform.cpuid(cpu, 0x4000_0100, 0, out);
    assertEquals(0, out[0] | out[1] | out[2] | out[3]);
  }

  @Test
  void wallClockIsTheFixedEpoch() {
    clock.advance(5_000_000_000L);
    ram.put32(0x1000, 7);
    platform.writeMsr(cpu, KvmAbi.MSR_WALL_CLOCK, 0x1000);
    assertEquals(8, ram.u32(0x1000));
    assertEquals(EPOCH, ram.u32(0x1004));
    assertEquals(0, ram.u32(0x1008));
  }

  @Test
  void systemTimeFollowsTheCounterExactly() {
    for (long hz : new long[] {1_000_000_000L, 2_500_000_000L, 500_000_000L, 3_333_000_000L}) {
      host(CpuVendor.INTEL, hz);
      clock.advance(1_234_567_000L);
      cpu.tscAdjust = 99;
      platform.writeMsr(cpu, KvmAbi.MSR_SYSTEM_TIME, 0x2000 | 1);
      assertEquals(0x2001, platform.readMsr(cpu, KvmAbi.MSR_SYSTEM_TIME_OLD));
      assertEquals(0, ram.u32(0x2000) & 1, "update finished");
      long at = ram.u64(0x2008);
      assertEquals(platform.tsc(cpu) + 99, at);
      assertEquals(clock.now(), ram.u64(0x2010));
      assertEquals(1, ram.u8(0x201d), "stable");
      // An hour later, computed as a guest does, with less than a microsecond of rounding.
      long ticks = 3600 * hz;
      long expected = clock.now() + 3600L * 1_000_000_000;
      assertEquals(expected, guestTime(at + ticks), 1000, "at " + hz);
    }
  }

  private long guestTime(long tsc) {
    int shift = (byte) ram.u8(0x201c);
    long delta = tsc - ram.u64(0x2008);
    delta = shift < 0 ? delta >>> -shift : delta << shift;
    BigInteger product =
        BigInteger.valueOf(delta).multiply(BigInteger.valueOf(ram.u32(0x2018) & 0xffff_ffffL));
    return ram.u64(0x2010) + product.shiftRight(32).longValueExact();
  }

  @Test
  void stealTimeIsNone() {
    ram.fill(0x3000, 64, 0xff);
    ram.put32(0x3008, 4);
    platform.writeMsr(cpu, KvmAbi.MSR_STEAL_TIME, 0x3000 | 1);
    assertEquals(0, ram.u64(0x3000));
    assertEquals(6, ram.u32(0x3008));
    assertEquals(0, ram.u8(0x3010), "not preempted");
    refused(() -> platform.writeMsr(cpu, KvmAbi.MSR_STEAL_TIME, 0x3000 | 2));
  }

  @Test
  void registersOfFeaturesNotOfferedAreRefused() {
    refused(() -> platform.writeMsr(cpu, KvmAbi.MSR_ASYNC_PF_EN, 1));
    refused(() -> platform.readMsr(cpu, KvmAbi.MSR_PV_EOI_EN));
    refused(() -> platform.writeMsr(cpu, KvmAbi.MSR_MIGRATION_CONTROL, 1));
    assertEquals(1, platform.readMsr(cpu, KvmAbi.MSR_POLL_CONTROL));
    platform.writeMsr(cpu, KvmAbi.MSR_POLL_CONTROL, 0);
    assertEquals(0, platform.readMsr(cpu, KvmAbi.MSR_POLL_CONTROL));
    refused(() -> platform.writeMsr(cpu, KvmAbi.MSR_POLL_CONTROL, 2));
    // An area outside RAM is ignored, not an error of ours.
    platform.writeMsr(cpu, KvmAbi.MSR_SYSTEM_TIME, 0xffff_f001L);
  }

  private static void refused(Runnable r) {
    assertEquals(GuestFault.GP, assertThrows(GuestFault.class, r::run).vector);
  }

  private long call(long number, long a0, long a1, long a2, long a3) {
    cpu.r[Cpu.RAX] = number;
    cpu.r[Cpu.RBX] = a0;
    cpu.r[Cpu.RCX] = a1;
    cpu.r[Cpu.RDX] = a2;
    cpu.r[Cpu.RSI] = a3;
    long[] before = cpu.r.clone();
    assertTrue(platform.hypercall(cpu, true));
    for (int i = 1; i < 16; i++) {
      assertEquals(before[i], cpu.r[i], "register " + i);
    }
    return cpu.r[Cpu.RAX];
  }

  @Test
  void stealTimeCountsTurnsOfOthersAndFlushesOnDemand() {
    Hypervisor kvm =
        Hypervisors.named("kvm").orElseThrow().create(hostOf(CpuVendor.AMD, 1_000_000_000));
    kvm.writeMsr(cpu, KvmAbi.MSR_STEAL_TIME, 0x5000 | 1);
    assertEquals(0, ram.u64(0x5000));
    int version = ram.u32(0x5008);
    assertEquals(0, version & 1);
    kvm.leaves(cpu, false);
    assertEquals(1, ram.u8(0x5010), "preempted");
    clock.advance(700);
    long flushes = mmu.fullFlushes;
    kvm.enters(cpu);
    assertEquals(0, ram.u8(0x5010));
    assertEquals(700, ram.u64(0x5000));
    assertEquals(version + 2, ram.u32(0x5008));
    assertEquals(flushes, mmu.fullFlushes);
    kvm.leaves(cpu, true);
    clock.advance(1000);
    ram.put8(0x5010, ram.u8(0x5010) | 2); // another vCPU asks for a flush instead of interrupting
    kvm.enters(cpu);
    assertEquals(flushes + 1, mmu.fullFlushes);
    assertEquals(700, ram.u64(0x5000), "nothing is stolen from an idle vCPU");
  }

  @Test
  void hypercalls() {
    assertEquals(-KvmAbi.ENOSYS, call(0x77, 0, 0, 0, 0));
    assertEquals(-KvmAbi.ENOSYS, call(-1, 0, 0, 0, 0));
    assertEquals(0, call(KvmAbi.HC_KICK_CPU, 0, 2, 0, 0));
    assertEquals(0, call(KvmAbi.HC_SCHED_YIELD, 1, 0, 0, 0));
    assertEquals(2, call(KvmAbi.HC_SEND_IPI, 0b1011, 0, 1, 0xfd));
    assertEquals(List.of("wake 2", "give way", "irq 1 fd", "irq 2 fd", "irq 4 fd"), signals);
    clock.advance(2_000_000_007L);
    assertEquals(0, call(KvmAbi.HC_CLOCK_PAIRING, 0x4000, 0, 0, 0));
    assertEquals(EPOCH + 2, ram.u64(0x4000));
    assertEquals(7, ram.u64(0x4008));
    assertEquals(platform.tsc(cpu), ram.u64(0x4010));
    assertEquals(-KvmAbi.EFAULT, call(KvmAbi.HC_CLOCK_PAIRING, 1L << 40, 0, 0, 0));
    assertEquals(-KvmAbi.EOPNOTSUPP, call(KvmAbi.HC_CLOCK_PAIRING, 0x4000, 9, 0, 0));
    cpu.cpl = 3;
    assertEquals(-KvmAbi.EPERM, call(KvmAbi.HC_KICK_CPU, 0, 2, 0, 0));
  }

  @Test
  void outside64BitModeRegistersAreCut() {
    cpu.segAttr[Cpu.CS] = Cpu.ATTR_DB;
    cpu.updateMode();
    assertEquals(-KvmAbi.ENOSYS & 0xffff_ffffL, call(0x77, 0, 0, 0, 0));
    assertEquals(0, call(KvmAbi.HC_KICK_CPU | 1L << 40, 0, 1, 0, 0));
  }

  @Test
  void wrongVendorInstructionIsRewritten() {
    for (CpuVendor vendor : CpuVendor.values()) {
      host(vendor, 1_000_000_000);
      CpuVendor other = vendor == CpuVendor.AMD ? CpuVendor.INTEL : CpuVendor.AMD;
      ram.write(0x5000, other.hypercall());
      cpu.rip = 0x5003;
      cpu.r[Cpu.RAX] = 0x1234;
      assertTrue(platform.hypercall(cpu, other == CpuVendor.AMD));
      assertEquals(0x5000, cpu.rip, "runs again");
      assertEquals(0x1234, cpu.r[Cpu.RAX]);
      assertArrayEquals(vendor.hypercall(), ram.bytes(0x5000, 3));
    }
  }

  @Test
  void bareHardwareKnowsNone() {
    HypervisorHost host = new HypervisorHost(CpuVendor.AMD, ram, clock, 1, EPOCH, new Signals());
    var none = Hypervisors.named("none").orElseThrow().create(host);
    assertTrue(!none.announced() && !none.hypercall(cpu, true));
    assertTrue(!none.ownsMsr(KvmAbi.MSR_WALL_CLOCK));
    assertTrue(Hypervisors.named("nonesuch").isEmpty());
  }
}
