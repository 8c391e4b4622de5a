package org.hypergraft.annotator.image;

/** Names what a file that is no x86 kernel seems to be, for error messages. */
final class FileKind {
  private FileKind() {}

  /** Such as {@code a JPEG picture}; falls back to the first bytes in hex. */
  static String describe(byte[] b) {
    if (b.length == 0) {
      return "an empty file";
    }
    if (at(b, 0, 0xff, 0xd8, 0xff)) {
      return "a JPEG picture";
    }
    if (at(b, 0, 0x89, 'P', 'N', 'G')) {
      return "a PNG picture";
    }
    if (at(b, 0, '%', 'P', 'D', 'F')) {
      return "a PDF document";
    }
    if (at(b, 0, 'P', 'K', 3, 4)) {
      return "a ZIP archive";
    }
    if (at(b, 0, '!', '<', 'a', 'r', 'c', 'h', '>')) {
      return "an ar archive (a .deb package or a library)";
    }
    if (at(b, 0, '0', '7', '0', '7', '0')) {
      return "a cpio archive (an initrd)";
    }
    if (at(b, 0x38, 'A', 'R', 'M', 0x64)) {
      return "an AArch64 Linux boot image";
    }
    if (at(b, 0, 'M', 'Z') && at(b, 4, 'z', 'i', 'm', 'g')) {
      return "an EFI zboot kernel, which x86 does not use";
    }
    if (at(b, 0, 'M', 'Z')) {
      return "a PE executable " + pe(b) + " without the Linux setup header 'HdrS' at 0x202";
    }
    if (at(b, 0x101, 'u', 's', 't', 'a', 'r')) {
      return "a tar archive";
    }
    if (at(b, 0x1fe, 0x55, 0xaa)) {
      return "a boot sector or disk image without the Linux setup header 'HdrS' at 0x202";
    }
    if (text(b)) {
      return "text";
    }
    StringBuilder out = new StringBuilder("bytes that start with");
    for (int i = 0; i < Math.min(8, b.length); i++) {
      out.append(String.format(" %02x", b[i]));
    }
    return out.toString();
  }

  private static String pe(byte[] b) {
    int header = b.length >= 0x40 ? LittleEndian.s32(b, 0x3c) : -1;
    if (header < 0 || header > b.length - 6 || !at(b, header, 'P', 'E', 0, 0)) {
      return "of unknown machine";
    }
    int machine = LittleEndian.u16(b, header + 4);
    // PE/COFF specification, "Machine Types".
    return switch (machine) {
      case 0x8664 -> "for x86-64";
      case 0x14c -> "for i386";
      case 0xaa64 -> "for AArch64";
      case 0x1c0, 0x1c2, 0x1c4 -> "for ARM";
      case 0x5064 -> "for RISC-V";
      default -> "for machine 0x%x".formatted(machine);
    };
  }

  private static boolean text(byte[] b) {
    for (int i = 0; i < Math.min(512, b.length); i++) {
      int c = b[i] & 0xff;
      boolean space = c == '\n' || c == '\r' || c == '\t';
      if ((c < ' ' && !space) || c == 0x7f) {
        return false;
      }
    }
    return true;
  }

  private static boolean at(byte[] b, int from, int... magic) {
    if (from > b.length - magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if ((b[from + i] & 0xff) != magic[i]) {
        return false;
      }
    }
    return true;
  }
}
