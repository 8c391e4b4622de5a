package org.hypergraft.vmm.gdb;

import java.nio.ByteBuffer;
import java.util.Arrays;
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

  /** Answers a vFile packet, given without {@code vFile:}, in characters 0 to 255. */
  String answer(String request) {
    int colon = request.indexOf(':');
    String operation = colon < 0 ? request : request.substring(0, colon);
    String[] arguments = request.substring(colon + 1).split(",");
    return switch (operation) {
      case "setfs" -> "F0";
      case "open" -> open(arguments[0]);
      case "close" -> descriptor(arguments[0]) ? "F0" : BAD_DESCRIPTOR;
      case "fstat" -> descriptor(arguments[0]) ? stat() : BAD_DESCRIPTOR;
      case "pread" ->
          arguments.length == 3 && descriptor(arguments[0])
              ? read(Hex.number(arguments[1]), Hex.number(arguments[2]))
              : BAD_DESCRIPTOR;
      default -> "";
    };
  }

  private boolean descriptor(String number) {
    return content != null && Hex.number(number) == DESCRIPTOR;
  }

  private String open(String hexName) {
    if (!Hex.text(hexName).equals(NAME)) {
      return NO_ENTRY;
    }
    if (content == null) {
      content = make.get();
    }
    return "F" + DESCRIPTOR;
  }

  /** struct stat of the protocol, big-endian. */
  private String stat() {
    ByteBuffer b = ByteBuffer.allocate(64);
    b.putInt(0).putInt(0).putInt(MODE).putInt(1).putInt(0).putInt(0).putInt(0);
    b.putLong(content.length).putLong(512).putLong((content.length + 511) / 512);
    return "F%x;".formatted(b.capacity()) + PacketStream.text(b.array());
  }

  private String read(long count, long offset) {
    if (count < 0 || offset < 0) {
      return INVALID;
    }
    int from = (int) Math.min(offset, content.length);
    // escapes may double the size
    int n =
        (int) Math.min(Math.min(count, content.length - from), PacketStream.MAX_PACKET / 2 - 16);
    return "F%x;".formatted(n) + PacketStream.text(Arrays.copyOfRange(content, from, from + n));
  }
}
