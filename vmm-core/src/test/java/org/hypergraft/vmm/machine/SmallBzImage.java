package org.hypergraft.vmm.machine;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import org.hypergraft.annotator.image.GuestImage;

/** Assembles bzImages with one sector of real-mode code and a few bytes at the other entries. */
final class SmallBzImage {
  /** Where the real-mode code starts in its segment, behind the setup header. */
  static final int CODE = 0x270;

  private static final int PROTECTED_MODE = 0x400;
  private static final int PAYLOAD = 0x300;

  private final ByteArrayOutputStream realMode = new ByteArrayOutputStream();
  private byte[] entry32 = {};
  private byte[] entry64 = {};

  /** Appends real-mode code; blanks are ignored. */
  SmallBzImage code(String hex) {
    realMode.writeBytes(bytes(hex));
    return this;
  }

  /** Code at the 32-bit entry. */
  SmallBzImage entry32(String hex) {
    entry32 = bytes(hex);
    return this;
  }

  /** Code at the 64-bit entry. */
  SmallBzImage entry64(String hex) {
    entry64 = bytes(hex);
    return this;
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  /** Without a kernel packed inside: the code at the entries is all. */
  GuestImage standAlone() {
    byte[] file = image().original().clone();
    Arrays.fill(file, 0x248, 0x250, (byte) 0);
    return GuestImage.parse(file, "small program");
  }

  GuestImage image() {
    byte[] elf = new SmallGuest().powerOff().image().original();
    int payload = PROTECTED_MODE + PAYLOAD;
    ByteBuffer b = ByteBuffer.allocate(payload + elf.length).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0x1f1, (byte) 1).putShort(0x1fe, (short) 0xaa55);
    b.putShort(0x200, (short) (0xeb | CODE - 0x202 << 8)); // JMP to the code
    b.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII)).putShort(0x206, (short) 0x20f);
    b.put(0x211, (byte) 1).putInt(0x214, 0x100000).putInt(0x22c, 0x7fffffff);
    b.putInt(0x230, 0x200000).put(0x234, (byte) 1).putShort(0x236, (short) 1);
    b.putInt(0x238, 255).putInt(0x248, PAYLOAD).putInt(0x24c, elf.length);
    b.putLong(0x258, 0x100000).putInt(0x260, 0x10000);
    b.put(CODE, realMode.toByteArray());
    b.put(PROTECTED_MODE, entry32).put(PROTECTED_MODE + 0x200, entry64);
    b.put(payload, elf);
    return GuestImage.parse(b.array(), "small bzImage");
  }
}
