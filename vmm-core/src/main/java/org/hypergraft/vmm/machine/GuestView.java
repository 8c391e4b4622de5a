package org.hypergraft.vmm.machine;

import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestRam;

/** A stopped guest, to be looked at. Valid only while the run is stopped for it. */
public final class GuestView {
  private final Supplier<Cpu> cpu;
  private final LongSupplier retired;
  private final GuestRam ram;
  private KernelPlace place;

  GuestView(Supplier<Cpu> cpu, LongSupplier retired, GuestRam ram, KernelPlace place) {
    this.cpu = cpu;
    this.retired = retired;
    this.ram = ram;
    this.place = place;
  }

  /** The kernel turned out to be elsewhere. */
  void moved(KernelPlace newPlace) {
    place = newPlace;
  }

  /** Instructions retired so far. */
  public long retired() {
    return retired.getAsLong();
  }

  /** How far the kernel was moved from its link addresses. */
  public long kaslrOffset() {
    return place.offset();
  }

  /** A general register in encoding order, {@link Cpu#RAX} to 15. */
  public long register(int number) {
    return cpu.get().r[number];
  }

  public long rip() {
    return cpu.get().rip;
  }

  /**
   * Bytes of the kernel image as they are in memory now, by link address.
   *
   * @throws IllegalArgumentException when the range is not in RAM
   */
  public byte[] image(long linkAddress, int length) {
    long gpa = place.physical(linkAddress);
    if (!ram.contains(gpa, length)) {
      throw new IllegalArgumentException(
          "0x%x is not an address of the loaded kernel".formatted(linkAddress));
    }
    return ram.bytes(gpa, length);
  }

  /**
   * Bytes at a virtual address, through the current page tables.
   *
   * @return null when a page is not mapped to RAM
   */
  public byte[] virtual(long address, int length) {
    byte[] out = new PagedMemory(ram, cpu.get().mmu::translate).read(address, length);
    return out.length == length ? out : null;
  }

  /**
   * A little-endian word at a virtual address.
   *
   * @param size bytes, up to 8
   * @return empty when it is not mapped to RAM
   */
  public OptionalLong word(long address, int size) {
    byte[] b = virtual(address, size);
    return b == null ? OptionalLong.empty() : OptionalLong.of(littleEndian(b));
  }

  private static long littleEndian(byte[] b) {
    long v = 0;
    for (int i = b.length - 1; i >= 0; i--) {
      v = v << 8 | b[i] & 0xff;
    }
    return v;
  }
}
