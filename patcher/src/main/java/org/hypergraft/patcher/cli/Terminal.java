package org.hypergraft.patcher.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/** Where a command's data and messages go. */
final class Terminal {
  private final PrintStream out;
  private final PrintWriter outWriter;
  private final PrintWriter errWriter;
  private final Progress progress;

  Terminal(PrintStream out, PrintStream err) {
    this.out = out;
    outWriter = new PrintWriter(out, false, StandardCharsets.UTF_8);
    errWriter = new PrintWriter(err, true, StandardCharsets.UTF_8);
    // The launcher knows whether standard error is a terminal; the JVM cannot ask.
    progress = new Progress(err, "terminal".equals(System.getProperty("hypergraft.progress")));
  }

  /** Data, as characters. Not to be mixed with {@link #out} without a flush between. */
  PrintWriter outWriter() {
    return outWriter;
  }

  PrintWriter errWriter() {
    return errWriter;
  }

  /** Data, as bytes: a guest's console. */
  PrintStream out() {
    outWriter.flush();
    return out;
  }

  Progress progress() {
    return progress;
  }

  void complain(String who, String sentence) {
    progress.clear();
    outWriter.flush();
    errWriter.println(who + ": " + sentence);
  }

  /** A message for the person, not part of the data. */
  void note(String sentence) {
    progress.clear();
    errWriter.println(sentence);
  }

  void flush() {
    outWriter.flush();
    out.flush();
    errWriter.flush();
  }
}
