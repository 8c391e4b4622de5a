package org.hypergraft.annotator.image;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.SingleXZInputStream;

/** Expands payloads of every {@link Compression} under a hard size limit. */
final class Decompressor {
  /** No kernel payload comes near this; larger claims are refused before anything is allocated. */
  static final int MAX_EXPANDED = 512 << 20;

  /** Decoder memory the LZMA formats may ask for: kernel builds use 32-128 MiB dictionaries. */
  private static final int MEMORY_LIMIT_KIB = 192 << 10;

  private Decompressor() {}

  /**
   * Expands {@code in[from..from+length)}.
   *
   * @param expected exact size the container declares, or -1 when it declares none
   * @throws ImageException when the data is damaged or does not expand to what was declared
   */
  static byte[] expand(Compression kind, byte[] in, int from, int length, long expected) {
    if (expected > MAX_EXPANDED) {
      throw new ImageException(
          "%s payload declares %d bytes expanded, more than the limit of %d"
              .formatted(kind.label(), expected, MAX_EXPANDED));
    }
    int limit = expected >= 0 ? (int) expected : MAX_EXPANDED;
    byte[] result = run(kind, in, from, length, limit, expected >= 0);
    if (expected >= 0 && result.length != expected) {
      throw new ImageException(
          "%s payload expands to %d bytes, but its size word says %d"
              .formatted(kind.label(), result.length, expected));
    }
    return result;
  }

  private static byte[] run(
      Compression kind, byte[] in, int from, int length, int limit, boolean exact) {
    Output out = new Output(limit, length);
    try {
      switch (kind) {
        case LZ4 -> Lz4Legacy.decode(in, from, from + length, out);
        case LZO -> Lzo.decode(in, from, from + length, out);
        case ZSTD -> {
          if (exact && out.buffer.length == limit) {
            out.position = (int) Zstd.decompressByteArray(out.buffer, 0, limit, in, from, length);
            break;
          }
          drain(kind, new ZstdInputStreamNoFinalizer(stream(in, from, length)), out);
        }
        case GZIP -> drain(kind, new GZIPInputStream(stream(in, from, length), 1 << 16), out);
        case XZ ->
            drain(kind, new SingleXZInputStream(stream(in, from, length), MEMORY_LIMIT_KIB), out);
        case LZMA ->
            drain(kind, new LZMAInputStream(stream(in, from, length), MEMORY_LIMIT_KIB), out);
        case BZIP2 -> drain(kind, new BZip2CompressorInputStream(stream(in, from, length)), out);
        case NONE -> drain(kind, stream(in, from, length), out);
      }
    } catch (ImageException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The libraries report damage as IOException, ZstdException or, bzip2, index errors.
      String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new ImageException(
          "damaged %s payload: %s after %d expanded bytes"
              .formatted(kind.label(), why, out.position),
          e);
    }
    return out.toBytes();
  }

  private static void drain(Compression kind, InputStream stream, Output out) throws IOException {
    try (stream) {
      while (true) {
        if (out.full()) {
          if (stream.read() >= 0) {
            throw new ImageException(
                "%s payload expands to more than %d bytes".formatted(kind.label(), out.limit()));
          }
          return;
        }
        out.reserve(1);
        int n = stream.read(out.buffer, out.position, out.buffer.length - out.position);
        if (n < 0) {
          return;
        }
        out.position += n;
      }
    }
  }

  private static InputStream stream(byte[] in, int from, int length) {
    return new ByteArrayInputStream(in, from, length);
  }
}
