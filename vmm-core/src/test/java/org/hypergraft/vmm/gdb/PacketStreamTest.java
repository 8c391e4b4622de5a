package org.hypergraft.vmm.gdb;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PacketStreamTest {
  private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

  private PacketStream stream(String input) {
    return new PacketStream(new ByteArrayInputStream(input.getBytes(ISO_8859_1)), sent);
  }

  /** What comes in, as text. */
  private List<String> events(PacketStream stream) throws IOException {
    List<String> all = new ArrayList<>();
    while (true) {
      PacketStream.Event e = stream.read();
      if (e instanceof PacketStream.Packet p) {
        all.add(p.text());
      } else if (e instanceof PacketStream.Interrupt) {
        all.add("interrupt");
      } else {
        return all;
      }
    }
  }

  @Test
  void goodPacketsAreAcknowledgedAndBadOnesRefused() throws IOException {
    assertEquals(
        List.of("OK", "interrupt", "g"), events(stream("+noise$OK#9a\3$OK#9b$OK#zz$g#67")));
    assertEquals("+--+", sent.toString(ISO_8859_1));
  }

  @Test
  void withoutAcknowledgementsNothingIsSent() throws IOException {
    PacketStream stream = stream("$OK#9a$OK#00");
    stream.noAcknowledgements();
    assertEquals(List.of("OK"), events(stream));
    assertEquals("", sent.toString(ISO_8859_1));
  }

  @Test
  void aPacketThatIsCutOffBeginsAnew() throws IOException {
    assertEquals(List.of("g"), events(stream("$m1234$g#67")));
    assertEquals(List.of(), events(stream("$g#6")));
    assertEquals(List.of(), events(stream("$never ends")));
  }

  @Test
  void escapesGoBothWays() throws IOException {
    // } # $ * escaped by the sender
    assertEquals(List.of("}#"), events(stream("$}]}\3#5a".replace("\3", "\u0003"))));
    sent.reset();
    PacketStream stream = stream("");
    stream.send("}#$*a");
    assertEquals("$}]}\u0003}\u0004}\na#%02x".formatted(checksum("}]}\u0003}\u0004}\na")), sent());
    assertArrayEquals(
        new byte[] {'}', '#', '$', '*', 'a'}, ((PacketStream.Packet) stream(sent()).read()).data());
  }

  private String sent() {
    return sent.toString(ISO_8859_1);
  }

  private static int checksum(String s) {
    return s.chars().sum() & 0xff;
  }

  @Test
  void aRefusedReplyIsSentAgain() throws IOException {
    PacketStream stream = stream("-+");
    stream.send("OK");
    assertEquals(List.of(), events(stream));
    assertEquals("$OK#9a$OK#9a", sent());
  }

  @Test
  void tooLongPacketsAreRefusedWithoutBeingKept() throws IOException {
    String data = "a".repeat(PacketStream.MAX_PACKET + 1);
    assertEquals(List.of("g"), events(stream("$" + data + "#%02x$g#67".formatted(checksum(data)))));
    assertEquals("-+", sent());
  }
}
