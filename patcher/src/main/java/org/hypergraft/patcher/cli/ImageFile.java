package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hypergraft.annotator.image.GuestImage;

/** Reads the images that users name: files, and pipes such as {@code <(zstd -dc ...)}. */
final class ImageFile {
  /**
   * What is read of a pipe or device before giving up; a kernel without debug information has less.
   */
  private static final int MAX_STREAM = 128 << 20;

  private ImageFile() {}

  static GuestImage read(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "it is a folder");
    }
    if (!Files.exists(path) || Files.isRegularFile(path)) {
      return GuestImage.read(path);
    }
    try (InputStream in = Files.newInputStream(path)) {
      byte[] content = in.readNBytes(MAX_STREAM);
      if (content.length == MAX_STREAM) {
        throw new FileSystemException(
            path.toString(), null, "it goes on after " + (MAX_STREAM >> 20) + " MiB");
      }
      return GuestImage.parse(content, path.toString());
    }
  }
}
