package org.hypergraft.vmm.conformance;

import java.util.Arrays;
import org.hypergraft.vmm.bus.InterruptSource;
import org.hypergraft.vmm.bus.MmioBus;
import org.hypergraft.vmm.bus.PortBus;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.Platform;
import org.hypergraft.vmm.cpu.interpret.Engine;
import org.hypergraft.vmm.cpu.jit.RegionJit;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * Tier 0, alone or with tier 1, in 64-bit user mode. The code page and the data page are mapped at
 * the addresses the host process uses, everything else is absent.
 */
final class InterpreterUnderTest implements EngineUnderTest {
  private static final long RAM_SIZE = 1 << 20;

  // Guest-physical layout.
  private static final long PML4 = 0x1000;
  private static final long PDPT = 0x2000;
  private static final long PD = 0x3000;
  private static final long DATA_TABLE = 0x4000;
  private static final long CODE_TABLE = 0x5000;
  private static final long DATA_FRAME = 0x10000;
  private static final long CODE_FRAME = 0x12000;

  /** Present, writable, user. */
  private static final long PAGE = 7;

  private static final long NO_EXECUTE = 1L << 63;
  private static final long CR0 = 0x80050033L; // PG AM WP NE ET MP PE
  private static final long CR4 = 0x50620L; // OSXSAVE FSGSBASE OSXMMEXCPT OSFXSR PAE
  private static final long EFER = 0xd01; // NXE LMA LME SCE

  /** Descriptor bits 40-55 without the limit: present, DPL 3, accessed. */
  private static final int DATA_ATTRIBUTES = 0xc0f3;

  private static final int CODE64_ATTRIBUTES = 0xa0fb;
  private static final int CODE32_ATTRIBUTES = 0xc0fb;

  /** UD2 ends the code, at a place where no case faults by itself. */
  private static final int UD2 = 0x0b0f;

  /** Where a jump to the code stands. */
  private static final long ENTRY = MachineState.CODE_ADDRESS - 0x40;

  /** More instructions than any case runs. */
  private static final int LIMIT = 100_000;

  private final GuestRam ram = new GuestRam(RAM_SIZE);
  private final Cpu cpu = new Cpu(0);
  private final Engine engine;
  private final Recorder recorder = new Recorder();

  private final String name;
  private final RegionJit compiler;

  /**
   * @param compiler tier 1, or null for tier 0 alone
   */
  InterpreterUnderTest(String name, RegionJit compiler) {
    this.name = name;
    this.compiler = compiler;
    engine = new Engine(ram, Lowerings.all());
    if (compiler != null) {
      engine.tier1(compiler);
    }
    byte[] jump = {(byte) 0xe9, 0, 0, 0, 0};
    jump[1] = (byte) (MachineState.CODE_ADDRESS - (ENTRY + jump.length));
    ram.write(CODE_FRAME + (ENTRY & 0xfff), jump);
    ram.put64(PML4, PDPT | PAGE);
    ram.put64(PDPT, PD | PAGE);
    ram.put64(PD + 8 * (MachineState.DATA_PAGE >>> 21), DATA_TABLE | PAGE);
    ram.put64(PD + 8 * (MachineState.CODE_ADDRESS >>> 21), CODE_TABLE | PAGE);
    ram.put64(
        DATA_TABLE + 8 * (MachineState.DATA_PAGE >>> 12 & 511), DATA_FRAME | PAGE | NO_EXECUTE);
    ram.put64(CODE_TABLE + 8 * (MachineState.CODE_ADDRESS >>> 12 & 511), CODE_FRAME | PAGE);
    cpu.mmu = new Mmu(ram, new NoDevices());
    cpu.ports = new NoDevices();
    cpu.interrupts = new NoInterrupts();
    cpu.platform = new NoPlatform();
    cpu.delivery = recorder;
    cpu.cr0 = CR0;
    cpu.cr3 = PML4;
    cpu.cr4 = CR4;
    cpu.efer = EFER;
    cpu.xcr0 = 7;
    cpu.cpl = 3;
    cpu.mmu.control(CR0, PML4, CR4, EFER);
    cpu.mmu.privilege(3, false);
    for (int s = 0; s < 6; s++) {
      cpu.sel[s] = s == Cpu.FS || s == Cpu.GS ? 0 : MachineState.DATA;
      cpu.segLimit[s] = -1;
      cpu.segAttr[s] = DATA_ATTRIBUTES;
    }
    cpu.segBase[Cpu.FS] = MachineState.FS_BASE;
    cpu.segBase[Cpu.GS] = MachineState.GS_BASE;
  }

  @Override
  public String name() {
    return name;
  }

  /** The processor, for tests of what control registers do. */
  Cpu cpu() {
    return cpu;
  }

  /** Regions compiled so far. */
  long regions() {
    return compiler == null ? 0 : compiler.regions();
  }

  @Override
  public MachineState run(MachineState input) {
    place(input);
    MachineState out = once(input);
    if (compiler != null) {
      // by now the code is reached by a linked jump, becomes hot and runs compiled
      for (int i = 0; i < 3 && !overwritten(input); i++) {
        out = once(input);
      }
    }
    return out;
  }

  /** Whether the case has written to its own code and so cannot be repeated. */
  private boolean overwritten(MachineState input) {
    long code = CODE_FRAME + (MachineState.CODE_ADDRESS & 0xfff);
    byte[] bytes = input.code();
    return !Arrays.equals(bytes, ram.bytes(code, bytes.length))
        || ram.u16(code + bytes.length) != UD2;
  }

  private void place(MachineState input) {
    long code = CODE_FRAME + (MachineState.CODE_ADDRESS & 0xfff);
    byte[] bytes = input.code();
    ram.write(code, bytes);
    ram.put16(code + bytes.length, UD2);
  }

