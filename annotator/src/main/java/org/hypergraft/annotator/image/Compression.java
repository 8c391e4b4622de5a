package org.hypergraft.annotator.image;

/**
 * The payload compressions of an x86 kernel build (arch/x86/Kconfig, HAVE_KERNEL_*), told apart by
 * their first bytes.
 */
public enum Compression {
  /** A plain ELF (CONFIG_KERNEL_UNCOMPRESSED). */
  NONE("uncompressed"),
  GZIP("gzip"),
  BZIP2("bzip2"),
  /** The LZMA-alone format: properties, dictionary size, length, stream. */
  LZMA("lzma"),
  XZ("xz"),
  /** The lzop container around LZO1X blocks. */
  LZO("lzo"),
  /** LZ4 legacy frames, as {@code lz4 -l} writes them. */
  LZ4("lz4"),
  ZSTD("zstd");

  private final String label;

  Compression(String label) {
    this.label = label;
  }

  /** Lower-case name for people and for JSON. */
  public String label() {
    return label;
  }

  /** Recognizes the bytes at {@code at}, or returns null. */
  static Compression detect(byte[] b, int at, int length) {
    if (length >= 18 && starts(b, at, 0x1f, 0x8b, 0x08)) {
      return GZIP;
    }
    if (length >= 14 && starts(b, at, 'B', 'Z', 'h') && b[at + 3] >= '1' && b[at + 3] <= '9') {
      return BZIP2;
    }
    if (length >= 24 && starts(b, at, 0xfd, '7', 'z', 'X', 'Z', 0)) {
      return XZ;
    }
    if (length >= 8 && starts(b, at, 0x02, 0x21, 0x4c, 0x18)) {
      return LZ4;
    }
    if (length >= 8 && starts(b, at, 0x28, 0xb5, 0x2f, 0xfd)) {
      return ZSTD;
    }
    if (length >= 32 && starts(b, at, 0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n')) {
      return LZO;
    }
    if (length >= 4 && starts(b, at, 0x7f, 'E', 'L', 'F')) {
      return NONE;
    }
    return length >= 18 && lzmaAlone(b, at) ? LZMA : null;
  }

  /**
   * LZMA-alone has no magic: lc=3 lp=0 pb=2 (0x5d) as every kernel build uses, a dictionary of 2^n
   * or 3*2^n bytes, and a length that is unknown (-1) or believable.
   */
  private static boolean lzmaAlone(byte[] b, int at) {
    long dictionary = LittleEndian.u32(b, at + 1);
    long size = LittleEndian.u64(b, at + 5);
    long odd = dictionary == 0 ? 0 : dictionary >>> Long.numberOfTrailingZeros(dictionary);
    return b[at] == 0x5d
        && dictionary >= 4096
        && (odd == 1 || odd == 3)
        && (size == -1 || (size >= 0 && size < 1L << 38))
        && b[at + 13] == 0;
  }

  private static boolean starts(byte[] b, int at, int... magic) {
    for (int i = 0; i < magic.length; i++) {
      if ((b[at + i] & 0xff) != magic[i]) {
        return false;
      }
    }
    return true;
  }
}
