package org.hypergraft.annotator.image;

/** Finds out from the bytes what a file is, and unwraps it down to the payload ELF. */
final class ImageParser {
  /** Where a Multiboot header may start, and its magic (Multiboot Specification 0.6.96, 3.1). */
  private static final int MULTIBOOT_SEARCH = 8192;

  private static final int MULTIBOOT_MAGIC = 0x1badb002;

  /**
   * The result.
   *
   * @param container what the payload was wrapped in
   * @param payload ELF and relocation tail
   * @param elf its structure
   * @param relocations its tail
   */
  @SuppressWarnings("ArrayRecordComponent") // hands arrays over without copying 50 MB
  record Parsed(Container container, byte[] payload, Elf elf, Relocations relocations) {}

  private ImageParser() {}

  static Parsed parse(byte[] file) {
    return parse(file, true);
  }

  private static Parsed parse(byte[] file, boolean mayBeCompressed) {
    if (SetupHeader.present(file)) {
      return bzImage(file);
    }
    if (Elf.startsAt(file, 0, file.length)) {
      return elf(file);
    }
    Compression kind = Compression.detect(file, 0, file.length);
    if (kind != null && mayBeCompressed) {
      byte[] expanded = Decompressor.expand(kind, file, 0, file.length, -1);
      Parsed inner;
      try {
        inner = parse(expanded, false);
      } catch (ImageException e) {
        throw new ImageException("inside the " + kind.label() + " data: " + e.getMessage(), e);
      }
      return new Parsed(
          new Container.Compressed(kind, inner.container()),
          inner.payload(),
          inner.elf(),
          inner.relocations());
    }
    throw new ImageException(
        "not an x86 kernel image: expected a bzImage, an ELF or a compressed one, found "
            + (kind != null ? kind.label() + " data once more" : FileKind.describe(file)));
  }

  private static Parsed elf(byte[] file) {
    Elf elf = Elf.parse(file);
    int multiboot = multibootHeader(file);
    Container container =
        multiboot < 0
            ? new Container.Vmlinux()
            : new Container.Multiboot(multiboot, LittleEndian.s32(file, multiboot + 4));
    // A tail is what a kernel build appends; other trailing bytes of a bare ELF are not ours.
    Relocations relocations;
    try {
      relocations = Relocations.parse(file, elf.end(), elf.bits() == 64);
      checkFields(relocations, elf);
    } catch (ImageException e) {
      relocations = Relocations.none(elf.end(), elf.bits() == 64);
    }
    return new Parsed(container, file, elf, relocations);
  }

  private static int multibootHeader(byte[] b) {
    int end = Math.min(b.length, MULTIBOOT_SEARCH) - 12;
    for (int at = 0; at <= end; at += 4) {
      if (LittleEndian.s32(b, at) == MULTIBOOT_MAGIC
          && MULTIBOOT_MAGIC + LittleEndian.s32(b, at + 4) + LittleEndian.s32(b, at + 8) == 0) {
        return at;
      }
    }
    return -1;
  }

  private static Parsed bzImage(byte[] file) {
    SetupHeader header = SetupHeader.parse(file);
    long start = header.protectedModeOffset() + header.payloadOffset();
    long length = header.payloadLength();
    if (StandAlone.is(header)) {
      byte[] program = StandAlone.elf(header, file);
      Elf elf = Elf.parse(program);
      return new Parsed(
          new Container.BzImage(header, Compression.NONE, header.protectedModeOffset(), 0),
          program,
          elf,
          Relocations.none(elf.end(), elf.bits() == 64));
    }
    if (length == 0) {
      throw new ImageException(
          "bzImage without a payload (payload_length at 0x24c is 0): no kernel ELF inside");
    }
    if (start + length > file.length) {
      throw new ImageException(
          "truncated bzImage: the payload needs bytes 0x%x to 0x%x, but the file has 0x%x"
              .formatted(start, start + length, file.length));
    }
    int from = (int) start;
    Compression kind = Compression.detect(file, from, (int) length);
    if (kind == null) {
      throw new ImageException(
          "bzImage payload at byte 0x%x starts with %s: no compression this tool knows"
              .formatted(from, firstBytes(file, from, (int) length)));
    }
    byte[] payload = expand(kind, file, from, (int) length);
    if (!Elf.startsAt(payload, 0, payload.length)) {
      throw new ImageException(
          "bzImage payload expands to %s, expected an ELF".formatted(FileKind.describe(payload)));
    }
    Elf elf = Elf.parse(payload);
    Relocations relocations = Relocations.parse(payload, elf.end(), elf.bits() == 64);
    checkFields(relocations, elf);
    Container container = new Container.BzImage(header, kind, from, (int) length);
    return new Parsed(container, payload, elf, relocations);
  }

  /**
   * The kernel build appends the expanded size as a 32-bit word (scripts/Makefile.lib,
   * size_append), except to gzip, whose own last word says the same.
   */
  private static byte[] expand(Compression kind, byte[] file, int from, int length) {
    if (length < 8) {
      throw new ImageException("bzImage payload of %d bytes is too short".formatted(length));
    }
    long expected = LittleEndian.u32(file, from + length - 4);
    int stream = kind == Compression.GZIP ? length : length - 4;
    if (kind == Compression.NONE) {
      // Plain ELF; builds differ in whether the size word follows.
      return Decompressor.expand(kind, file, from, expected == stream ? stream : length, -1);
    }
    return Decompressor.expand(kind, file, from, stream, expected);
  }

  /** Every field the tail names must lie in loaded bytes: the boot stub writes there unchecked. */
  private static void checkFields(Relocations relocations, Elf elf) {
    AddressMap map = new AddressMap(elf);
    for (Relocations.Kind kind : relocations.layout().runs()) {
      for (long address : relocations.addresses(kind)) {
        if (map.offsetOf(address, kind.size()) < 0) {
          throw new ImageException(
              "relocation tail names a %s field at 0x%x, outside every loaded segment"
                  .formatted(kind, address));
        }
      }
    }
  }

  private static String firstBytes(byte[] b, int at, int length) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < Math.min(6, length); i++) {
      out.append(i == 0 ? "" : " ").append(String.format("%02x", b[at + i]));
    }
    return out.toString();
  }
}
