package org.hypergraft.annotator.image;

/** What the payload ELF was wrapped in. */
public sealed interface Container {
  /** Short lower-case name for people and for JSON. */
  String label();

  /**
   * A Linux boot image.
   *
   * @param header its setup header
   * @param compression of the payload
   * @param payloadOffset file offset of the payload
   * @param payloadLength bytes in the file, the trailing size word included where there is one; 0
   *     for a program without a payload, whose protected-mode code is all
   */
  record BzImage(SetupHeader header, Compression compression, int payloadOffset, int payloadLength)
      implements Container {
    @Override
    public String label() {
      return "bzImage";
    }
  }

  /** The ELF itself. */
  record Vmlinux() implements Container {
    @Override
    public String label() {
      return "vmlinux";
    }
  }

  /**
   * An ELF with a Multiboot header in its first 8 KiB (Multiboot Specification 0.6.96, 3.1).
   *
   * @param headerOffset payload offset of the header
   * @param flags requirement and layout bits
   */
  record Multiboot(int headerOffset, int flags) implements Container {
    @Override
    public String label() {
      return "multiboot";
    }
  }

  /**
   * A compressed file around another container.
   *
   * @param compression of the whole file
   * @param inner what the expanded bytes are
   */
  record Compressed(Compression compression, Container inner) implements Container {
    @Override
    public String label() {
      return "compressed " + inner.label();
    }
  }
}