  private MachineState once(MachineState input) {
    ram.fill(DATA_FRAME, 4096, 0);
    long window = DATA_FRAME + (MachineState.WINDOW_ADDRESS & 0xfff);
    ram.write(window, input.bytes, MachineState.WINDOW, MachineState.WINDOW_SIZE);
    load(input);
    recorder.vector = -1;
    cpu.shutdown = false;
    cpu.setStop(cpu.retired() + LIMIT);
    engine.run(cpu);
    MachineState out = new MachineState();
    out.put64(MachineState.MODE, input.u64(MachineState.MODE));
    store(out);
    boolean finished =
        recorder.vector == GuestFault.UD
            && cpu.rip == MachineState.CODE_ADDRESS + input.u64(MachineState.CODE_LENGTH);
    if (!finished) {
      out.put64(MachineState.VECTOR, recorder.vector);
      out.put64(MachineState.ERROR_CODE, recorder.errorCode);
      out.put64(MachineState.CR2, recorder.address);
      out.put64(MachineState.RIP, cpu.rip);
    }
    ram.read(window, out.bytes, MachineState.WINDOW, MachineState.WINDOW_SIZE);
    return out;
  }

  private void load(MachineState s) {
    cpu.sel[Cpu.CS] = s.compatibility() ? MachineState.CODE32 : MachineState.CODE64;
    cpu.segAttr[Cpu.CS] = s.compatibility() ? CODE32_ATTRIBUTES : CODE64_ATTRIBUTES;
    cpu.updateMode();
    for (int i = 0; i < 16; i++) {
      cpu.r[i] = s.gpr(i);
      for (int lane = 0; lane < 4; lane++) {
        cpu.x[4 * i + lane] = s.ymm(i, lane);
      }
    }
    cpu.rip = ENTRY;
    Flags.set(cpu, (int) s.u64(MachineState.RFLAGS) & 0x240cd5 | Flags.IF);
    cpu.mmu.privilege(3, (cpu.sysFlags & Flags.AC) != 0);
    cpu.mxcsr = s.u32(MachineState.MXCSR);
    int status = s.u16(MachineState.FSW);
    cpu.x87.control = s.u16(MachineState.FCW);
    cpu.x87.status = status & 0x47ff;
    cpu.x87.top = status >>> 11 & 7;
    cpu.x87.valid = s.u8(MachineState.TAGS);
    cpu.x87.opcode = 0;
    cpu.x87.instruction = 0;
    cpu.x87.data = 0;
    for (int i = 0; i < 8; i++) {
      int p = cpu.x87.top + i & 7;
      cpu.x87.significand[p] = s.u64(MachineState.ST + 16 * i);
      cpu.x87.signExponent[p] = s.u16(MachineState.ST + 16 * i + 8);
    }
  }

  private void store(MachineState s) {
    for (int i = 0; i < 16; i++) {
      s.gpr(i, cpu.r[i]);
      for (int lane = 0; lane < 4; lane++) {
        s.ymm(i, lane, cpu.x[4 * i + lane]);
      }
    }
    s.put64(MachineState.RFLAGS, Flags.get(cpu));
    s.put32(MachineState.MXCSR, cpu.mxcsr);
    int busy = (cpu.x87.status & 0x80) << 8;
    s.put16(MachineState.FCW, cpu.x87.control);
    s.put16(MachineState.FSW, cpu.x87.status | busy | cpu.x87.top << 11);
    s.put8(MachineState.TAGS, cpu.x87.valid);
    for (int i = 0; i < 8; i++) {
      int p = cpu.x87.top + i & 7;
      s.put64(MachineState.ST + 16 * i, cpu.x87.significand[p]);
      s.put16(MachineState.ST + 16 * i + 8, cpu.x87.signExponent[p]);
    }
  }

  @Override
  public void close() {
    if (compiler != null) {
      compiler.close();
    }
    cpu.mmu.close();
    ram.close();
  }

  /** Ends the run at the first exception and remembers it. */
  private static final class Recorder implements ExceptionDelivery {
    int vector;
    int errorCode;
    long address;

    @Override
    public boolean exception(Cpu c, int vector, int errorCode, long address) {
      this.vector = vector;
      this.errorCode = Math.max(errorCode, 0);
      this.address = address;
      return false;
    }

    @Override
    public boolean interrupt(Cpu c, int vector) {
      throw new AssertionError("no interrupt source exists");
    }
  }

  private static final class NoDevices implements MmioBus, PortBus {
    @Override
    public long read(long gpa, int size) {
      throw new AssertionError("nothing is mapped outside RAM");
    }

    @Override
    public void write(long gpa, int size, long value) {
      throw new AssertionError("nothing is mapped outside RAM");
    }

    @Override
    public int in(int port, int size) {
      throw new AssertionError("user mode has no port access");
    }

    @Override
    public void out(int port, int size, int value) {
      throw new AssertionError("user mode has no port access");
    }
  }

  private static final class NoInterrupts implements InterruptSource {
    @Override
    public boolean pending() {
      return false;
    }

    @Override
    public int acknowledge() {
      throw new AssertionError("no interrupt was pending");
    }
  }

  private static final class NoPlatform implements Platform {
    @Override
    public long tsc(Cpu c) {
      return 0;
    }

    @Override
    public void cpuid(Cpu c, int leaf, int subleaf, int[] out) {
      Arrays.fill(out, 0);
    }

    @Override
    public long readMsr(Cpu c, int msr) {
      throw GuestFault.of(GuestFault.GP, 0);
    }

    @Override
    public void writeMsr(Cpu c, int msr, long value) {
      throw GuestFault.of(GuestFault.GP, 0);
    }

    @Override
    public boolean hypercall(Cpu c, boolean amd) {
      return false;
    }
  }
}
