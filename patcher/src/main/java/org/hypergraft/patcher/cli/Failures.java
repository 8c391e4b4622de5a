package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.patcher.rewrite.ConflictException;
import org.hypergraft.vmm.boot.BootException;

/** Turns what went wrong into one sentence and an exit status. */
final class Failures {
  /** A failure as the user sees it. */
  record Failure(ExitStatus status, String sentence) {}

  private Failures() {}

  static Failure of(Throwable thrown) {
    if (thrown instanceof CommandFailure known) {
      return new Failure(known.status(), known.getMessage());
    }
    if (thrown instanceof ImageException) {
      return new Failure(ExitStatus.INPUT, thrown.getMessage());
    }
    if (thrown instanceof ConflictException) {
      return new Failure(ExitStatus.FINDINGS, thrown.getMessage());
    }
    if (thrown instanceof BootException) {
      return new Failure(ExitStatus.INPUT, thrown.getMessage());
    }
    if (thrown instanceof IOException io) {
      return new Failure(ExitStatus.FILE, sentence("read", io));
    }
    if (thrown instanceof OutOfMemoryError) {
      long limit = Runtime.getRuntime().maxMemory() >> 20;
      return new Failure(
          ExitStatus.INTERNAL,
          "out of memory at a limit of "
              + limit
              + " MiB; HYPERGRAFT_JAVA_OPTS=-Xmx"
              + 2 * limit
              + "m raises it");
    }
    String what = thrown.getMessage() == null ? "" : ": " + thrown.getMessage();
    return new Failure(
        ExitStatus.INTERNAL,
        "internal error, "
            + thrown.getClass().getSimpleName()
            + what
            + "; run it again with --debug for the trace to report");
  }

  /** "cannot read FILE: reason" from what the file system said. */
  static String sentence(String verb, IOException e) {
    if (e instanceof FileSystemException file && file.getFile() != null) {
      return "cannot " + verb + " " + file.getFile() + ": " + reason(file);
    }
    if (e instanceof CharacterCodingException) {
      return "cannot " + verb + " the file as text: it is not UTF-8";
    }
    return e.getMessage() == null ? "cannot " + verb + " a file" : lowerFirst(e.getMessage());
  }

  static String reason(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NotDirectoryException) {
      return "not a folder";
    }
    if (e instanceof FileSystemException file && file.getReason() != null) {
      return lowerFirst(file.getReason());
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : lowerFirst(e.getMessage());
  }

  private static String lowerFirst(String s) {
    boolean word = s.length() > 1 && Character.isLowerCase(s.charAt(1));
    return word ? s.substring(0, 1).toLowerCase(Locale.ROOT) + s.substring(1) : s;
  }
}
