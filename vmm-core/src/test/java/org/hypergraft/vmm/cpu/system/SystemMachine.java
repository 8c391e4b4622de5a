package org.hypergraft.vmm.cpu.system;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.hypergraft.vmm.bus.ApicMsrs;
import org.hypergraft.vmm.bus.InterruptSource;
import org.hypergraft.vmm.bus.MmioBus;
import org.hypergraft.vmm.bus.PortBus;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Engine;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.jit.RegionJit;
import org.hypergraft.vmm.cpu.lower.IntegerLowerings;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.hypergraft.vmm.hypervisor.GuestPlatform;
import org.hypergraft.vmm.hypervisor.none.NoHypervisor;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * A processor with descriptor tables, a TSS and stacks laid out in 4 MiB of RAM, which runs real
 * machine code. Exceptions go through the IDT; those it raised are listed too.
 */
final class SystemMachine implements AutoCloseable {
  static final long GDT = 0x1000;
  static final long LDT = 0x1800;
  static final long IDT = 0x2000;
  static final long TSS = 0x3000;
  static final long TSS2 = 0x3800;
  static final long CODE = 0x8000;

  /** Handler of vector v at HANDLERS + 16 v: a HLT. */
  static final long HANDLERS = 0x1_0000;

  static final long KERNEL_STACK = 0x2_0000;
  static final long IST_STACK = 0x2_8000;
  static final long USER_STACK = 0x3_0000;

  // Selectors of the GDT.
  static final int CODE0 = 0x08;
  static final int DATA0 = 0x10;
  static final int USER_CODE32 = 0x20 | 3;
  static final int USER_DATA = 0x28 | 3;
  static final int USER_CODE64 = 0x30 | 3;
  static final int TSS_SELECTOR = 0x40;
  static final int LDT_SELECTOR = 0x50;

  /** Free for tests. */
  static final int SCRATCH = 0x60;

  static final int GDT_LIMIT = 0xff;

  final GuestRam ram = new GuestRam(4 << 20);
  final Mmu mmu = new Mmu(ram, new NoDevices());
  final Cpu cpu;
  final Ports ports = new Ports();

  /** Exceptions in order: vector and error code, as "#13(8)" or "#6". */
  final List<String> raised = new ArrayList<>();

  private final Engine engine;

  private static final class NoDevices implements MmioBus {
    @Override
    public long read(long gpa, int size) {
      return -1;
    }

    @Override
    public void write(long gpa, int size, long value) {}
  }

  private static final class Quiet implements InterruptSource {
    @Override
    public boolean pending() {
      return false;
    }

    @Override
    public int acknowledge() {
      throw new IllegalStateException("nothing pending");
    }
  }

  private static final class NoApic implements ApicMsrs {
    @Override
    public boolean canReadMsr(int msr) {
      return false;
    }

    @Override
    public long readMsr(int msr) {
      throw new IllegalStateException("no APIC");
    }

    @Override
    public boolean writeMsr(int msr, long value) {
      return false;
    }
  }

  /** Reads give the port number; writes are listed. */
  static final class Ports implements PortBus {
    final List<String> log = new ArrayList<>();

    @Override
    public int in(int port, int size) {
      log.add("in" + size + " " + Integer.toHexString(port));
      return port;
    }

    @Override
    public void out(int port, int size, int value) {
      log.add("out" + size + " " + Integer.toHexString(port) + "=" + Integer.toHexString(value));
    }
  }

  SystemMachine() {
    this(CpuModels.find("baseline", null).orElseThrow());
  }

  SystemMachine(CpuModel model) {
    this(model, 0);
  }

