package org.hypergraft.annotator.image;

/**
 * The fields of a bzImage's PE/COFF header (EFI stub) that repacking touches, as file offsets (PE
 * Format specification, "Optional Header Windows-Specific Fields", "Data Directories").
 *
 * @param sizeOfCode of the optional header
 * @param sizeOfImage bytes of memory the firmware allocates
 * @param checkSum 0 in what the kernel build leaves
 * @param certificates data directory 4: file offset and length of the Authenticode signatures
 */
record PeHeader(int sizeOfCode, int sizeOfImage, int checkSum, int certificates) {
  private static final int PE32 = 0x10b;
  private static final int PE32_PLUS = 0x20b;

  /** Optional header: where it starts after the signature, and where its fields are. */
  private static final int OPTIONAL = 24;

  private static final int CERTIFICATE_DIRECTORY = 4;

  /** The header, or null when the image has no EFI stub. */
  static PeHeader find(byte[] b) {
    if (b.length < 0x40 || b[0] != 'M' || b[1] != 'Z') {
      return null;
    }
    long at = LittleEndian.u32(b, 0x3c);
    if (at + OPTIONAL + 112 + 8 * (CERTIFICATE_DIRECTORY + 1) > b.length
        || LittleEndian.s32(b, (int) at) != 0x4550) {
      return null;
    }
    int optional = (int) at + OPTIONAL;
    int magic = LittleEndian.u16(b, optional);
    if (magic != PE32 && magic != PE32_PLUS) {
      return null;
    }
    int directories = optional + (magic == PE32_PLUS ? 112 : 96);
    if (LittleEndian.u32(b, directories - 4) <= CERTIFICATE_DIRECTORY) {
      return null;
    }
    return new PeHeader(
        optional + 4, optional + 56, optional + 64, directories + 8 * CERTIFICATE_DIRECTORY);
  }
}
