package org.hypergraft.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Multiboot Specification 0.6.96: the header in the image (section 3.1) and the information
 * structure (section 3.3).
 */
final class Multiboot1 {
  /** What EAX holds at the entry. */
  static final int BOOT_MAGIC = 0x2badb002;

  private static final int HEADER_MAGIC = 0x1badb002;
  private static final int SEARCH = 8192;

  /** Header flags below 16 are requirements: 0 aligned modules, 1 memory information, 2 video. */
  private static final int REQUIREMENTS = 0xffff;

  private static final int UNDERSTOOD = 1 | 1 << 1;
  private static final int HAS_ADDRESSES = 1 << 16;

  // Flags of the information structure.
  private static final int HAS_MEMORY = 1;
  private static final int HAS_COMMAND_LINE = 1 << 2;
  private static final int HAS_MODULES = 1 << 3;
  private static final int HAS_MEMORY_MAP = 1 << 6;
  private static final int HAS_LOADER_NAME = 1 << 9;

  private static final int MODULES = 0x80;
  private static final int NAME = 0xa0;
  private static final int MEMORY_MAP = 0x100;

  /** Size field of an entry, which does not count itself. */
  private static final int ENTRY_SIZE = MemoryMap.Range.SIZE;

  private Multiboot1() {}

  /** File offset of the header, or -1. */
  static int headerOf(GuestImage image) {
    ByteBuffer b = MultibootHeader.file(image);
    for (int at = 0; at <= Math.min(SEARCH, b.capacity()) - 12; at += 4) {
      if (b.getInt(at) == HEADER_MAGIC && HEADER_MAGIC + b.getInt(at + 4) + b.getInt(at + 8) == 0) {
        return at;
      }
    }
    return -1;
  }

  static MultibootHeader read(GuestImage image) {
    int at = headerOf(image);
    if (at < 0) {
      throw new BootException(
          image.name() + ": no Multiboot header in the first 8 KiB, at a multiple of 4");
    }
    ByteBuffer b = MultibootHeader.file(image);
    int flags = b.getInt(at + 4);
    if ((flags & REQUIREMENTS & ~UNDERSTOOD) != 0) {
      throw new BootException(
          "%s: the Multiboot header requires 0x%x, of which this machine offers 0x%x"
              .formatted(image.name(), flags & REQUIREMENTS, UNDERSTOOD));
    }
    if ((flags & HAS_ADDRESSES) == 0) {
      return new MultibootHeader(Optional.empty(), Optional.empty());
    }
    if (at + 32 > b.capacity()) {
      throw new BootException(image.name() + ": the Multiboot header's addresses are cut off");
    }
    return new MultibootHeader(
        Optional.of(MultibootHeader.Placement.read(b, at, at + 12)),
        Optional.of(MultibootHeader.unsigned(b, at + 28)));
  }

  /** Writes what EBX points at. */
  static void writeInformation(GuestRam ram, long module, int moduleSize) {
    long info = MemoryMap.BOOT_INFO;
    int modules = moduleSize == 0 ? 0 : 1;
    ram.put32(info, HAS_MEMORY | HAS_COMMAND_LINE | HAS_MODULES | HAS_MEMORY_MAP | HAS_LOADER_NAME);
    ram.put32(info + 4, MemoryMap.lowerKib());
    ram.put32(info + 8, MemoryMap.upperKib(ram));
    ram.put32(info + 16, (int) MemoryMap.COMMAND_LINE);
    ram.put32(info + 20, modules);
    ram.put32(info + 24, (int) info + MODULES);
    ram.put32(info + MODULES, (int) module);
    ram.put32(info + MODULES + 4, (int) module + moduleSize);
    ram.put32(info + MODULES + 8, 0); // no string
    ram.put32(info + 64, (int) info + NAME);
    ram.write(
        info + NAME, (MultibootLoader.LOADER_NAME + "\0").getBytes(StandardCharsets.US_ASCII));
    List<MemoryMap.Range> ranges = MemoryMap.of(ram);
    ram.put32(info + 44, ranges.size() * (ENTRY_SIZE + 4));
    ram.put32(info + 48, (int) info + MEMORY_MAP);
    long at = info + MEMORY_MAP;
    for (MemoryMap.Range range : ranges) {
      ram.put32(at, ENTRY_SIZE);
      range.write(ram, at + 4);
      at += ENTRY_SIZE + 4;
    }
  }
}
