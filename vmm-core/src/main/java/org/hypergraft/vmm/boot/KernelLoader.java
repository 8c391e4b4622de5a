package org.hypergraft.vmm.boot;

import java.nio.charset.StandardCharsets;
import org.hypergraft.annotator.image.Elf;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Segment;
import org.hypergraft.vmm.mmu.GuestRam;

/** Puts a kernel, its initramfs and what its boot protocol wants into guest memory. */
public final class KernelLoader {
  /** Linux's CONFIG_PHYSICAL_ALIGN on x86-64. */
  public static final long KASLR_ALIGNMENT = 2 << 20;

  /** Highest initramfs address that every protocol version takes (boot.rst, initrd_addr_max). */
  private static final long INITRD_MAX = 0x7fff_ffffL;

  /** Memory a kernel gets between its end and the initramfs, for its early page tables. */
  private static final long SLACK = 1 << 20;

  // Descriptors, Intel SDM vol. 3 figure 3-8: present, accessed or busy, limit 4 GiB.
  private static final long CODE_32 = 0x00cf9b000000ffffL;
  private static final long CODE_64 = 0x00af9b000000ffffL;
  private static final long DATA = 0x00cf93000000ffffL;
  private static final long TASK = 0x00008b0000000067L;

  private KernelLoader() {}

  /**
   * Loads everything.
   *
   * @throws BootException when the image has no usable entry or does not fit
   */
  public static BootState load(BootRequest request, GuestRam ram) {
    GuestImage image = request.image();
    Elf elf = image.elf();
    long offset = request.kaslrOffset();
    BootProtocol protocol = choose(request);
    Extent extent = loadSegments(image, ram, offset);
    if (offset != 0) {
      KernelRelocator.apply(image, ram, offset, extent.start, extent.end);
    }
    byte[] initrd = request.initrd();
    long initrdAt = initrd.length == 0 ? 0 : placeInitrd(initrd, ram, extent.end);
    writeCommandLine(request.commandLine(), ram);
    long rsdp = AcpiTables.write(ram, request.cpus());
    long entry = elf.entry() + offset;
    if (protocol == BootProtocol.PVH) {
      entry = image.notes().pvhEntry().getAsLong();
      PvhBoot.write(ram, initrdAt, initrd.length, rsdp);
    } else {
      LinuxBoot.write(image, ram, extent.start, initrdAt, initrd.length, rsdp);
    }
    boolean longMode = protocol == BootProtocol.LINUX64;
    if (longMode) {
      IdentityMap.write(ram, MemoryMap.PAGE_TABLES);
    }
    return new BootState(
        protocol,
        entry,
        MemoryMap.BOOT_INFO,
        MemoryMap.GDT,
        writeGdt(ram, longMode ? CODE_64 : CODE_32),
        longMode ? MemoryMap.PAGE_TABLES : 0);
  }

  private static BootProtocol choose(BootRequest request) {
    GuestImage image = request.image();
    long offset = request.kaslrOffset();
    boolean pvh = image.notes().pvhEntry().isPresent();
    BootProtocol linux = image.is64Bit() ? BootProtocol.LINUX64 : BootProtocol.LINUX32;
    BootProtocol protocol =
        request.protocol().orElse(pvh && offset == 0 ? BootProtocol.PVH : linux);
    if (protocol == BootProtocol.PVH && !pvh) {
      throw new BootException(image.name() + ": no PVH entry (no Xen PHYS32_ENTRY note)");
    }
    if (protocol == BootProtocol.PVH && offset != 0) {
      throw new BootException("a KASLR offset needs the Linux boot protocol, not PVH");
    }
    if (protocol != BootProtocol.PVH && protocol != linux) {
      throw new BootException(
          "%s: the kernel is %d-bit, so it cannot be entered by protocol %s"
              .formatted(image.name(), image.elf().bits(), protocol.label()));
    }
    if (offset < 0 || offset % KASLR_ALIGNMENT != 0) {
      throw new BootException(
          "KASLR offset 0x" + Long.toHexString(offset) + ": expected a multiple of 2 MiB");
    }
    return protocol;
  }

  /** Physical range that the loaded segments take. */
  private record Extent(long start, long end) {}

  private static Extent loadSegments(GuestImage image, GuestRam ram, long offset) {
    long start = Long.MAX_VALUE;
    long end = 0;
    for (Segment s : image.elf().segments()) {
      if (!s.loaded() || s.memorySize() == 0) {
        continue;
      }
      long at = s.physicalAddress() + offset;
      if (at < MemoryMap.ONE_MIB || !ram.contains(at, s.memorySize())) {
        throw new BootException(
            ("%s: segment of 0x%x bytes at physical 0x%x does not fit into the guest's memory"
                    + " above 1 MiB (0x%x bytes)")
                .formatted(image.name(), s.memorySize(), at, ram.size()));
      }
      // Memory is zero at power-on, so only the bytes of the file are copied.
      ram.write(at, image.payload(), s.offset(), (int) s.fileSize());
      start = Math.min(start, at);
      end = Math.max(end, at + s.memorySize());
    }
    if (end == 0) {
      throw new BootException(image.name() + ": nothing to load");
    }
    return new Extent(start, end);
  }

  private static long placeInitrd(byte[] initrd, GuestRam ram, long kernelEnd) {
    long top = Math.min(ram.lowSize(), INITRD_MAX + 1);
    long at = top - initrd.length & -GuestRam.PAGE_SIZE;
    if (at < kernelEnd + SLACK) {
      throw new BootException(
          "initramfs of %d bytes does not fit above the kernel's end 0x%x into 0x%x bytes of memory"
              .formatted(initrd.length, kernelEnd, top));
    }
    ram.write(at, initrd);
    return at;
  }

  private static void writeCommandLine(String commandLine, GuestRam ram) {
    byte[] bytes = commandLine.getBytes(StandardCharsets.UTF_8);
    if (bytes.length >= MemoryMap.COMMAND_LINE_SIZE || commandLine.indexOf('\0') >= 0) {
      throw new BootException(
          "command line of " + bytes.length + " bytes: too long, or it contains a NUL");
    }
    ram.write(MemoryMap.COMMAND_LINE, bytes);
    ram.put8(MemoryMap.COMMAND_LINE + bytes.length, 0);
  }

  /**
   * Flat segments at the selectors that Linux's protocol names (boot.rst: __BOOT_CS, __BOOT_DS).
   *
   * @return size in bytes
   */
  private static int writeGdt(GuestRam ram, long code) {
    ram.put64(MemoryMap.GDT, 0);
    ram.put64(MemoryMap.GDT + 8, 0);
    ram.put64(MemoryMap.GDT + BootState.CODE, code);
    ram.put64(MemoryMap.GDT + BootState.DATA, DATA);
    ram.put64(MemoryMap.GDT + BootState.TASK, TASK);
    ram.put64(MemoryMap.GDT + BootState.TASK + 8, 0);
    return BootState.TASK + 16;
  }
}
