package org.hypergraft.annotator.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.hypergraft.annotator.image.Relocations.Entry;
import org.hypergraft.annotator.image.Relocations.Kind;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ImageWriterTest {
  private static final byte[] ELF =
      TestElf.withTail(TestElf.small(true), new int[] {(int) TestElf.TEXT + 0x220}, new int[0]);

  /** Where TestElf puts the lengths that a boot stub carries, after the payload. */
  private static final int STUB = 32;

  private static byte[] boot(Compression kind) throws IOException {
    byte[] stream =
        switch (kind) {
          case GZIP, XZ, LZ4, ZSTD -> Compressor.compress(kind, ELF, Compressor.Effort.SMALLEST);
          default -> CompressionTest.compress(kind, ELF);
        };
    return TestElf.bzImage(stream, kind == Compression.GZIP ? -1 : ELF.length);
  }

  /** Text made simpler, so that it compresses better, and one relocation fewer. */
  private static byte[] changed(GuestImage image) {
    byte[] payload =
        image
            .relocations()
            .edited(List.of(new Entry(Kind.ABSOLUTE_64, TestElf.TEXT + 0x220)), List.of())
            .appendTo(image.payload());
    Arrays.fill(payload, 0x240, 0x1800, (byte) 0);
    return payload;
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"GZIP", "XZ", "LZ4", "ZSTD"})
  void changedPayloadGoesBackIntoItsBootImage(Compression kind) throws IOException {
    GuestImage image = GuestImage.parse(boot(kind), "boot");
    Container.BzImage old = (Container.BzImage) image.container();
    byte[] payload = changed(image);
    ImageWriter.Result result = ImageWriter.rebuild(image, payload);

    GuestImage again = GuestImage.parse(result.file(), "again");
    Container.BzImage now = (Container.BzImage) again.container();
    assertArrayEquals(payload, again.payload());
    assertEquals(kind, now.compression());
    assertEquals(0, again.relocations().count(Kind.ABSOLUTE_64));
    assertEquals(image.original().length, result.file().length);
    assertTrue(now.payloadLength() < old.payloadLength());

    // The stub's own copy of both lengths follows.
    int stub = old.payloadOffset() + old.payloadLength() + STUB;
    assertEquals(now.payloadLength(), LittleEndian.s32(result.file(), stub));
    assertEquals(payload.length, LittleEndian.s32(result.file(), stub + 4));
    // The buffer grows by at least what the payload's end moved down, less what it expands to.
    long more = now.header().initSize() - old.header().initSize();
    int needed = old.payloadLength() - now.payloadLength() + payload.length - ELF.length;
    assertTrue(more >= needed && more % 4096 == 0, more + " for " + needed);

    assertArrayEquals(result.file(), ImageWriter.rebuild(image, payload).file());
  }

  @Test
  void unchangedPayloadGivesTheOriginalBytes() throws IOException {
    byte[] file = boot(Compression.LZO);
    GuestImage image = GuestImage.parse(file, "boot");
    ImageWriter.Result result = ImageWriter.rebuild(image, image.payload().clone());
    assertArrayEquals(file, result.file());
    assertEquals(List.of(), result.notes());
  }

  @Test
  void otherContainersAreRebuilt() throws IOException {
    GuestImage plain = GuestImage.parse(ELF, "vmlinux");
    byte[] payload = changed(plain);
    assertArrayEquals(payload, ImageWriter.rebuild(plain, payload).file());
    for (byte[] inside : new byte[][] {ELF, boot(Compression.LZ4)}) {
      GuestImage packed =
          GuestImage.parse(CompressionTest.compress(Compression.GZIP, inside), "packed");
      GuestImage again = GuestImage.parse(ImageWriter.rebuild(packed, payload).file(), "again");
      assertArrayEquals(payload, again.payload());
      assertEquals(packed.container().label(), again.container().label());
    }
  }

  @Test
  void whatCannotBeWrittenIsRefused() throws IOException {
    GuestImage image = GuestImage.parse(boot(Compression.LZ4), "boot");
    byte[] noise = ELF.clone();
    Random random = new Random(1);
    for (int i = 0x300; i < 0x1300; i++) {
      noise[i] = (byte) random.nextInt();
    }
    refused(image, noise, "more than the bzImage has room for");
    refused(image, new byte[100], "expected an ELF");

    GuestImage bzip2 = GuestImage.parse(boot(Compression.BZIP2), "boot");
    refused(bzip2, changed(bzip2), "writing bzip2 payloads is not supported");

    byte[] twice = Arrays.copyOf(boot(Compression.LZ4), boot(Compression.LZ4).length + 16);
    Container.BzImage c = (Container.BzImage) image.container();
    LittleEndian.put32(twice, c.payloadOffset() + c.payloadLength() + 48, c.payloadLength());
    GuestImage ambiguous = GuestImage.parse(twice, "boot");
    refused(ambiguous, changed(ambiguous), "found 1 pairs, 2 and 1 alone");
  }

  private static void refused(GuestImage image, byte[] payload, String part) {
    String message =
        assertThrows(ImageException.class, () -> ImageWriter.rebuild(image, payload)).getMessage();
    assertTrue(message.startsWith("boot: ") && message.contains(part), message);
  }

  /** A PE header in the setup code, a checksum at the end, and signatures behind it. */
  private static byte[] signed() throws IOException {
    byte[] plain = boot(Compression.LZ4);
    byte[] file = Arrays.copyOf(plain, plain.length + 64);
    ByteBuffer b = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int pe = 0x80;
    b.put(0, (byte) 'M').put(1, (byte) 'Z').putInt(0x3c, pe).putInt(pe, 0x4550);
    b.putShort(pe + 24, (short) 0x20b).putInt(pe + 24 + 108, 6);
    b.putInt(0x230, 0x200000);
    b.putInt(pe + 28, 0x5ffe00).putInt(pe + 80, 0x400000 + 0x200000);
    CRC32 crc = new CRC32();
    crc.update(file, 0, plain.length - 4);
    b.putInt(plain.length - 4, ~(int) crc.getValue());
    b.putInt(pe + 88, 0x1234);
    b.putInt(pe + 24 + 112 + 32, plain.length).putInt(pe + 24 + 112 + 36, 64);
    return file;
  }

  @Test
  void signatureIsDroppedAndChecksumFollows() throws IOException {
    byte[] file = signed();
    GuestImage image = GuestImage.parse(file, "boot");
    byte[] payload = image.payload().clone();
    Arrays.fill(payload, 0x240, 0x1800, (byte) 0);
    ImageWriter.Result result = ImageWriter.rebuild(image, payload);
    byte[] out = result.file();
    assertEquals(file.length - 64, out.length);
    assertTrue(result.notes().get(0).contains("signature dropped"), result.notes().toString());
    PeHeader pe = PeHeader.find(out);
    assertEquals(0, LittleEndian.u64(out, pe.certificates()));
    assertEquals(0, LittleEndian.s32(out, pe.checkSum()));
    CRC32 crc = new CRC32();
    crc.update(out, 0, out.length - 4);
    assertEquals(~(int) crc.getValue(), LittleEndian.s32(out, out.length - 4));
    long initSize = LittleEndian.u32(out, SetupHeader.INIT_SIZE);
    assertTrue(initSize > 0x400000);
    assertEquals(initSize + 0x200000, LittleEndian.u32(out, pe.sizeOfImage()));
    assertEquals(
        0x200, LittleEndian.u32(out, pe.sizeOfImage()) - LittleEndian.u32(out, pe.sizeOfCode()));
  }

  @Test
  void realKernelIsRepacked() {
    GuestImage image = Kernels.image("6.1 cloud");
    byte[] payload = image.payload().clone();
    Section text = image.section(".text").orElseThrow();
    Arrays.fill(payload, text.offset() + 0x1000, text.offset() + 0x2000, (byte) 0xcc);
    ImageWriter.Result result = ImageWriter.rebuild(image, payload);
    GuestImage again = GuestImage.parse(result.file(), "again");
    assertArrayEquals(payload, again.payload());
    assertEquals(image.banner(), again.banner());
    CRC32 crc = new CRC32();
    crc.update(result.file(), 0, result.file().length - 4);
    assertEquals(~(int) crc.getValue(), LittleEndian.s32(result.file(), result.file().length - 4));
  }
}
