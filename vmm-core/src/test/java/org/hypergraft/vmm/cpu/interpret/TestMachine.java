package org.hypergraft.vmm.cpu.interpret;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.hypergraft.vmm.bus.InterruptSource;
import org.hypergraft.vmm.bus.MmioBus;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.cpu.lower.IntegerLowerings;
import org.hypergraft.vmm.cpu.system.SystemLowering;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;

/** A processor in flat 64-bit code without paging, with 16 MiB of RAM and recorded exceptions. */
public final class TestMachine implements AutoCloseable {
  static final long CODE = 0x1000;
  static final long DATA = 0x8000;
  static final long STACK = 0x7000;

  /** Reads return the low byte of the address; writes are listed with the retired count. */
  static final class Device implements MmioBus {
    final List<String> log = new ArrayList<>();
    Cpu cpu;

    @Override
    public long read(long gpa, int size) {
      log.add("read " + size + " at " + cpu.retired());
      return gpa & 0xff;
    }

    @Override
    public void write(long gpa, int size, long value) {
      log.add("write " + size + " " + value + " at " + cpu.retired());
    }
  }

  /** One interrupt line, vector 0x40. */
  static final class Line implements InterruptSource {
    boolean raised;

    @Override
    public boolean pending() {
      return raised;
    }

    @Override
    public int acknowledge() {
      raised = false;
      return 0x40;
    }
  }

  final GuestRam ram = new GuestRam(16 << 20);
  final Device device = new Device();
  final Mmu mmu = new Mmu(ram, device);
  final Cpu cpu = new Cpu(0);
  final Line line = new Line();
  final List<String> events = new ArrayList<>();
  final Engine engine = new Engine(ram, lowerings());

  private static Lowering[] lowerings() {
    List<Lowering> all = new ArrayList<>(List.of(IntegerLowerings.all(f -> true)));
    all.add(new SystemLowering(f -> true));
    return all.toArray(new Lowering[0]);
  }

  TestMachine() {
    cpu.mmu = mmu;
    cpu.interrupts = line;
    device.cpu = cpu;
    cpu.delivery =
        new ExceptionDelivery() {
          @Override
          public boolean exception(Cpu c, int vector, int errorCode, long address) {
            events.add("#" + vector + " at " + Long.toHexString(c.rip) + " after " + c.retired());
            c.exitRequested = true;
            return true;
          }

          @Override
          public boolean interrupt(Cpu c, int vector) {
            events.add(
                "int " + vector + " at " + Long.toHexString(c.rip) + " after " + c.retired());
            c.sysFlags &= ~org.hypergraft.vmm.cpu.Flags.IF;
            return true;
          }
        };
    mode(2);
    cpu.rip = CODE;
    cpu.r[Cpu.RSP] = STACK;
  }

  /** Flat code of size 0 = 16, 1 = 32, 2 = 64 bits. */
  void mode(int size) {
    for (int s = 0; s < 6; s++) {
      cpu.segLimit[s] = -1;
      cpu.segAttr[s] = Cpu.ATTR_P | Cpu.ATTR_S | 3 | (size == 1 ? Cpu.ATTR_DB : 0);
    }
    cpu.segAttr[Cpu.CS] |= 8 | (size == 2 ? Cpu.ATTR_L : 0);
    cpu.cr0 = Cpu.CR0_PE;
    cpu.efer = size == 2 ? Cpu.EFER_LMA : 0;
    cpu.updateMode();
  }

  void code(String hex) {
    ram.write(CODE, HexFormat.of().parseHex(hex.replace(" ", "")));
  }

  /** Runs {@code instructions} more instructions. */
  Engine.Exit run(long instructions) {
    cpu.setStop(cpu.retired() + instructions);
    return engine.run(cpu);
  }

  @Override
  public void close() {
    mmu.close();
    ram.close();
  }
}
