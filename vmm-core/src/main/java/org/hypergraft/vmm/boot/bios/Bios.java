package org.hypergraft.vmm.boot.bios;

import java.util.function.Supplier;
import org.hypergraft.vmm.boot.MemoryMap;
import org.hypergraft.vmm.bus.PortDevice;
import org.hypergraft.vmm.bus.VirtualClock;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * A BIOS in Java. Each interrupt vector leads to a stub in the firmware's segment that writes to
 * {@link #PORT} and returns; the write runs the service on the caller's registers. Written anywhere
 * but there, the port is nobody's.
 */
public final class Bios implements PortDevice {
  /** A port that no PC device has. */
  public static final int PORT = 0xb4;

  private static final int SEGMENT = 0xf000;
  private static final int VECTORS = 256;

  // Stubs of 4 bytes in the segment, by vector, and behind them the loops that wait for ever.
  private static final int STUBS = 0xe000;
  private static final int STUB_SIZE = 4;
  private static final int WAIT = STUBS + VECTORS * STUB_SIZE;
  private static final int DEAD = WAIT + 4;

  /** OUT PORT, AL; IRET; NOP. */
  private static final byte[] STUB = {(byte) 0xe6, (byte) PORT, (byte) 0xcf, (byte) 0x90};

  /** STI; HLT; JMP to the HLT. */
  private static final byte[] WAIT_CODE = {(byte) 0xfb, (byte) 0xf4, (byte) 0xeb, (byte) 0xfd};

  /** CLI; HLT; JMP to the HLT. */
  private static final byte[] DEAD_CODE = {(byte) 0xfa, (byte) 0xf4, (byte) 0xeb, (byte) 0xfd};

  private final Supplier<Cpu> current;
  private final GuestRam ram;
  private final Screen screen;
  private final SystemServices system;
  private final TimeServices time;

  /**
   * Installs vectors, stubs and data area in the guest's memory.
   *
   * @param current the processor that is running
   * @param clock for the services that tell the time
   */
  public Bios(Supplier<Cpu> current, GuestRam ram, VirtualClock clock) {
    this.current = current;
    this.ram = ram;
    screen = new Screen(ram);
    system = new SystemServices(ram);
    time = new TimeServices(clock);
    long base = (long) SEGMENT << 4;
    for (int v = 0; v < VECTORS; v++) {
      int at = STUBS + v * STUB_SIZE;
      ram.put32(4L * v, SEGMENT << 16 | at);
      ram.write(base + at, STUB);
    }
    ram.write(base + WAIT, WAIT_CODE);
    ram.write(base + DEAD, DEAD_CODE);
    DataArea.write(ram);
    screen.clear();
  }

  @Override
  public int in(int port, int size) {
    return -1;
  }

  @Override
  public void out(int port, int size, int value) {
    Cpu cpu = current.get();
    if (!cpu.realSegments() || cpu.sel[Cpu.CS] != SEGMENT) {
      return;
    }
    // RIP is behind the OUT, still in its stub.
    int vector = (int) (cpu.rip & 0xffff) - STUBS >> 2;
    if (vector >= 0 && vector < VECTORS) {
      serve(vector, new Caller(cpu, ram));
    }
  }

  /** The services by their interrupt (IBM PC/AT technical reference, section 5). */
  private void serve(int vector, Caller caller) {
    switch (vector) {
      case 0x00, 0x06, 0x0c, 0x0d -> caller.returnTo(DEAD); // a fault: nobody mends it
      case 0x10 -> screen.serve(caller);
      case 0x11 -> caller.ax(DataArea.EQUIPMENT);
      case 0x12 -> caller.ax(MemoryMap.lowerKib());
      case 0x13 -> disk(caller);
      case 0x15 -> system.serve(caller);
      case 0x16 -> keyboard(caller);
      case 0x18, 0x19 -> caller.returnTo(DEAD); // nothing to boot from
      case 0x1a -> time.serve(caller);
      default -> {} // an interrupt that nobody takes
    }
  }

  /** No disk is there: function 0x15 says so, everything else fails with "bad command". */
  private static void disk(Caller caller) {
    boolean typeQuery = caller.ah() == 0x15;
    caller.ah(typeQuery ? 0 : 1);
    caller.carry(!typeQuery);
  }

  /** No key is ever pressed, so reading one waits for ever. */
  private static void keyboard(Caller caller) {
    switch (caller.ah()) {
      case 0x00, 0x10 -> caller.returnTo(WAIT);
      case 0x01, 0x11 -> caller.zero(true);
      case 0x02, 0x12 -> caller.ax(caller.ah() << 8); // no shift key is down
      default -> {}
    }
  }
}
