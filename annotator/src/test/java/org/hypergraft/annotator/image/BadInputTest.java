package org.hypergraft.annotator.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is no kernel is refused with one sentence that says what was found and where. */
class BadInputTest {
  private static void refused(byte[] file, String... parts) {
    String message =
        assertThrows(ImageException.class, () -> GuestImage.parse(file, "in.img")).getMessage();
    assertTrue(message.startsWith("in.img: "), message);
    assertFalse(message.contains("\n"), message);
    for (String part : parts) {
      assertTrue(message.contains(part), message + " should mention " + part);
    }
  }

  private static byte[] elf(boolean wide, Consumer<ByteBuffer> damage) {
    byte[] b = TestElf.small(wide);
    damage.accept(ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN));
    return b;
  }

  private static byte[] padded(int size, int... start) {
    byte[] out = new byte[size];
    for (int i = 0; i < start.length; i++) {
      out[i] = (byte) start[i];
    }
    return out;
  }

  @Test
  void otherFilesAreNamed() {
    refused(new byte[0], "an empty file");
    refused(padded(4000, 0xff, 0xd8, 0xff, 0xe0), "a JPEG picture");
    refused("#!/bin/sh\necho hello\n".getBytes(StandardCharsets.US_ASCII), "text");
    refused(padded(600, 1, 2, 3), "bytes that start with 01 02 03");
    refused(padded(3, 0), "bytes that start with 00 00 00");
    byte[] sector = new byte[1024];
    sector[0x1fe] = 0x55;
    sector[0x1ff] = (byte) 0xaa;
    refused(sector, "a boot sector", "HdrS");
  }

  @Test
  void otherArchitecturesAreNamed() {
    byte[] arm = new byte[4096];
    arm[0] = 'M';
    arm[1] = 'Z';
    arm[0x38] = 'A';
    arm[0x39] = 'R';
    arm[0x3a] = 'M';
    arm[0x3b] = 0x64;
    refused(arm, "an AArch64 Linux boot image");
    refused(elf(true, b -> b.putShort(18, (short) 183)), "AArch64", "x86-64");
    refused(elf(true, b -> b.put(5, (byte) 2)), "byte order");
    byte[] pe = new byte[4096];
    ByteBuffer.wrap(pe)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0x3c, 0x80)
        .putInt(0x80, 0x4550)
        .putShort(0x84, (short) 0xaa64);
    pe[0] = 'M';
    pe[1] = 'Z';
    refused(pe, "PE executable for AArch64");
    byte[] gz = Compressor.compress(Compression.GZIP, arm, Compressor.Effort.QUICK);
    refused(gz, "inside the gzip data", "an AArch64 Linux boot image");
  }

  @Test
  void otherElfFilesAreNamed() {
    refused(elf(true, b -> b.putShort(16, (short) 1)), "object file");
    refused(elf(true, b -> b.putInt(64, 3)), "user program");
    refused(elf(true, b -> b.putShort(56, (short) 0)), "without program headers");
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    byte[] elf = TestElf.small(true);
    for (int n = 0; n < elf.length; n++) {
      byte[] cut = Arrays.copyOf(elf, n);
      assertThrows(ImageException.class, () -> GuestImage.parse(cut, "cut"));
    }
    byte[] stream = CompressionTest.compress(Compression.XZ, elf);
    byte[] boot = TestElf.bzImage(stream, elf.length);
    int payloadEnd = 1024 + 0x40 + stream.length + 4;
    for (int n = 0; n < payloadEnd; n++) {
      byte[] cut = Arrays.copyOf(boot, n);
      assertThrows(ImageException.class, () -> GuestImage.parse(cut, "cut"));
    }
    refused(Arrays.copyOf(boot, payloadEnd - 100), "truncated bzImage", "0x440");
  }

  @Test
  void wildOffsetsAndCountsAreRefused() {
    refused(elf(true, b -> b.putLong(40, 1L << 62)), "section header table", "0x4000000000000000");
    refused(elf(true, b -> b.putLong(40, -8)), "section header table");
    refused(elf(true, b -> b.putShort(60, (short) 0xfffe)), "65534 section headers");
    refused(elf(true, b -> b.putShort(60, (short) 0xfe00)), "section header table");
    refused(elf(true, b -> b.putShort(58, (short) 8)), "64 bytes, found 8");
    refused(elf(true, b -> b.putShort(62, (short) 77)), "name table is section 77");
    refused(elf(true, b -> b.putLong(32, Long.MAX_VALUE)), "program header table");
    refused(elf(true, b -> b.putLong(72, 1 << 30)), "segment 0");
    refused(elf(true, b -> b.putLong(96, -1L)), "segment 0");
    refused(elf(true, b -> b.putLong(104, 1L << 50)), "segment 0");
    refused(elf(false, b -> b.putInt(32, -1)), "section header table");
    refused(elf(false, b -> b.putInt(68, -1)), "segment 0");
  }

  @Test
  void damagedBootImagesAreRefused() throws IOException {
    byte[] elf = TestElf.small(true);
    byte[] stream = CompressionTest.compress(Compression.ZSTD, elf);
    byte[] good = TestElf.bzImage(stream, elf.length);
    byte[] old = good.clone();
    old[0x206] = 7;
    old[0x207] = 2;
    refused(old, "boot protocol 2.07 at 0x206");
    byte[] empty = good.clone();
    Arrays.fill(empty, 0x24c, 0x250, (byte) 0);
    refused(empty, "payload_length at 0x24c is 0");
    byte[] program = empty.clone();
    Arrays.fill(program, 0x248, 0x24c, (byte) 0);
    program[0x1f1] = 100;
    refused(program, "truncated bzImage: its code starts at byte 0xca00");
    byte[] huge = good.clone();
    Arrays.fill(huge, 0x24c, 0x250, (byte) 0xff);
    refused(huge, "truncated bzImage");
    byte[] unknown = good.clone();
    Arrays.fill(unknown, 0x440, 0x446, (byte) 0x11);
    refused(unknown, "0x440", "11 11 11 11 11 11");
    refused(TestElf.bzImage(stream, elf.length + 1), "but its size word says " + (elf.length + 1));
    refused(TestElf.bzImage(stream, 0x7fffffff), "more than the limit");
    byte[] damaged = good.clone();
    for (int i = 0x440 + 20; i < 0x440 + 60; i++) {
      damaged[i] ^= 0x55;
    }
    refused(damaged, "damaged zstd payload");
    byte[] words = TestElf.words(1, 5000);
    byte[] notElf = TestElf.bzImage(CompressionTest.compress(Compression.XZ, words), words.length);
    refused(notElf, "expected an ELF");
  }

  @Test
  void damagedRelocationTailsAreRefused() throws IOException {
    byte[] elf = TestElf.small(true);
    int field = (int) TestElf.TEXT + 0x220;
    int[] one = {field};
    check(TestElf.withTail(elf, one), "has 1 runs");
    check(TestElf.withTail(elf, one, one, one, one), "more than 3 runs");
    check(TestElf.withTail(elf, one, new int[] {0x1234}), "ABSOLUTE_32", "outside every loaded");
    check(Arrays.copyOf(TestElf.withTail(elf, one, one), elf.length + 7), "tail of 7 bytes");
    byte[] noZero = TestElf.withTail(elf, one, one);
    noZero[elf.length] = 1;
    check(noZero, "starting with 0");
  }

  private static void check(byte[] payload, String... parts) throws IOException {
    byte[] stream = CompressionTest.compress(Compression.LZ4, payload);
    refused(TestElf.bzImage(stream, payload.length), parts);
  }

  @Test
  void compressedTwiceIsRefused() throws IOException {
    byte[] once = CompressionTest.compress(Compression.GZIP, TestElf.small(true));
    refused(
        CompressionTest.compress(Compression.XZ, once),
        "inside the xz data",
        "gzip data once more");
  }

  @Test
  void nestedTypesDoNotExplode() {
    // A structure of 60,000 members that are each a structure of 60,000 empty structures.
    int n = 60_000;
    ByteBuffer b = ByteBuffer.allocate(24 + 3 * 12 + 2 * 12 * n + 4).order(ByteOrder.LITTLE_ENDIAN);
    b.putShort((short) 0xeb9f).put((byte) 1).put((byte) 0).putInt(24);
    b.putInt(0).putInt(3 * 12 + 2 * 12 * n).putInt(3 * 12 + 2 * 12 * n).putInt(4);
    b.putInt(1).putInt(4 << 24 | n).putInt(8);
    for (int i = 0; i < n; i++) {
      b.putInt(1).putInt(2).putInt(0);
    }
    b.putInt(0).putInt(4 << 24 | n).putInt(8);
    for (int i = 0; i < n; i++) {
      b.putInt(1).putInt(3).putInt(0);
    }
    b.putInt(0).putInt(4 << 24).putInt(0).put(new byte[] {0, 's', 0, 0});
    byte[] elf = TestElf.elf64().section(".BTF", 1, 2, b.array()).build();
    Btf btf = GuestImage.parse(elf, "nested").btf().orElseThrow();
    ImageException e = assertThrows(ImageException.class, () -> btf.structMembers("s"));
    assertTrue(e.getMessage().contains("more than"), e.getMessage());
  }

  @Test
  void multibootHeaderIsRecognized() {
    byte[] elf = TestElf.small(false);
    ByteBuffer b = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(0x400, 0x1badb002).putInt(0x404, 3).putInt(0x408, -(0x1badb002 + 3));
    Container container = GuestImage.parse(elf, "multiboot").container();
    assertEquals(new Container.Multiboot(0x400, 3), container);
    b.putInt(0x408, 0);
    assertEquals(new Container.Vmlinux(), GuestImage.parse(elf, "not").container());
  }

  @Test
  void overlappingNotesAreBounded() {
    TestElf builder = TestElf.elf64().section(".text", 1, 6, new byte[16]);
    byte[] note = TestElf.note("X", 1, new byte[9 << 20]);
    byte[] elf = builder.section(".note.a", 7, 2, note).section(".note.b", 7, 2, note).build();
    GuestImage image = GuestImage.parse(elf, "notes");
    assertThrows(ImageException.class, image::notes);
  }

  @Test
  void readersStayInsideTheImage() {
    GuestImage image = GuestImage.parse(TestElf.small(true), "small");
    long end = TestElf.TEXT + image.elf().segments().get(0).fileSize();
    assertEquals(-1, image.offsetOf(end));
    assertEquals(-1, image.offsetOf(TestElf.TEXT - 1));
    assertThrows(ImageException.class, () -> image.u64(end - 7));
    assertThrows(ImageException.class, () -> image.bytes(TestElf.TEXT, -1));
    assertThrows(ImageException.class, () -> image.bytes(TestElf.TEXT, Integer.MAX_VALUE));
    assertEquals(image.payload()[5], image.u8(TestElf.TEXT + 5));
    assertEquals(TestElf.TEXT + 5, image.addressOf(5));
  }

  @Test
  void directoriesAndMissingFilesAreIoErrors(@TempDir Path folder) throws IOException {
    assertThrows(IOException.class, () -> GuestImage.read(folder.resolve("none")));
    assertThrows(IOException.class, () -> GuestImage.read(folder));
    Path file = Files.write(folder.resolve("photo.jpg"), TestElf.small(true));
    assertEquals("vmlinux", GuestImage.read(file).container().label());
  }
}
