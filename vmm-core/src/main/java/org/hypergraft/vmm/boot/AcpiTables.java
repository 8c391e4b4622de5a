package org.hypergraft.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.hypergraft.vmm.device.AcpiPm;
import org.hypergraft.vmm.device.Cmos;
import org.hypergraft.vmm.device.IoApic;
import org.hypergraft.vmm.device.LocalApic;
import org.hypergraft.vmm.device.ResetControl;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * The ACPI tables (ACPI specification 6.0, chapter 5.2): RSDP, XSDT, FADT, FACS, MADT and a DSDT
 * that names the soft-off state. They describe the machine's devices and nothing more: no keyboard
 * controller, no VGA, no PCI.
 */
public final class AcpiTables {
  private static final int HEADER = 36;
  private static final int FADT_SIZE = 276;
  private static final int FACS_SIZE = 64;
  private static final int RSDP_SIZE = 36;

  // FADT IA-PC boot architecture flags, table 5-35.
  private static final int BOOT_LEGACY_DEVICES = 1;
  private static final int BOOT_NO_VGA = 1 << 2;
  private static final int BOOT_NO_MSI = 1 << 3;

  // FADT fixed feature flags, table 5-34.
  private static final int FLAG_WBINVD = 1;
  private static final int FLAG_PROC_C1 = 1 << 2;
  private static final int FLAG_NO_POWER_BUTTON = 1 << 4;
  private static final int FLAG_NO_SLEEP_BUTTON = 1 << 5;
  private static final int FLAG_NO_FIXED_RTC_WAKE = 1 << 6;
  private static final int FLAG_32_BIT_TIMER = 1 << 8;
  private static final int FLAG_RESET_REGISTER = 1 << 10;

  /** Latencies that say the C2 and C3 states are not there. */
  private static final int NO_C2 = 101;

  private static final int NO_C3 = 1001;
  private static final int SPACE_IO = 1;

  /** MADT interrupt flags: active high, level triggered. */
  private static final int HIGH_LEVEL = 0xd;

  private AcpiTables() {}

  /**
   * Writes the tables where {@link MemoryMap} has room for them.
   *
   * @param cpus processors to list, with APIC ids from 0
   * @return address of the root pointer
   */
  public static long write(GuestRam ram, int cpus) {
    ram.write(MemoryMap.FACS, facs());
    long at = MemoryMap.TABLES;
    byte[] dsdt = dsdt();
    long dsdtAt = at;
    ram.write(at, dsdt);
    at = align(at + dsdt.length);
    byte[] fadt = fadt(dsdtAt);
    long fadtAt = at;
    ram.write(at, fadt);
    at = align(at + fadt.length);
    byte[] madt = madt(cpus);
    long madtAt = at;
    ram.write(at, madt);
    at = align(at + madt.length);
    byte[] xsdt = xsdt(fadtAt, madtAt);
    ram.write(at, xsdt);
    if (at + xsdt.length > MemoryMap.RSDP) {
      throw new BootException("no room for the ACPI tables of " + cpus + " processors");
    }
    ram.write(MemoryMap.RSDP, rsdp(at));
    return MemoryMap.RSDP;
  }

  static byte[] dsdt() {
    byte[] type = Aml.integer(AcpiPm.SLEEP_TYPE_S5);
    byte[] zero = Aml.integer(0);
    byte[] s5 = Aml.name("_S5_", Aml.packageOf(type, type, zero, zero));
    ByteBuffer b = table("DSDT", 2, HEADER + s5.length);
    b.put(s5);
    return finished(b);
  }

