package org.hypergraft.annotator.image;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.tukaani.xz.FilterOptions;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.X86Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

/**
 * Compresses payloads the way the kernel build does (scripts/Makefile.lib, scripts/xz_wrap.sh), in
 * formats its boot stub can expand. Output depends on the input alone.
 */
public final class Compressor {
  /** How hard to try. */
  public enum Effort {
    /** Quick; a few percent larger. */
    QUICK,
    /** As small as the kernel build's own settings, or smaller. */
    SMALLEST
  }

  /** The dictionary of xz_wrap.sh. */
  private static final int XZ_DICTIONARY = 32 << 20;

  private Compressor() {}

  /**
   * Whether payloads of this kind can be written: gzip, xz, lz4, zstd, and not compressed at all.
   */
  public static boolean supports(Compression kind) {
    return switch (kind) {
      case GZIP, XZ, LZ4, ZSTD, NONE -> true;
      case BZIP2, LZMA, LZO -> false;
    };
  }

  /**
   * The compressed stream alone.
   *
   * @throws ImageException when {@link #supports} says no
   */
  public static byte[] compress(Compression kind, byte[] data, Effort effort) {
    boolean small = effort == Effort.SMALLEST;
    return switch (kind) {
      case NONE -> data.clone();
      case GZIP -> gzip(data, small ? Deflater.BEST_COMPRESSION : 6);
      case XZ -> xz(data, small);
      case LZ4 -> Lz4Encoder.encode(data, small);
      case ZSTD -> small ? zstdStream(data) : Zstd.compress(data, 12);
      case BZIP2, LZMA, LZO ->
          throw new ImageException(
              "writing %s payloads is not supported; gzip, xz, lz4 and zstd are"
                  .formatted(kind.label()));
    };
  }

  /**
   * The stream as a bzImage carries it: followed by the expanded size, which gzip itself ends in.
   */
  static byte[] payload(Compression kind, byte[] data, Effort effort) {
    byte[] stream = compress(kind, data, effort);
    if (kind == Compression.GZIP || kind == Compression.NONE) {
      return stream;
    }
    byte[] out = java.util.Arrays.copyOf(stream, stream.length + 4);
    LittleEndian.put32(out, stream.length, data.length);
    return out;
  }

  private static byte[] gzip(byte[] data, int level) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(data.length / 3 + 64);
    try (GzipStream out = new GzipStream(bytes, level)) {
      out.write(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** A gzip stream of chosen level; no name, no time. */
  private static final class GzipStream extends GZIPOutputStream {
    GzipStream(OutputStream out, int level) throws IOException {
      super(out, 1 << 16);
      def.setLevel(level);
    }
  }

  /** As a stream of unknown length level 22 parses a kernel smaller than it does in one call. */
  private static byte[] zstdStream(byte[] data) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(data.length / 4 + 64);
    try (ZstdOutputStreamNoFinalizer out = new ZstdOutputStreamNoFinalizer(bytes, 22)) {
      out.write(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] xz(byte[] data, boolean small) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(data.length / 4 + 64);
    try {
      LZMA2Options lzma = new LZMA2Options(small ? 6 : 2);
      lzma.setDictSize(XZ_DICTIONARY);
      if (small) {
        lzma.setNiceLen(LZMA2Options.NICE_LEN_MAX);
        lzma.setLcLp(4, 0); // measured on i386 and x86-64 kernels: 0.1 % smaller than lc=3
      }
      FilterOptions[] filters = {new X86Options(), lzma};
      // The boot stub's decoder knows no check but CRC32.
      try (XZOutputStream out = new XZOutputStream(bytes, filters, XZ.CHECK_CRC32)) {
        out.write(data);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
