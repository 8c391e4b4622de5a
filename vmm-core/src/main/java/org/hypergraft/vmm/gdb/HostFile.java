package org.hypergraft.vmm.gdb;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.Supplier;

/**
 * The one file that gdb may read from here: the kernel's symbols. So no file has to be given to gdb
 * (GDB manual, E.7 "Host I/O Packets").
 */
final class HostFile {
  /** Its name. */
  static final String NAME = "/kernel-symbols";

  private static final int DESCRIPTOR = 3;

  // Errors of the protocol, GDB manual E.13.8.
  private static final String NO_ENTRY = "F-1,2";
  private static final String BAD_DESCRIPTOR = "F-1,9";
  private static final String INVALID = "F-1,16";

  /** S_IFREG, readable by all; GDB manual E.13.8 "mode_t Values". */
  private static final int MODE = 0100444;

  private final Supplier<byte[]> make;
  private byte[] content;

  HostFile(Supplier<byte[]> make) {
    this.make = make;
  }

  /** Answers a vFile packet, given without {@code vFile:}. */
  byte[] answer(String request) {
    int colon = request.indexOf(':');
    String operation = colon < 0 ? request : request.substring(0, colon);
    String[] arguments = request.substring(colon + 1).split(",");
    return switch (operation) {
      case "setfs" -> text("F0");
      case "open" -> open(arguments[0]);
      case "close" -> text(descriptor(arguments[0]) ? "F0" : BAD_DESCRIPTOR);
      case "fstat" -> descriptor(arguments[0]) ? stat() : text(BAD_DESCRIPTOR);
      case "pread" ->
          arguments.length == 3 && descriptor(arguments[0])
              ? read(Hex.number(arguments[1]), Hex.number(arguments[2]))
              : text(BAD_DESCRIPTOR);
      default -> new byte[0];
    };
  }

  private static byte[] text(String s) {
    return s.getBytes(StandardCharsets.ISO_8859_1);
  }

  private boolean descriptor(String number) {
    return content != null && Hex.number(number) == DESCRIPTOR;
  }

  private byte[] open(String hexName) {
    String name = new String(HexFormat.of().parseHex(hexName), StandardCharsets.ISO_8859_1);
    if (!name.equals(NAME)) {
      return text(NO_ENTRY);
    }
    if (content == null) {
      content = make.get();
    }
    return text("F" + DESCRIPTOR);
  }

  /** struct stat of the protocol, big-endian. */
  private byte[] stat() {
    ByteBuffer b = ByteBuffer.allocate(64);
    b.putInt(0).putInt(0).putInt(MODE).putInt(1).putInt(0).putInt(0).putInt(0);
    b.putLong(content.length).putLong(512).putLong((content.length + 511) / 512);
    return join("F%x;".formatted(b.capacity()), b.array());
  }

  private byte[] read(long count, long offset) {
    if (count < 0 || offset < 0) {
      return text(INVALID);
    }
    int from = (int) Math.min(offset, content.length);
    // escapes may double the size
    int n =
        (int) Math.min(Math.min(count, content.length - from), PacketStream.MAX_PACKET / 2 - 16);
    return join("F%x;".formatted(n), Arrays.copyOfRange(content, from, from + n));
  }

  private static byte[] join(String head, byte[] data) {
    byte[] start = text(head);
    byte[] all = Arrays.copyOf(start, start.length + data.length);
    System.arraycopy(data, 0, all, start.length, data.length);
    return all;
  }
}
