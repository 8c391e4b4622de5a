package org.hypergraft.vmm.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.hypergraft.vmm.bus.InterruptSource;
import org.hypergraft.vmm.bus.MmioBus;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Engine;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.interpret.Tier1;
import org.hypergraft.vmm.cpu.lower.IntegerLowerings;
import org.hypergraft.vmm.cpu.simd.SimdLowering;
import org.hypergraft.vmm.cpu.system.SystemLowering;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;

/** A processor in flat code with a little memory and nothing else. */
final class FlatGuest implements AutoCloseable {
  static final long CODE = 0x1000;
  static final long FUNCTION = 0x3000;
  static final long STACK = 0x7000;
  static final long DATA = 0x8000;
  static final int THRESHOLD = 4;

  /** The hexadecimal digits of a listing with comments. */
  static String bytes(String listing) {
    return listing.replaceAll("#[^\\n]*", "").replaceAll("\\s", "");
  }

  final GuestRam ram = new GuestRam(4 << 20);
  final Mmu mmu = new Mmu(ram, new NoDevice());
  final Cpu cpu = new Cpu(0);
  final Engine engine =
      new Engine(
          ram,
          Stream.concat(
                  Arrays.stream(IntegerLowerings.all(f -> true)),
                  Stream.of(new SystemLowering(f -> true), new SimdLowering(f -> true)))
              .toArray(Lowering[]::new));
  final RegionJit jit;
  final StringBuilder events = new StringBuilder();

  /**
   * @param compiled whether with regions, compiled early and at once
   */
  FlatGuest(boolean compiled) {
    this(compiled ? new RegionJit(RegionJit.Mode.SYNCHRONOUS, THRESHOLD) : null);
  }

  /**
   * @param tier1 null for none
   */
  FlatGuest(Tier1 tier1) {
    jit = tier1 instanceof RegionJit j ? j : null;
    if (tier1 != null) {
      engine.tier1(tier1);
    }
    cpu.mmu = mmu;
    cpu.interrupts = new Silence();
    cpu.delivery = new Recorder(events);
    cpu.cr4 = 1 << 9 | 1 << 5; // OSFXSR PAE
    cpu.rip = CODE;
    cpu.r[Cpu.RSP] = STACK;
    cpu.r[Cpu.RDI] = DATA;
  }

  FlatGuest wide() {
    segments(0, Cpu.ATTR_L);
    cpu.cr0 = Cpu.CR0_PE;
    cpu.efer = Cpu.EFER_LMA;
    cpu.updateMode();
    return this;
  }

  FlatGuest narrow() {
    segments(Cpu.ATTR_DB, Cpu.ATTR_DB);
    cpu.cr0 = Cpu.CR0_PE;
    cpu.updateMode();
    return this;
  }

  private void segments(int data, int code) {
    for (int s = 0; s < 6; s++) {
      cpu.segLimit[s] = -1;
      cpu.segAttr[s] = Cpu.ATTR_P | Cpu.ATTR_S | 3 | data;
    }
    cpu.segAttr[Cpu.CS] = Cpu.ATTR_P | Cpu.ATTR_S | 0xb | code;
  }

  /** Identity-maps 2 MiB, in 4 KiB pages; page tables at 1 MiB. */
  FlatGuest paged() {
    long tables = 1 << 20;
    ram.put64(tables, tables + 0x1000 | 3);
    ram.put64(tables + 0x1000, tables + 0x2000 | 3);
    ram.put64(tables + 0x2000, tables + 0x3000 | 3);
    for (int page = 0; page < 512; page++) {
      map(page * 4096L, page * 4096L);
    }
    cpu.cr0 = Cpu.CR0_PE | Cpu.CR0_PG;
    cpu.cr3 = tables;
    assertTrue(mmu.control(cpu.cr0, cpu.cr3, cpu.cr4, Cpu.EFER_LMA | Cpu.EFER_LME));
    return this;
  }

  void map(long va, long pa) {
    ram.put64((1 << 20) + 0x3000 + (va >>> 12) * 8, pa | 3);
  }

  FlatGuest code(long at, String hex) {
    ram.write(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    return this;
  }

  void run(long instructions) {
    cpu.setStop(cpu.retired() + instructions);
    engine.run(cpu);
  }

  String state() {
    return Arrays.toString(cpu.r)
        + Arrays.toString(cpu.x)
        + Long.toHexString(cpu.rip)
        + " "
        + Flags.get(cpu)
        + " "
        + cpu.retired()
        + events;
  }

  byte[] memory() {
    byte[] bytes = new byte[0x10000];
    ram.read(0, bytes, 0, bytes.length);
    return bytes;
  }

  @Override
  public void close() {
    if (jit != null) {
      jit.close();
    }
    mmu.close();
    ram.close();
  }

  private static final class NoDevice implements MmioBus {
    @Override
    public long read(long gpa, int size) {
      return -1;
    }

    @Override
    public void write(long gpa, int size, long value) {}
  }

  private static final class Silence implements InterruptSource {
    @Override
    public boolean pending() {
      return false;
    }

    @Override
    public int acknowledge() {
      throw new AssertionError("nothing is pending");
    }
  }

  private record Recorder(StringBuilder events) implements ExceptionDelivery {
    @Override
    public boolean exception(Cpu c, int vector, int errorCode, long address) {
      events.append(" #%d at %x after %d".formatted(vector, c.rip, c.retired()));
      c.exitRequested = true;
      c.rip = CODE;
      return true;
    }

    @Override
    public boolean interrupt(Cpu c, int vector) {
      throw new AssertionError("nothing is pending");
    }
  }
}
