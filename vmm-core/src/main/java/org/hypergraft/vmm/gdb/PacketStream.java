package org.hypergraft.vmm.gdb;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Packets of the remote serial protocol: framing, checksums, acknowledgements, escapes (GDB manual,
 * E.1). What is garbled is refused or skipped, never an error.
 */
final class PacketStream {
  /** Largest packet in either direction: the most that gdb accepts to be told. */
  static final int MAX_PACKET = 16_384;

  private static final int INTERRUPT = 3;
  private static final int ESCAPE = '}';
  private static final int FLIP = 0x20;

  /** Something that came in. */
  sealed interface Event {}

  /** A packet with a correct checksum; escapes are resolved. */
  record Packet(byte[] data) implements Event {
    /** The data as {@link PacketStream#text} has it. */
    String text() {
      return PacketStream.text(data);
    }
  }

  /** Ctrl-C. */
  record Interrupt() implements Event {}

  /** The other side has gone. */
  record Closed() implements Event {}

  private final InputStream in;
  private final OutputStream out;
  private boolean acknowledge = true;
  private byte[] lastSent = {};

  /**
   * @param in buffered; its {@code available} counts the end of the input as something to read
   */
  PacketStream(InputStream in, OutputStream out) {
    this.in = in;
    this.out = out;
  }

  /** Bytes as characters 0 to 255, in which packets are composed and taken apart. */
  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** From now on packets are not acknowledged. */
  void noAcknowledgements() {
    acknowledge = false;
  }

  /** Whether something can be read without waiting. */
  boolean pending() throws IOException {
    return in.available() > 0;
  }

  /** Waits for the next event. */
  Event read() throws IOException {
    while (true) {
      int c = in.read();
      switch (c) {
        case -1 -> {
          return new Closed();
        }
        case INTERRUPT -> {
          return new Interrupt();
        }
        case '-' -> {
          if (acknowledge) {
            out.write(lastSent);
            out.flush();
          }
        }
        case '$' -> {
          byte[] data = body();
          if (data != null) {
            return new Packet(data);
          }
        }
        default -> {} // '+', and noise
      }
    }
  }

  /** The rest of a packet, or null if it is not acceptable. */
  private byte[] body() throws IOException {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    int sum = 0;
    int length = 0;
    boolean escaped = false;
    int c;
    while ((c = in.read()) != '#') {
      if (c < 0) {
        return null;
      }
      if (c == '$') { // the packet before was cut off
        data.reset();
        sum = 0;
        length = 0;
        escaped = false;
        continue;
      }
      sum += c;
      if (++length > MAX_PACKET) {
        continue; // read to its end, and refuse it
      }
      if (c == ESCAPE && !escaped) {
        escaped = true;
      } else {
        data.write(escaped ? c ^ FLIP : c);
        escaped = false;
      }
    }
    int high = Character.digit(in.read(), 16);
    int low = Character.digit(in.read(), 16);
    boolean good = high >= 0 && low >= 0 && (sum & 0xff) == (high << 4 | low);
    good &= !escaped && length <= MAX_PACKET;
    if (acknowledge) {
      out.write(good ? '+' : '-');
      out.flush();
    }
    return good ? data.toByteArray() : null;
  }

  /** Sends a packet of characters 0 to 255, escaping what would be taken for framing. */
  void send(String text) throws IOException {
    ByteArrayOutputStream packet = new ByteArrayOutputStream(text.length() + 4);
    packet.write('$');
    int sum = 0;
    for (int i = 0; i < text.length(); i++) {
      int b = text.charAt(i);
      if (b == '$' || b == '#' || b == ESCAPE || b == '*') {
        packet.write(ESCAPE);
        sum += ESCAPE;
        b ^= FLIP;
      }
      packet.write(b);
      sum += b;
    }
    packet.write('#');
    packet.write(Character.forDigit(sum >> 4 & 15, 16));
    packet.write(Character.forDigit(sum & 15, 16));
    lastSent = packet.toByteArray();
    out.write(lastSent);
    out.flush();
  }
}
