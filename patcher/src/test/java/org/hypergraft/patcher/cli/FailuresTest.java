package org.hypergraft.patcher.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.hypergraft.annotator.image.ImageException;
import org.junit.jupiter.api.Test;

class FailuresTest {
  @Test
  void filesAreNamedWithTheReason() {
    says(ExitStatus.FILE, "cannot read k: no such file", new NoSuchFileException("k"));
    says(ExitStatus.FILE, "cannot read k: permission denied", new AccessDeniedException("k"));
    says(
        ExitStatus.FILE,
        "cannot read k: too many levels of symbolic links",
        new FileSystemException("k", null, "Too many levels of symbolic links"));
    says(ExitStatus.FILE, "input/output error", new IOException("Input/output error"));
  }

  @Test
  void typedFailuresKeepTheirSentence() {
    says(ExitStatus.INPUT, "k: a JPEG", new ImageException("k: a JPEG"));
    says(ExitStatus.FINDINGS, "mixed", new CommandFailure(ExitStatus.FINDINGS, "mixed"));
  }

  @Test
  void anythingElseIsADefectOfOurs() {
    Failures.Failure failure = Failures.of(new IndexOutOfBoundsException("Index 7"));
    assertEquals(ExitStatus.INTERNAL, failure.status());
    assertTrue(
        failure.sentence().startsWith("internal error, IndexOutOfBoundsException: Index 7; "));
    assertEquals(ExitStatus.INTERNAL, Failures.of(new OutOfMemoryError()).status());
  }

  private static void says(ExitStatus status, String sentence, Throwable thrown) {
    assertEquals(new Failures.Failure(status, sentence), Failures.of(thrown));
  }
}
