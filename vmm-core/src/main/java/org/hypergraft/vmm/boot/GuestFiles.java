package org.hypergraft.vmm.boot;

import java.nio.charset.StandardCharsets;
import org.hypergraft.vmm.mmu.GuestRam;

/** Puts what accompanies a kernel into memory: the initramfs, the command line, descriptors. */
final class GuestFiles {
  /** Highest initramfs address that every protocol version takes (boot.rst, initrd_addr_max). */
  static final long INITRD_MAX = 0x7fff_ffffL;

  /** Memory a kernel gets between its end and the initramfs, for its early page tables. */
  private static final long SLACK = 1 << 20;

  // Descriptors, Intel SDM vol. 3 figure 3-8: present, accessed or busy, limit 4 GiB.
  private static final long CODE_32 = 0x00cf9b000000ffffL;
  private static final long CODE_64 = 0x00af9b000000ffffL;
  private static final long DATA = 0x00cf93000000ffffL;
  private static final long TASK = 0x00008b0000000067L;

  private GuestFiles() {}

  /**
   * Copies the initramfs to the end of low memory.
   *
   * @param kernelEnd first address that the kernel does not need
   * @param highest last address that the initramfs may take
   * @return its address, 0 if there is none
   */
  static long placeInitrd(byte[] initrd, GuestRam ram, long kernelEnd, long highest) {
    if (initrd.length == 0) {
      return 0;
    }
    long top = Math.min(ram.lowSize(), highest + 1);
    long at = top - initrd.length & -GuestRam.PAGE_SIZE;
    if (at < kernelEnd + SLACK) {
      throw new BootException(
          "initramfs of %d bytes does not fit above the kernel's end 0x%x into 0x%x bytes of memory"
              .formatted(initrd.length, kernelEnd, top));
    }
    ram.write(at, initrd);
    return at;
  }

  static void writeCommandLine(String commandLine, GuestRam ram) {
    byte[] bytes = commandLine.getBytes(StandardCharsets.UTF_8);
    if (bytes.length >= MemoryMap.COMMAND_LINE_SIZE || commandLine.indexOf('\0') >= 0) {
      throw new BootException(
          "command line of " + bytes.length + " bytes: too long, or it contains a NUL");
    }
    ram.write(MemoryMap.COMMAND_LINE, bytes);
    ram.put8(MemoryMap.COMMAND_LINE + bytes.length, 0);
  }

  /**
   * The state for an entry in protected or long mode: flat segments at the selectors that Linux's
   * protocol names (boot.rst: __BOOT_CS, __BOOT_DS) and, in long mode, identity page tables.
   */
  static BootState enter(BootProtocol protocol, long entry, GuestRam ram) {
    boolean longMode = protocol.mode() == BootProtocol.Mode.LONG;
    ram.put64(MemoryMap.GDT, 0);
    ram.put64(MemoryMap.GDT + 8, 0);
    ram.put64(MemoryMap.GDT + BootState.CODE, longMode ? CODE_64 : CODE_32);
    ram.put64(MemoryMap.GDT + BootState.DATA, DATA);
    ram.put64(MemoryMap.GDT + BootState.TASK, TASK);
    ram.put64(MemoryMap.GDT + BootState.TASK + 8, 0);
    if (longMode) {
      IdentityMap.write(ram, MemoryMap.PAGE_TABLES);
    }
    return new BootState(
        protocol,
        entry,
        MemoryMap.BOOT_INFO,
        MemoryMap.GDT,
        BootState.TASK + 16,
        longMode ? MemoryMap.PAGE_TABLES : 0);
  }
}
