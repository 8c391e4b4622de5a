package org.hypergraft.vmm.machine;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.hypergraft.annotator.image.GuestImage;

/** Assembles guests of a few 32-bit instructions that enter by PVH, as ELF files. */
public final class SmallGuest {
  /** Where the code is loaded. */
  public static final int LOAD = 0x100000;

  private static final int NOTE = 64 + 2 * 56;
  private static final int CODE = NOTE + 24;

  private final ByteArrayOutputStream code = new ByteArrayOutputStream();

  /** Appends machine code; blanks are ignored. */
  public SmallGuest code(String hex) {
    code.writeBytes(HexFormat.of().parseHex(hex.replace(" ", "")));
    return this;
  }

  /** Writes text to the serial port: REP OUTSB from a string that the code jumps over. */
  public SmallGuest print(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    int at = LOAD + code.size() + 5;
    code("e9").word(bytes.length);
    code.writeBytes(bytes);
    code("be").word(at);
    code("b9").word(bytes.length);
    return code("66 ba f8 03 f3 6e");
  }

  /** OUT DX, AL. */
  public SmallGuest out(int port, int value) {
    return code("ba").word(port).code("b8").word(value).code("ee");
  }

  public SmallGuest powerOff() {
    return code("ba").word(0x604).code("b8").word(5 << 10 | 1 << 13).code("66 ef f4");
  }

  private SmallGuest word(int value) {
    code.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    return this;
  }

  public GuestImage image() {
    int size = CODE + code.size();
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    b.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    b.putShort((short) 2).putShort((short) 62).putInt(1);
    b.putLong(LOAD).putLong(64).putLong(0).putInt(0);
    b.putShort((short) 64).putShort((short) 56).putShort((short) 2);
    b.position(64);
    segment(b, 1, CODE, LOAD, code.size());
    segment(b, 4, NOTE, 0, 24);
    b.position(NOTE);
    b.putInt(4).putInt(4).putInt(18).put("Xen\0".getBytes(StandardCharsets.US_ASCII));
    b.putInt(LOAD).putInt(0);
    b.position(CODE);
    b.put(code.toByteArray());
    return GuestImage.parse(b.array(), "small guest");
  }

  private static void segment(ByteBuffer b, int type, int offset, long address, int size) {
    b.putInt(type).putInt(7).putLong(offset).putLong(address).putLong(address);
    b.putLong(size).putLong(size).putLong(1);
  }
}
