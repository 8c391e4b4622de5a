package org.hypergraft.annotator.image;

import java.util.Arrays;
import java.util.List;

/** Writes an image with a changed payload in the container the original came in. */
public final class ImageWriter {
  /** A written image. */
  public static final class Result {
    private final byte[] file;
    private final List<String> notes;

    Result(byte[] file, List<String> notes) {
      this.file = file;
      this.notes = List.copyOf(notes);
    }

    /** The bytes of the new file; the caller's. */
    public byte[] file() {
      return file;
    }

    /** What changed besides the payload, a phrase each; for the user. */
    public List<String> notes() {
      return notes;
    }
  }

  private ImageWriter() {}

  /**
   * The original's file with another payload. An unchanged payload gives back the original bytes.
   * The result has been read again and its payload compared.
   *
   * @param original image the payload was taken from
   * @param payload ELF and relocation tail
   * @throws ImageException when the payload is no image, does not fit where the old one was, or is
   *     compressed in a way this tool does not write
   */
  public static Result rebuild(GuestImage original, byte[] payload) {
    if (Arrays.equals(original.payload(), payload)) {
      return new Result(original.original().clone(), List.of());
    }
    try {
      Result result = rebuild(original.original(), original.container(), payload);
      check(result.file(), payload);
      return result;
    } catch (ImageException e) {
      throw e.in(original.name());
    }
  }

  private static Result rebuild(byte[] file, Container container, byte[] payload) {
    if (container instanceof Container.BzImage bzImage) {
      return BzImageWriter.repack(file, bzImage, payload);
    }
    if (container instanceof Container.Compressed compressed) {
      if (compressed.inner() instanceof Container.BzImage inner) {
        byte[] expanded = Decompressor.expand(compressed.compression(), file, 0, file.length, -1);
        Result result = BzImageWriter.repack(expanded, inner, payload);
        return new Result(compress(compressed, result.file()), result.notes());
      }
      return new Result(compress(compressed, payload), List.of());
    }
    return new Result(payload.clone(), List.of());
  }

  private static byte[] compress(Container.Compressed container, byte[] bytes) {
    return Compressor.compress(container.compression(), bytes, Compressor.Effort.QUICK);
  }

  private static void check(byte[] file, byte[] payload) {
    GuestImage again = GuestImage.parse(file, "the image just written");
    if (!Arrays.equals(again.payload(), payload)) {
      throw new ImageException("the image just written does not read back as what was written");
    }
  }
}
