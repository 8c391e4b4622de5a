package org.hypergraft.patcher.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TerminalTest {
  /** JSON is UTF-8, and has a guest's console in it: in the locale POSIX, too. */
  @Test
  void writesUtf8WhateverTheLocale() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8));
    terminal.outWriter().print("k\u00e9rnel");
    terminal.errWriter().print("\u2192");
    terminal.flush();
    assertArrayEquals(
        new byte[] {'k', (byte) 0xc3, (byte) 0xa9, 'r', 'n', 'e', 'l'}, out.toByteArray());
    assertArrayEquals("\u2192".getBytes(StandardCharsets.UTF_8), err.toByteArray());
  }
}
