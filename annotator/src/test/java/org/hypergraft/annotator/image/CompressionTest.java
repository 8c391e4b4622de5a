package org.hypergraft.annotator.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Random;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.LZMAOutputStream;

class CompressionTest {
  private static final byte[] WORDS = TestElf.words(11, 150_000);

  /** Streams of every kind: ours where we write them, libraries' and lzop's own where not. */
  static byte[] compress(Compression kind, byte[] data) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    switch (kind) {
      case BZIP2 -> {
        try (OutputStream out = new BZip2CompressorOutputStream(bytes)) {
          out.write(data);
        }
      }
      case LZMA -> {
        try (OutputStream out = new LZMAOutputStream(bytes, new LZMA2Options(3), -1)) {
          out.write(data);
        }
      }
      case LZO -> bytes.writeBytes(storedLzo(data));
      default -> bytes.writeBytes(Compressor.compress(kind, data, Compressor.Effort.QUICK));
    }
    return bytes.toByteArray();
  }

  /** An lzop container with one stored block and no checksums. */
  private static byte[] storedLzo(byte[] data) {
    java.nio.ByteBuffer out = java.nio.ByteBuffer.allocate(data.length + 64);
    out.put(new byte[] {(byte) 0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n'});
    out.putShort((short) 0x1040).putShort((short) 0x20a0).putShort((short) 0x0940);
    out.put((byte) 3).put((byte) 9).putInt(0).putInt(0).putInt(0).putInt(0).put((byte) 0).putInt(0);
    out.putInt(data.length).putInt(data.length).put(data).putInt(0);
    return Arrays.copyOf(out.array(), out.position());
  }

  private static byte[] fixture(String name) throws IOException {
    try (InputStream in = CompressionTest.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    }
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void bareStreamAndPayloadOfEveryKindAreRead(Compression kind) throws IOException {
    byte[] elf =
        TestElf.withTail(TestElf.small(true), new int[] {(int) TestElf.TEXT + 0x220}, new int[0]);
    byte[] stream = compress(kind, elf);
    assertEquals(kind, Compression.detect(stream, 0, stream.length));

    GuestImage bare = GuestImage.parse(stream, "bare");
    assertArrayEquals(elf, bare.payload());
    assertEquals(
        kind == Compression.NONE ? "vmlinux" : "compressed vmlinux", bare.container().label());

    byte[] file = TestElf.bzImage(stream, kind == Compression.GZIP ? -1 : elf.length);
    GuestImage boot = GuestImage.parse(file, "bz");
    assertArrayEquals(elf, boot.payload());
    Container.BzImage container = (Container.BzImage) boot.container();
    assertEquals(kind, container.compression());
    assertEquals("9.8.7-test (builder) #1", container.header().kernelVersion());
    assertEquals(1, boot.relocations().count(Relocations.Kind.ABSOLUTE_64));
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"NONE"},
      mode = EnumSource.Mode.EXCLUDE)
  void everyTruncationAndWrongSizeIsRefused(Compression kind) throws IOException {
    byte[] data = TestElf.words(3, 3000);
    byte[] stream = compress(kind, data);
    for (int length = 0; length < stream.length; length += 1 + length / 40) {
      int cut = length;
      byte[] got;
      try {
        got = Decompressor.expand(kind, stream, 0, cut, data.length);
      } catch (ImageException e) {
        continue;
      }
      // Formats whose last bytes are only a trailer may already have everything.
      assertArrayEquals(data, got, kind + " cut to " + cut);
    }
    for (int size : new int[] {0, data.length - 1, data.length + 1, Integer.MAX_VALUE}) {
      assertThrows(
          ImageException.class,
          () -> Decompressor.expand(kind, stream, 0, stream.length, size),
          kind + " as " + size);
    }
  }

  @Test
  void lz4AndLzoOfTheOriginalToolsAreRead() throws IOException {
    // Made by "lz4 -l -9" and "lzop -9" from the same generator's output.
    byte[] lz4 = fixture("words.lz4");
    assertArrayEquals(
        WORDS, Decompressor.expand(Compression.LZ4, lz4, 0, lz4.length, WORDS.length));
    assertArrayEquals(WORDS, Decompressor.expand(Compression.LZ4, lz4, 0, lz4.length, -1));
    byte[] lzo = fixture("words.lzo");
    assertArrayEquals(
        WORDS, Decompressor.expand(Compression.LZO, lzo, 0, lzo.length, WORDS.length));
  }

  @Test
  void ourLz4IsNoLargerThanTheOriginalTools() throws IOException {
    int ours = Compressor.compress(Compression.LZ4, WORDS, Compressor.Effort.SMALLEST).length;
    int theirs = fixture("words.lz4").length;
    assertTrue(ours <= theirs, ours + " bytes against " + theirs);
  }

  @Test
  void lz4RoundTripsAwkwardData() {
    Random random = new Random(42);
    for (int size : new int[] {0, 1, 4, 5, 11, 12, 13, 14, 255, 300, 70_000}) {
      for (int alphabet : new int[] {1, 2, 5, 256}) {
        byte[] data = new byte[size];
        for (int i = 0; i < size; i++) {
          data[i] = (byte) random.nextInt(alphabet);
        }
        byte[] stream = Compressor.compress(Compression.LZ4, data, Compressor.Effort.QUICK);
        assertArrayEquals(
            data, Decompressor.expand(Compression.LZ4, stream, 0, stream.length, size));
      }
    }
  }

  @Test
  void lz4CrossesItsBlockSize() {
    byte[] data = new byte[Lz4Legacy.BLOCK + 1_000_003];
    byte[] words = TestElf.words(5, 40_000);
    System.arraycopy(words, 0, data, 1000, words.length);
    System.arraycopy(words, 0, data, Lz4Legacy.BLOCK - 20_000, words.length);
    byte[] stream = Compressor.compress(Compression.LZ4, data, Compressor.Effort.QUICK);
    assertArrayEquals(data, Decompressor.expand(Compression.LZ4, stream, 0, stream.length, -1));
  }

  @Test
  void outputDependsOnInputAlone() {
    for (Compression kind :
        new Compression[] {Compression.GZIP, Compression.XZ, Compression.LZ4, Compression.ZSTD}) {
      assertArrayEquals(
          Compressor.compress(kind, WORDS, Compressor.Effort.QUICK),
          Compressor.compress(kind, WORDS, Compressor.Effort.QUICK));
    }
  }

  @Test
  void smallFileCannotClaimMuchMemory() {
    byte[] bomb =
        Compressor.compress(Compression.GZIP, new byte[40 << 20], Compressor.Effort.QUICK);
    ImageException e =
        assertThrows(
            ImageException.class,
            () -> Decompressor.expand(Compression.GZIP, bomb, 0, bomb.length, 1 << 20));
    assertTrue(e.getMessage().contains("more than 1048576 bytes"), e.getMessage());
    Output out = new Output(Decompressor.MAX_EXPANDED, 100);
    assertTrue(out.buffer.length <= 2 << 20);
    assertFalse(out.full());
  }

  @Test
  void unsupportedKindsAreNamed() {
    assertFalse(Compressor.supports(Compression.LZO));
    ImageException e =
        assertThrows(
            ImageException.class,
            () -> Compressor.compress(Compression.BZIP2, WORDS, Compressor.Effort.QUICK));
    assertTrue(e.getMessage().contains("bzip2"), e.getMessage());
  }
}
