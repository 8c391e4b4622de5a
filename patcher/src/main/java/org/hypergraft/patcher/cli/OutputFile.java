package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/** Writes a whole file or none: a temporary file beside it, then a move over it. */
final class OutputFile {
  private static final int CHUNK = 1 << 20;

  private OutputFile() {}

  static void write(Path target, String text) {
    write(target, text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Writes {@code content} to {@code target}. A symbolic link is followed; a device or pipe is
   * written in place.
   *
   * @throws CommandFailure with the reason when it cannot be written; nothing is left behind then
   */
  static void write(Path target, byte[] content) {
    try {
      if (Files.isDirectory(target)) {
        throw new FileSystemException(target.toString(), null, "it is a folder");
      }
      Path real = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
      if (Files.exists(real) && !Files.isRegularFile(real)) {
        Files.write(real, content, StandardOpenOption.WRITE);
        return;
      }
      replace(real, content);
    } catch (IOException e) {
      throw new CommandFailure(
          ExitStatus.FILE, "cannot write " + target + ": " + Failures.reason(e));
    }
  }

  private static void replace(Path target, byte[] content) throws IOException {
    Path folder = target.getParent();
    if (!Files.isDirectory(folder)) {
      throw new FileSystemException(
          target.toString(), null, "there is no folder " + folder.toAbsolutePath());
    }
    Path temporary = Files.createTempFile(folder, "." + target.getFileName(), ".part");
    try {
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        // Java writes from a copy outside the heap, as large as the buffer it is given.
        for (int at = 0; at < content.length; ) {
          at += channel.write(ByteBuffer.wrap(content, at, Math.min(CHUNK, content.length - at)));
        }
      }
      // Temporary files are private; an output has the permissions any new file would have.
      Files.setPosixFilePermissions(
          temporary,
          Files.exists(target)
              ? Files.getPosixFilePermissions(target)
              : PosixFilePermissions.fromString("rw-r--r--"));
      try {
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
