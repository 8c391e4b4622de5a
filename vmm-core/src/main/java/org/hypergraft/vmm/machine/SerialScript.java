package org.hypergraft.vmm.machine;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A scripted session on the serial console, deterministic like the machine. One step per line:
 *
 * <pre>
 * expect TEXT   wait until the guest has printed TEXT since the last match
 * send TEXT     type TEXT and the Enter key
 * # comment
 * </pre>
 *
 * <p>{@code \r \n \t \e \\} and {@code \xHH} stand for characters in TEXT. The guest's echo of what
 * is typed counts as printed. A script that ends with {@code expect} ends the run there; after a
 * last {@code send} the guest goes on to its own end.
 */
public final class SerialScript implements SerialPeer {
  private static final int ENTER = '\r';
  private static final int ESCAPE = 0x1b;

  /** The most output that is kept to be matched. */
  private static final int MAX_TEXT = 4096;

  private enum Kind {
    EXPECT,
    SEND
  }

  private record Step(Kind kind, byte[] text, int line, String source) {}

  private final List<Step> steps;
  private final Matcher matcher = new Matcher();
  private int next;

  private SerialScript(List<Step> steps) {
    this.steps = steps;
    aim();
  }

  /**
   * Reads a script.
   *
   * @throws IllegalArgumentException with one sentence naming the line that is wrong
   */
  public static SerialScript parse(List<String> lines) {
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).stripLeading();
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      String[] words = line.split(" ", 2);
      Kind kind =
          switch (words[0].toLowerCase(Locale.ROOT)) {
            case "expect" -> Kind.EXPECT;
            case "send" -> Kind.SEND;
            default -> throw wrong(i, "expected \"expect TEXT\" or \"send TEXT\"", line);
          };
      byte[] text = unescape(words.length == 2 ? words[1] : "", i);
      if (kind == Kind.EXPECT && (text.length == 0 || text.length > MAX_TEXT)) {
        throw wrong(i, "expected a text of 1 to " + MAX_TEXT + " bytes", line);
      }
      steps.add(new Step(kind, text, i + 1, line));
    }
    if (steps.isEmpty()) {
      throw new IllegalArgumentException("the script has no step");
    }
    return new SerialScript(steps);
  }

  private static IllegalArgumentException wrong(int index, String expected, String found) {
    return new IllegalArgumentException(
        "script line %d: %s, found \"%s\"".formatted(index + 1, expected, found));
  }

  private static byte[] unescape(String text, int line) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] in = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < in.length; i++) {
      if (in[i] != '\\') {
        out.write(in[i]);
        continue;
      }
      i++;
      switch (i < in.length ? in[i] : 0) {
        case 'r' -> out.write('\r');
        case 'n' -> out.write('\n');
        case 't' -> out.write('\t');
        case 'e' -> out.write(ESCAPE);
        case '\\' -> out.write('\\');
        case 'x' -> {
          int high = i + 2 < in.length ? Character.digit(in[i + 1], 16) : -1;
          int low = i + 2 < in.length ? Character.digit(in[i + 2], 16) : -1;
          if (high < 0 || low < 0) {
            throw wrong(line, "expected two hexadecimal digits after \\x", text);
          }
          out.write(high << 4 | low);
          i += 2;
        }
        default -> throw wrong(line, "expected one of r n t e \\ xHH after a backslash", text);
      }
    }
    return out.toByteArray();
  }

  @Override
  public void received(int b) {
    if (waiting() && matcher.feed((byte) b)) {
      next++;
      aim();
    }
  }

  /** Looks for the text of the next step, if it waits for one. */
  private void aim() {
    if (waiting()) {
      matcher.seek(steps.get(next).text);
    }
  }

  private boolean waiting() {
    return next < steps.size() && steps.get(next).kind == Kind.EXPECT;
  }

  @Override
  public byte[] type() {
    ByteArrayOutputStream typed = new ByteArrayOutputStream();
    while (next < steps.size() && steps.get(next).kind == Kind.SEND) {
      typed.writeBytes(steps.get(next).text);
      typed.write(ENTER);
      next++;
      aim();
    }
    return typed.toByteArray();
  }

  @Override
  public boolean hungUp() {
    return next == steps.size() && steps.get(next - 1).kind == Kind.EXPECT;
  }

  /** The step that the guest has not fulfilled, for a message; empty when all are done. */
  public String unmet() {
    return next == steps.size()
        ? ""
        : "script line %d is not reached or not fulfilled: %s"
            .formatted(steps.get(next).line, steps.get(next).source);
  }

  /** Finds a text in a stream of bytes (Knuth, Morris and Pratt). */
  private static final class Matcher {
    private byte[] text = {};

    /** Length of the longest border of each prefix of the text. */
    private int[] borders = {};

    private int matched;

    void seek(byte[] newText) {
      text = newText;
      borders = new int[text.length + 1];
      for (int i = 1, k = 0; i < text.length; i++) {
        while (k > 0 && text[i] != text[k]) {
          k = borders[k];
        }
        k += text[i] == text[k] ? 1 : 0;
        borders[i + 1] = k;
      }
      matched = 0;
    }

    boolean feed(byte b) {
      while (matched > 0 && text[matched] != b) {
        matched = borders[matched];
      }
      matched += text[matched] == b ? 1 : 0;
      return matched == text.length;
    }
  }
}
