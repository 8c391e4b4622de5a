package org.hypergraft.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Multiboot2 Specification 2.0: the tagged header in the image (section 3.1) and the tagged
 * information (section 3.6).
 */
final class Multiboot2 {
  /** What EAX holds at the entry. */
  static final int BOOT_MAGIC = 0x36d76289;

  private static final int HEADER_MAGIC = 0xe85250d6;
  private static final int SEARCH = 32768;
  private static final int ARCHITECTURE_I386 = 0;
  private static final int OPTIONAL = 1;

  // Header tags.
  private static final int END = 0;
  private static final int INFORMATION_REQUEST = 1;
  private static final int ADDRESS = 2;
  private static final int ENTRY_ADDRESS = 3;
  private static final int CONSOLE = 4;
  private static final int MODULE_ALIGNMENT = 6;
  private static final int RELOCATABLE = 10;

  // Information tags.
  private static final int COMMAND_LINE = 1;
  private static final int LOADER_NAME = 2;
  private static final int MODULE = 3;
  private static final int BASIC_MEMORY = 4;
  private static final int MEMORY_MAP = 6;
  private static final int ACPI_OLD = 14;
  private static final int ACPI_NEW = 15;
  private static final List<Integer> OFFERED =
      List.of(COMMAND_LINE, LOADER_NAME, MODULE, BASIC_MEMORY, MEMORY_MAP, ACPI_OLD, ACPI_NEW);

  private static final int MEMORY_MAP_ENTRY = 24;

  /** Bytes of the RSDP of ACPI 1.0 and of 2.0 on. */
  private static final int RSDP_OLD = 20;

  private static final int RSDP_NEW = 36;

  private Multiboot2() {}

  /** File offset of the header, or -1. */
  static int headerOf(GuestImage image) {
    ByteBuffer b = MultibootHeader.file(image);
    for (int at = 0; at <= Math.min(SEARCH, b.capacity()) - 16; at += 8) {
      if (b.getInt(at) == HEADER_MAGIC
          && b.getInt(at) + b.getInt(at + 4) + b.getInt(at + 8) + b.getInt(at + 12) == 0) {
        return at;
      }
    }
    return -1;
  }

  static MultibootHeader read(GuestImage image) {
    int header = headerOf(image);
    if (header < 0) {
      throw new BootException(
          image.name() + ": no Multiboot2 header in the first 32 KiB, at a multiple of 8");
    }
    ByteBuffer b = MultibootHeader.file(image);
    if (b.getInt(header + 4) != ARCHITECTURE_I386) {
      throw refused(image, "is for architecture " + b.getInt(header + 4) + ", expected 0 (i386)");
    }
    long end = header + Integer.toUnsignedLong(b.getInt(header + 8));
    Optional<MultibootHeader.Placement> placement = Optional.empty();
    Optional<Long> entry = Optional.empty();
    long at = header + 16L;
    while (true) {
      if (end > b.capacity() || at + 8 > end) {
        throw refused(image, "is cut off or has no end tag");
      }
      int tag = (int) at;
      int type = b.getShort(tag) & 0xffff;
      boolean optional = (b.getShort(tag + 2) & OPTIONAL) != 0;
      long size = Integer.toUnsignedLong(b.getInt(tag + 4));
      if (type == END) {
        return new MultibootHeader(placement, entry);
      }
      if (size < 8 || at + size > end) {
        throw refused(image, "has a tag of type %d with size %d".formatted(type, size));
      }
      switch (type) {
        case INFORMATION_REQUEST -> checkRequests(image, b, tag, size, optional);
        case ADDRESS -> {
          checkSize(image, "address", size, 24);
          placement = Optional.of(MultibootHeader.Placement.read(b, header, tag + 8));
        }
        case ENTRY_ADDRESS -> {
          checkSize(image, "entry", size, 12);
          entry = Optional.of(MultibootHeader.unsigned(b, tag + 8));
        }
        case CONSOLE, MODULE_ALIGNMENT, RELOCATABLE -> {} // satisfied, or no duty of the loader
        default -> {
          if (!optional) {
            throw refused(image, "requires tag %d, which is not offered".formatted(type));
          }
        }
      }
      at += size + 7 & -8;
    }
  }

  private static void checkRequests(
      GuestImage image, ByteBuffer b, int tag, long size, boolean optional) {
    for (int at = tag + 8; !optional && at + 4 <= tag + size; at += 4) {
      if (!OFFERED.contains(b.getInt(at))) {
        throw refused(
            image, "requires information %d, which is not offered".formatted(b.getInt(at)));
      }
    }
  }

  private static void checkSize(GuestImage image, String tag, long size, int expected) {
    if (size < expected) {
      throw refused(image, "has an %s tag of %d bytes, expected %d".formatted(tag, size, expected));
    }
  }

  private static BootException refused(GuestImage image, String why) {
    return new BootException(image.name() + ": the Multiboot2 header " + why);
  }

  /** Writes what EBX points at. */
  static void writeInformation(
      GuestRam ram, String commandLine, long module, int moduleSize, long rsdp) {
    long start = MemoryMap.BOOT_INFO;
    Tags tags = new Tags(ram, start + 8);
    tags.string(COMMAND_LINE, commandLine);
    tags.string(LOADER_NAME, MultibootLoader.LOADER_NAME);
    tags.add(BASIC_MEMORY, words(MemoryMap.lowerKib(), MemoryMap.upperKib(ram)));
    if (moduleSize != 0) {
      // The string that follows the addresses is empty.
      ByteBuffer b = buffer(9).putInt((int) module).putInt((int) module + moduleSize);
      tags.add(MODULE, b.array());
    }
    List<MemoryMap.Range> ranges = MemoryMap.of(ram);
    ByteBuffer map = buffer(8 + ranges.size() * MEMORY_MAP_ENTRY);
    map.putInt(MEMORY_MAP_ENTRY).putInt(0);
    for (MemoryMap.Range range : ranges) {
      map.putLong(range.start()).putLong(range.length()).putInt(range.type()).putInt(0);
    }
    tags.add(MEMORY_MAP, map.array());
    tags.add(ACPI_OLD, ram.bytes(rsdp, RSDP_OLD));
    tags.add(ACPI_NEW, ram.bytes(rsdp, RSDP_NEW));
    tags.add(END, new byte[0]);
    ram.put32(start, (int) (tags.at - start));
    ram.put32(start + 4, 0);
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] words(int a, int b) {
    return buffer(8).putInt(a).putInt(b).array();
  }

  /** Appends tags, each at a multiple of 8. */
  private static final class Tags {
    /** The information lies below the command line's own place in memory. */
    private static final long LIMIT = MemoryMap.COMMAND_LINE;

    private final GuestRam ram;
    private long at;

    Tags(GuestRam ram, long at) {
      this.ram = ram;
      this.at = at;
    }

    void string(int type, String text) {
      add(type, (text + "\0").getBytes(StandardCharsets.UTF_8));
    }

    void add(int type, byte[] content) {
      if (at + 8 + content.length > LIMIT) {
        throw new BootException(
            "no room for the Multiboot2 information: the command line is too long");
      }
      ram.put32(at, type);
      ram.put32(at + 4, 8 + content.length);
      ram.write(at + 8, content);
      at += 8 + content.length + 7 & -8;
    }
  }
}
