package org.hypergraft.patcher.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StandardOutputTest {
  @Test
  void passesEverythingOnInOrder() throws IOException {
    byte[] data = new byte[300_000];
    new Random(1).nextBytes(data);
    ByteArrayOutputStream target = new ByteArrayOutputStream();
    StandardOutput out = new StandardOutput(target);
    int at = 0;
    for (int length : new int[] {1, 65_535, 65_536, 65_537, 100_000}) {
      out.write(data, at, length);
      at += length;
      out.write(data[at++]);
    }
    out.write(data, at, data.length - at);
    out.flush();
    assertArrayEquals(data, target.toByteArray());
    assertNull(out.failure());
  }

  @Test
  void remembersTheFirstFailure() {
    StandardOutput full = new StandardOutput(failing("No space left on device"));
    full.asPrintStream().println("x");
    full.flush();
    assertEquals("No space left on device", full.failure().getMessage());
    assertFalse(full.readerLeft());
    StandardOutput closed = new StandardOutput(failing("Broken pipe"));
    closed.write(1);
    closed.flush();
    assertTrue(closed.readerLeft());
  }

  private static OutputStream failing(String message) {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        throw new IOException(message);
      }
    };
  }
}
