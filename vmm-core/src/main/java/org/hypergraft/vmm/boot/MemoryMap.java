package org.hypergraft.vmm.boot;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.device.IoApic;
import org.hypergraft.vmm.device.LocalApic;
import org.hypergraft.vmm.mmu.GuestRam;

/** The physical memory map that firmware reports, and where the boot structures lie in it. */
public final class MemoryMap {
  /** Range types, ACPI specification table 15-374 (e820). */
  public static final int USABLE = 1;

  public static final int RESERVED = 2;
  public static final int ACPI = 3;
  public static final int NVS = 4;

  /** Segment descriptors of the entry state. */
  static final long GDT = 0x500;

  /** hvm_start_info, its module list and memory map, or Linux's boot_params. */
  static final long BOOT_INFO = 0x1000;

  /** Page tables of a 64-bit entry, {@link IdentityMap#SIZE} bytes. */
  static final long PAGE_TABLES = 0x9000;

  /** NUL-terminated command line. */
  static final long COMMAND_LINE = 0x20000;

  /** Longest command line, NUL included: what fits, and more than any kernel takes. */
  static final int COMMAND_LINE_SIZE = 0x10000;

  /** Linux's setup code and its boot sector, at the oldest of the addresses it may have. */
  static final long SETUP = 0x90000;

  /** Extended BIOS data area, the end of conventional memory. */
  public static final long EBDA = 0x9fc00;

  private static final long VIDEO = 0xa0000;

  /** Firmware control structure, in non-volatile memory as ACPI asks. */
  static final long FACS = 0xe0000;

  /** The other ACPI tables. */
  static final long TABLES = 0xe1000;

  /** Root pointer, in the area that a kernel without a boot protocol's help would search. */
  static final long RSDP = 0xf0000;

  static final long ONE_MIB = 0x100000;

  /**
   * A range of physical addresses.
   *
   * @param type one of the constants of this class
   */
  public record Range(long start, long length, int type) {
    /** Bytes that {@link #write} writes: an e820 entry, which other protocols start with too. */
    public static final int SIZE = 20;

    /** Writes start and length, 64 bits each, and the type, 32 bits. */
    public void write(GuestRam ram, long at) {
      ram.put64(at, start);
      ram.put64(at + 8, length);
      ram.put32(at + 16, type);
    }
  }

  private MemoryMap() {}

  /** Conventional memory in KiB, as old interfaces report it. */
  public static int lowerKib() {
    return (int) (EBDA >> 10);
  }

  /** Memory from 1 MiB up to the first hole in KiB. */
  public static int upperKib(GuestRam ram) {
    return (int) (ram.lowSize() - ONE_MIB >> 10);
  }

  /** The ranges in ascending order, without overlaps. */
  public static List<Range> of(GuestRam ram) {
    List<Range> ranges = new ArrayList<>();
    ranges.add(new Range(0, EBDA, USABLE));
    ranges.add(new Range(EBDA, VIDEO - EBDA, RESERVED));
    ranges.add(new Range(FACS, TABLES - FACS, NVS));
    ranges.add(new Range(TABLES, RSDP - TABLES, ACPI));
    ranges.add(new Range(RSDP, ONE_MIB - RSDP, RESERVED));
    ranges.add(new Range(ONE_MIB, ram.lowSize() - ONE_MIB, USABLE));
    ranges.add(new Range(IoApic.BASE, IoApic.LENGTH, RESERVED));
    ranges.add(new Range(LocalApic.BASE, LocalApic.LENGTH, RESERVED));
    if (ram.highSize() > 0) {
      ranges.add(new Range(GuestRam.HIGH_START, ram.highSize(), USABLE));
    }
    return ranges;
  }
}
