package org.hypergraft.vmm.gdb;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** The other side of the protocol, with no code in common with the stub. */
final class RspClient implements AutoCloseable {
  private static final int TIMEOUT_MS = 60_000;

  private final Socket socket = new Socket();
  private boolean acknowledge = true;

  RspClient(InetSocketAddress address) throws IOException {
    socket.connect(address);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MS);
  }

  void raw(String bytes) throws IOException {
    socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  static String framed(String data) {
    int sum = 0;
    for (int i = 0; i < data.length(); i++) {
      sum += data.charAt(i);
    }
    return "$%s#%02x".formatted(data, sum & 0xff);
  }

  /** The next byte. */
  int next() throws IOException {
    return socket.getInputStream().read();
  }

  /** The next packet, its checksum proven; "closed" at the end of the connection. */
  String receive() throws IOException {
    int c;
    while ((c = next()) != '$') {
      if (c < 0) {
        return "closed";
      }
      assertEquals('+', c);
    }
    StringBuilder raw = new StringBuilder();
    StringBuilder data = new StringBuilder();
    while ((c = next()) != '#') {
      raw.append((char) c);
      if (c == '}') {
        c = next();
        raw.append((char) c);
        c ^= 0x20;
      }
      data.append((char) c);
    }
    String sum = "" + (char) next() + (char) next();
    assertEquals(framed(raw.toString()).substring(raw.length() + 2), sum);
    if (acknowledge) {
      raw("+");
    }
    return data.toString();
  }

  String ask(String data) throws IOException {
    raw(framed(data));
    return receive();
  }

  void withoutAcknowledgements() throws IOException {
    assertEquals("OK", ask("QStartNoAckMode"));
    acknowledge = false;
  }

  /** What a monitor command prints. */
  String monitor(String command) throws IOException {
    String answer = ask("qRcmd," + hex(command));
    StringBuilder text = new StringBuilder();
    for (; answer.startsWith("O") && !answer.equals("OK"); answer = receive()) {
      text.append(new String(HexFormat.of().parseHex(answer.substring(1)), StandardCharsets.UTF_8));
    }
    assertEquals("OK", answer);
    return text.toString();
  }

  static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A little-endian register by its number. */
  long register(int number) throws IOException {
    byte[] b = HexFormat.of().parseHex(ask("p" + Integer.toHexString(number)));
    long v = 0;
    for (int i = Math.min(8, b.length) - 1; i >= 0; i--) {
      v = v << 8 | (b[i] & 0xff);
    }
    return v;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