  static byte[] fadt(long dsdt) {
    ByteBuffer b = table("FACP", 6, FADT_SIZE);
    b.putInt(40, (int) dsdt);
    b.putShort(46, (short) AcpiPm.SCI);
    b.putInt(56, AcpiPm.BASE + AcpiPm.EVENT);
    b.putInt(64, AcpiPm.BASE + AcpiPm.CONTROL);
    b.putInt(76, AcpiPm.BASE + AcpiPm.TIMER);
    b.put(88, (byte) 4).put(89, (byte) 2).put(91, (byte) 4);
    b.putShort(96, (short) NO_C2).putShort(98, (short) NO_C3);
    b.put(108, (byte) Cmos.CENTURY);
    b.putShort(109, (short) (BOOT_LEGACY_DEVICES | BOOT_NO_VGA | BOOT_NO_MSI));
    b.putInt(
        112,
        FLAG_WBINVD
            | FLAG_PROC_C1
            | FLAG_NO_POWER_BUTTON
            | FLAG_NO_SLEEP_BUTTON
            | FLAG_NO_FIXED_RTC_WAKE
            | FLAG_32_BIT_TIMER
            | FLAG_RESET_REGISTER);
    ioAddress(b, 116, 8, ResetControl.RESET_PORT);
    b.put(128, (byte) ResetControl.RESET_VALUE);
    b.putLong(132, MemoryMap.FACS);
    b.putLong(140, dsdt);
    ioAddress(b, 148, 32, AcpiPm.BASE + AcpiPm.EVENT);
    ioAddress(b, 172, 16, AcpiPm.BASE + AcpiPm.CONTROL);
    ioAddress(b, 208, 32, AcpiPm.BASE + AcpiPm.TIMER);
    return finished(b);
  }

  static byte[] madt(int cpus) {
    int pcCompatible = 1; // an 8259 pair is there too
    ByteBuffer b = table("APIC", 3, HEADER + 8 + 8 * cpus + 12 + 10 + 10 + 6);
    b.putInt((int) LocalApic.BASE).putInt(pcCompatible);
    for (int cpu = 0; cpu < cpus; cpu++) {
      b.put((byte) 0).put((byte) 8).put((byte) cpu).put((byte) cpu).putInt(1); // enabled
    }
    b.put((byte) 1).put((byte) 12).put((byte) 0).put((byte) 0);
    b.putInt((int) IoApic.BASE).putInt(0);
    override(b, 0, IoApic.TIMER_PIN, 0);
    override(b, AcpiPm.SCI, AcpiPm.SCI, HIGH_LEVEL);
    // NMI of all processors on LINT1
    b.put((byte) 4).put((byte) 6).put((byte) 0xff).putShort((short) 0).put((byte) 1);
    return finished(b);
  }

  private static void override(ByteBuffer b, int isaIrq, int input, int flags) {
    b.put((byte) 2).put((byte) 10).put((byte) 0).put((byte) isaIrq);
    b.putInt(input).putShort((short) flags);
  }

  static byte[] xsdt(long... tables) {
    ByteBuffer b = table("XSDT", 1, HEADER + 8 * tables.length);
    for (long table : tables) {
      b.putLong(table);
    }
    return finished(b);
  }

  static byte[] rsdp(long xsdt) {
    ByteBuffer b = ByteBuffer.allocate(RSDP_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    b.put(ascii("RSD PTR ")).position(9);
    b.put(ascii("HGRAFT")).put((byte) 2).putInt(0).putInt(RSDP_SIZE).putLong(xsdt);
    b.put(8, checksum(b.array(), 20)); // the part that ACPI 1.0 defined
    b.put(32, checksum(b.array(), RSDP_SIZE));
    return b.array();
  }

  private static byte[] facs() {
    ByteBuffer b = ByteBuffer.allocate(FACS_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    b.put(ascii("FACS")).putInt(FACS_SIZE);
    b.put(32, (byte) 2); // version
    return b.array();
  }

  /** A table with its header, positioned after it. */
  private static ByteBuffer table(String signature, int revision, int size) {
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    b.put(ascii(signature)).putInt(size).put((byte) revision).put((byte) 0);
    b.put(ascii("HGRAFT")).put(ascii("HYPRGRFT")).putInt(1).put(ascii("HGFT")).putInt(1);
    return b;
  }

  private static byte[] finished(ByteBuffer b) {
    b.put(9, checksum(b.array(), b.capacity()));
    return b.array();
  }

  /** Generic address structure of an I/O port, table 5-25. */
  private static void ioAddress(ByteBuffer b, int at, int bits, int port) {
    int accessSize = bits == 8 ? 1 : bits == 16 ? 2 : 3;
    b.put(at, (byte) SPACE_IO).put(at + 1, (byte) bits).put(at + 3, (byte) accessSize);
    b.putLong(at + 4, port);
  }

  /** The byte that makes the sum of the first {@code length} bytes zero, its own being zero. */
  private static byte checksum(byte[] bytes, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += bytes[i];
    }
    return (byte) -sum;
  }

  private static long align(long address) {
    return address + 63 & ~63L;
  }

  private static byte[] ascii(String s) {
    return s.getBytes(StandardCharsets.US_ASCII);
  }
}
