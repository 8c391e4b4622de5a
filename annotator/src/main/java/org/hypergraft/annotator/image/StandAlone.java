package org.hypergraft.annotator.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Programs in the format of a bzImage that are no packed kernel, such as Memtest86+: the protected
 * mode code is the program. So that they can be looked at and booted like the others, an ELF with
 * one segment is put in front of the code.
 */
final class StandAlone {
  private static final int ENTRY_64 = 0x200;
  private static final int MACHINE_386 = 3;
  private static final int MACHINE_X86_64 = 62;
  private static final int READ_WRITE_EXECUTE = 7;

  private StandAlone() {}

  /** Whether an image says that it has no payload: neither where it is nor how long. */
  static boolean is(SetupHeader header) {
    return header.payloadOffset() == 0 && header.payloadLength() == 0;
  }

  /** The ELF, which enters the code as Linux's boot protocols do. */
  static byte[] elf(SetupHeader header, byte[] file) {
    int from = header.protectedModeOffset();
    if (from >= file.length) {
      throw new ImageException(
          "truncated bzImage: its code starts at byte 0x%x, but the file has 0x%x"
              .formatted(from, file.length));
    }
    boolean wide = header.has64BitEntry();
    int headers = wide ? 64 + 56 : 52 + 32;
    int size = file.length - from;
    int load = (int) header.code32Start();
    int memory = (int) Math.max(size, Math.min(header.initSize(), Integer.MAX_VALUE));
    ByteBuffer b = ByteBuffer.allocate(headers + size).order(ByteOrder.LITTLE_ENDIAN);
    // Identification, executable, version 1.
    b.put(new byte[] {0x7f, 'E', 'L', 'F', (byte) (wide ? 2 : 1), 1, 1}).position(16);
    b.putShort((short) 2).putShort((short) (wide ? MACHINE_X86_64 : MACHINE_386)).putInt(1);
    if (wide) {
      b.putLong(load + ENTRY_64).putLong(64).putLong(0).putInt(0);
      b.putShort((short) 64).putShort((short) 56).putShort((short) 1).position(64);
      b.putInt(Segment.PT_LOAD).putInt(READ_WRITE_EXECUTE).putLong(headers);
      b.putLong(load).putLong(load).putLong(size).putLong(memory).putLong(1);
    } else {
      b.putInt(load).putInt(52).putInt(0).putInt(0);
      b.putShort((short) 52).putShort((short) 32).putShort((short) 1).position(52);
      b.putInt(Segment.PT_LOAD).putInt(headers).putInt(load).putInt(load);
      b.putInt(size).putInt(memory).putInt(READ_WRITE_EXECUTE).putInt(1);
    }
    b.position(headers);
    b.put(file, from, size);
    return b.array();
  }
}