  SystemMachine(CpuModel model, int index) {
    cpu = new Cpu(index);
    List<Lowering> families = new ArrayList<>(List.of(IntegerLowerings.all(model::has)));
    families.add(new SystemLowering(model::has));
    engine = new Engine(ram, families.toArray(new Lowering[0]));
    cpu.mmu = mmu;
    cpu.ports = ports;
    cpu.interrupts = new Quiet();
    cpu.platform =
        new GuestPlatform(
            model, new NoHypervisor(), cpu::retired, 1_000_000_000, 1, i -> new NoApic());
    Interrupts real = new Interrupts();
    cpu.delivery =
        new ExceptionDelivery() {
          @Override
          public boolean exception(Cpu c, int vector, int errorCode, long address) {
            raised.add("#" + vector + (errorCode < 0 ? "" : "(" + errorCode + ")"));
            return real.exception(c, vector, errorCode, address);
          }

          @Override
          public boolean interrupt(Cpu c, int vector) {
            return real.interrupt(c, vector);
          }
        };
    for (int v = 0; v < 256; v++) {
      ram.put8(HANDLERS + 16L * v, 0xf4);
    }
    cpu.gdtBase = GDT;
    cpu.gdtLimit = GDT_LIMIT;
    cpu.idtBase = IDT;
    descriptor(USER_CODE32, 0, 0xfffff, 0xc0fb);
    descriptor(USER_DATA, 0, 0xfffff, 0xc0f3);
    descriptor(USER_CODE64, 0, 0xfffff, 0xa0fb);
    descriptor(DATA0, 0, 0xfffff, 0xc093);
    ram.put16(TSS + 102, 0x68); // no I/O permissions
    cpu.dr[7] = 0x400;
    cpu.debug.load(cpu);
  }

  /** Compiles every block before it runs for the second time. */
  SystemMachine compiled() {
    engine.tier1(new RegionJit(RegionJit.Mode.SYNCHRONOUS, 1));
    return this;
  }

  /** Writes a GDT (or, with the TI bit set, LDT) entry; attributes as in {@link Cpu#segAttr}. */
  void descriptor(int selector, long base, int limit, int attr) {
    long d = limit & 0xffffL | (base & 0xff_ffff) << 16;
    d |= (attr & 0xf0ffL) << 40 | (limit & 0xf_0000L) << 32 | (base >>> 24 & 0xff) << 56;
    ram.put64(((selector & 4) != 0 ? LDT : GDT) + (selector & 0xfff8), d);
  }

  /** Writes a gate at an address of the IDT, GDT or LDT; 16 bytes in long mode. */
  void gate(long at, int selector, long offset, int attr, int extra) {
    long d = offset & 0xffff | (long) selector << 16 | (long) extra << 32;
    ram.put64(at, d | (long) attr << 40 | (offset >>> 16 & 0xffff) << 48);
    if (cpu.longMode()) {
      ram.put64(at + 8, offset >>> 32);
    }
  }

  /** An IDT gate to the vector's handler. */
  void vector(int v, int attr, int ist) {
    gate(IDT + (long) v * (cpu.longMode() ? 16 : 8), CODE0, HANDLERS + 16L * v, attr, ist);
  }

  /** 32-bit protected mode without paging, ring 0. */
  SystemMachine protectedMode() {
    descriptor(CODE0, 0, 0xfffff, 0xc09b);
    cpu.cr0 = Cpu.CR0_PE;
    cpu.cr3 = 0;
    cpu.cr4 = 0;
    cpu.efer = 0;
    mmu.control(cpu.cr0, 0, 0, 0);
    flat(CODE0, 0xc09b, DATA0, 0xc093, 0);
    cpu.trSel = TSS_SELECTOR;
    cpu.trBase = TSS;
    cpu.trLimit = 0x67;
    cpu.trAttr = 0x8b;
    descriptor(TSS_SELECTOR, TSS, 0x67, 0x8b);
    ram.put32(TSS + 4, (int) KERNEL_STACK);
    ram.put32(TSS + 8, DATA0);
    cpu.idtLimit = 256 * 8 - 1;
    for (int v = 0; v < 256; v++) {
      vector(v, 0x8e, 0);
    }
    return this;
  }

