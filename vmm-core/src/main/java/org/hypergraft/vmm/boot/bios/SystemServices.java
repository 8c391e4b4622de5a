package org.hypergraft.vmm.boot.bios;

import java.util.List;
import org.hypergraft.vmm.boot.MemoryMap;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestRam;

/** System services (INT 15h): how much memory there is, and the A20 gate. */
final class SystemServices {
  /** "SMAP". */
  private static final int SIGNATURE = 0x534d4150;

  private static final int UNSUPPORTED = 0x86;
  private static final int KIB = 10;

  /** Function 0x88 and the first count of 0xe801 end below 16 MiB. */
  private static final int KIB_TO_16_MIB = 15 << KIB;

  private static final int MAX_88 = 0xffff;

  private final GuestRam ram;

  SystemServices(GuestRam ram) {
    this.ram = ram;
  }

  void serve(Caller c) {
    switch (c.ax()) {
      case 0xe820 -> memoryMap(c);
      case 0xe801 -> extendedMemory(c);
      case 0x2401 -> done(c, 0); // enable A20: it cannot be closed
      case 0x2402 -> done(c, 1); // it is open
      case 0x2403 -> {
        c.bx(0); // neither the keyboard controller nor port 0x92 gates it
        done(c, 0);
      }
      default -> {
        if (c.ah() == 0x88) {
          c.ax(Math.min(MemoryMap.upperKib(ram), MAX_88));
          c.carry(false);
        } else {
          c.ah(UNSUPPORTED);
          c.carry(true);
        }
      }
    }
  }

  private static void done(Caller c, int al) {
    c.ax(al);
    c.carry(false);
  }

  /** One range at a time (ACPI specification 6.0, section 15.1). */
  private void memoryMap(Caller c) {
    List<MemoryMap.Range> ranges = MemoryMap.of(ram);
    int index = c.extended(Cpu.RBX);
    boolean bad =
        c.extended(Cpu.RDX) != SIGNATURE
            || Integer.compareUnsigned(c.extended(Cpu.RCX), MemoryMap.Range.SIZE) < 0
            || index < 0
            || index >= ranges.size();
    c.carry(bad);
    if (bad) {
      c.ah(UNSUPPORTED);
      return;
    }
    ranges.get(index).write(ram, c.esDi());
    c.extended(Cpu.RAX, SIGNATURE);
    c.extended(Cpu.RCX, MemoryMap.Range.SIZE);
    c.extended(Cpu.RBX, index + 1 == ranges.size() ? 0 : index + 1);
  }

  /** KiB between 1 and 16 MiB, and 64 KiB units from there on. */
  private void extendedMemory(Caller c) {
    int kib = MemoryMap.upperKib(ram);
    int low = Math.min(kib, KIB_TO_16_MIB);
    int high = kib - low >> 6;
    c.ax(low);
    c.cx(low);
    c.bx(high);
    c.dx(high);
    c.carry(false);
  }
}
