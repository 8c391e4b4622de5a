package org.hypergraft.annotator.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** File helpers of the image tests. */
final class GuestImageFiles {
  private GuestImageFiles() {}

  /** The first bytes of a file. */
  static byte[] head(Path file, int length) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(length);
    }
  }
}