  /** Long mode, everything identity-mapped for ring 0 and 3 by one large page, ring 0. */
  SystemMachine longMode() {
    descriptor(CODE0, 0, 0xfffff, 0xa09b);
    long tables = 0x10_0000;
    ram.put64(tables, tables + 0x1000 | 7);
    ram.put64(tables + 0x1000, 0x87);
    cpu.cr0 = Cpu.CR0_PE | Cpu.CR0_PG;
    cpu.cr3 = tables;
    cpu.cr4 = Mmu.CR4_PAE;
    cpu.efer = Cpu.EFER_LME | Cpu.EFER_LMA;
    mmu.control(cpu.cr0, cpu.cr3, cpu.cr4, cpu.efer);
    flat(CODE0, 0xa09b, DATA0, 0xc093, 0);
    cpu.trSel = TSS_SELECTOR;
    cpu.trBase = TSS;
    cpu.trLimit = 0x67;
    cpu.trAttr = 0x8b;
    ram.put64(TSS + 4, KERNEL_STACK);
    ram.put64(TSS + 36, IST_STACK);
    cpu.idtLimit = 256 * 16 - 1;
    for (int v = 0; v < 256; v++) {
      vector(v, 0x8e, 0);
    }
    return this;
  }

  SystemMachine realMode() {
    cpu.cr0 = 0;
    cpu.efer = 0;
    mmu.control(0, 0, 0, 0);
    for (int s = 0; s < 6; s++) {
      cpu.sel[s] = 0;
      cpu.segBase[s] = 0;
      cpu.segLimit[s] = 0xffff;
      cpu.segAttr[s] = s == Cpu.CS ? 0x9b : 0x93;
    }
    cpu.cpl = 0;
    cpu.idtBase = 0;
    cpu.idtLimit = 0x3ff;
    cpu.rip = CODE;
    cpu.r[Cpu.RSP] = 0x7000;
    Segments.settle(cpu);
    return this;
  }

  private void flat(int cs, int csAttr, int ds, int dsAttr, int cpl) {
    for (int s = 0; s < 6; s++) {
      cpu.sel[s] = s == Cpu.CS ? cs : ds;
      cpu.segBase[s] = 0;
      cpu.segLimit[s] = -1;
      cpu.segAttr[s] = s == Cpu.CS ? csAttr : dsAttr;
    }
    cpu.cpl = cpl;
    cpu.rip = CODE;
    cpu.r[Cpu.RSP] = cpl == 0 ? KERNEL_STACK - 0x1000 : USER_STACK;
    Segments.settle(cpu);
  }

  /** Goes to ring 3, 64-bit in long mode and 32-bit else. */
  SystemMachine user() {
    boolean wide = cpu.longMode();
    flat(wide ? USER_CODE64 : USER_CODE32, wide ? 0xa0fb : 0xc0fb, USER_DATA, 0xc0f3, 3);
    return this;
  }

  /** Runs code placed at the current instruction pointer for a number of instructions. */
  void run(String hex, int instructions) {
    long at = cpu.segBase[Cpu.CS] + cpu.rip;
    ram.write(at, HexFormat.of().parseHex(hex.replace(" ", "")));
    go(instructions);
  }

  /** Runs on from the current state. Faulting instructions do not count. */
  void go(int instructions) {
    cpu.halted = false;
    cpu.shutdown = false;
    cpu.setStop(cpu.retired() + instructions);
    Engine.Exit exit;
    do {
      exit = engine.run(cpu);
    } while (exit == Engine.Exit.REQUESTED);
  }

  /** Value on the stack {@code index} slots of {@code size} bytes above the stack pointer. */
  long stack(int index, int size) {
    long at = cpu.segBase[Cpu.SS] + cpu.r[Cpu.RSP] + (long) index * size;
    return size == 8 ? ram.u64(at) : size == 4 ? ram.u32(at) & 0xffff_ffffL : ram.u16(at);
  }

  /** Vector whose handler is about to run or has just halted, or -1. */
  int handler() {
    long offset = cpu.rip - HANDLERS;
    return offset >= 0 && offset < 256 * 16 && offset % 16 <= 1 ? (int) (offset / 16) : -1;
  }

  void flags(int set) {
    Flags.set(cpu, set);
    Segments.settle(cpu);
  }

  @Override
  public void close() {
    mmu.close();
    ram.close();
  }
}
