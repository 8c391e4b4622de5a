package org.hypergraft.annotator.image;

import java.nio.charset.StandardCharsets;

/** One ELF note: who wrote it, what kind, and its bytes. */
public final class Note {
  private final String owner;
  private final int type;
  private final int offset;
  private final byte[] description;

  Note(String owner, int type, int offset, byte[] description) {
    this.owner = owner;
    this.type = type;
    this.offset = offset;
    this.description = description;
  }

  /** The name field without its NUL, such as {@code Xen} or {@code GNU}. */
  public String owner() {
    return owner;
  }

  /** Meaning depends on the owner. */
  public int type() {
    return type;
  }

  /** Payload offset of the description. */
  public int offset() {
    return offset;
  }

  /** A copy of the description bytes. */
  public byte[] bytes() {
    return description.clone();
  }

  public int length() {
    return description.length;
  }

  /**
   * The description as a little-endian number of 4 or 8 bytes.
   *
   * @throws ImageException when it has another length
   */
  public long number() {
    return switch (description.length) {
      case 4 -> LittleEndian.u32(description, 0);
      case 8 -> LittleEndian.u64(description, 0);
      default ->
          throw new ImageException(
              "%s note of type %d holds %d bytes, not a number of 4 or 8"
                  .formatted(owner, type, description.length));
    };
  }

  /** The description as text, up to its first NUL. */
  public String text() {
    int n = 0;
    while (n < description.length && description[n] != 0) {
      n++;
    }
    return new String(description, 0, n, StandardCharsets.ISO_8859_1);
  }

  @Override
  public String toString() {
    return "%s/%d[%d]".formatted(owner, type, description.length);
  }
}
