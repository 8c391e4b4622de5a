package org.hypergraft.annotator.image;

import java.nio.charset.StandardCharsets;

/**
 * The bzImage setup header (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"),
 * protocol 2.08 or later. Fields newer than the image's protocol are 0.
 *
 * @param setupSectors 512-byte sectors of setup code after the boot sector (at 0x1f1; 0 means 4)
 * @param systemSize bytes of protected-mode code, in file units of 16 bytes times 16 (0x1f4)
 * @param version boot protocol, 0x020f is 2.15 (0x206)
 * @param kernelVersion the release string the setup code carries, or empty (0x20e)
 * @param loadFlags 0x211
 * @param code32Start 0x214
 * @param initrdAddressMax highest address an initrd may use (0x22c)
 * @param kernelAlignment 0x230
 * @param relocatable 0x234
 * @param minAlignment power of two (0x235)
 * @param xloadFlags bit 0: 64-bit entry at 0x200 of the protected-mode code (0x236)
 * @param commandLineSize longest command line without its NUL (0x238)
 * @param payloadOffset from the start of the protected-mode code (0x248)
 * @param payloadLength including a trailing size word, gzip apart (0x24c)
 * @param preferredAddress 0x258
 * @param initSize memory the kernel needs from its load address on (0x260)
 * @param handoverOffset EFI handover entry (0x264)
 */
public record SetupHeader(
    int setupSectors,
    long systemSize,
    int version,
    String kernelVersion,
    int loadFlags,
    long code32Start,
    long initrdAddressMax,
    long kernelAlignment,
    boolean relocatable,
    int minAlignment,
    int xloadFlags,
    long commandLineSize,
    long payloadOffset,
    long payloadLength,
    long preferredAddress,
    long initSize,
    long handoverOffset) {
  static final int BOOT_FLAG = 0x1fe;
  static final int MAGIC = 0x202;
  static final int PAYLOAD_OFFSET = 0x248;
  static final int PAYLOAD_LENGTH = 0x24c;
  static final int INIT_SIZE = 0x260;

  /** Protocol that brought payload_offset and payload_length. */
  static final int FIRST_WITH_PAYLOAD = 0x0208;

  /** Bytes up to and including handover_offset. */
  static final int LENGTH = 0x268;

  /** Whether the bytes carry the boot flag and the header magic "HdrS". */
  static boolean present(byte[] b) {
    return b.length >= MAGIC + 4
        && LittleEndian.u16(b, BOOT_FLAG) == 0xaa55
        && LittleEndian.s32(b, MAGIC) == 0x53726448;
  }

  /** File offset of the protected-mode code. */
  public int protectedModeOffset() {
    return (setupSectors + 1) * 512;
  }

  /** Whether the kernel has the 64-bit entry point (XLF_KERNEL_64). */
  public boolean has64BitEntry() {
    return (xloadFlags & 1) != 0;
  }

  static SetupHeader parse(byte[] b) {
    int version = b.length >= 0x208 ? LittleEndian.u16(b, 0x206) : 0;
    if (version < FIRST_WITH_PAYLOAD) {
      throw new ImageException(
          ("bzImage with boot protocol %d.%02d at 0x206; 2.08 or later is needed, "
                  + "older ones do not say where the kernel is")
              .formatted(version >> 8, version & 0xff));
    }
    if (b.length < LENGTH) {
      throw new ImageException(
          "truncated bzImage: the setup header needs 0x%x bytes, 0x%x are there"
              .formatted(LENGTH, b.length));
    }
    int sectors = LittleEndian.u8(b, 0x1f1);
    return new SetupHeader(
        sectors == 0 ? 4 : sectors,
        LittleEndian.u32(b, 0x1f4) * 16,
        version,
        kernelVersion(b),
        LittleEndian.u8(b, 0x211),
        LittleEndian.u32(b, 0x214),
        LittleEndian.u32(b, 0x22c),
        LittleEndian.u32(b, 0x230),
        b[0x234] != 0,
        version >= 0x020a ? LittleEndian.u8(b, 0x235) : 0,
        version >= 0x020c ? LittleEndian.u16(b, 0x236) : 0,
        LittleEndian.u32(b, 0x238),
        LittleEndian.u32(b, PAYLOAD_OFFSET),
        LittleEndian.u32(b, PAYLOAD_LENGTH),
        version >= 0x020a ? LittleEndian.u64(b, 0x258) : 0,
        version >= 0x020a ? LittleEndian.u32(b, INIT_SIZE) : 0,
        version >= 0x020b ? LittleEndian.u32(b, 0x264) : 0);
  }

  /** The NUL-terminated string 0x200 after the kernel_version field's value. */
  private static String kernelVersion(byte[] b) {
    int field = LittleEndian.u16(b, 0x20e);
    int from = field + 0x200;
    if (field == 0 || from >= b.length) {
      return "";
    }
    int limit = Math.min(b.length, from + 256);
    int end = from;
    while (end < limit && b[end] >= ' ' && b[end] < 0x7f) {
      end++;
    }
    return new String(b, from, end - from, StandardCharsets.US_ASCII);
  }
}
