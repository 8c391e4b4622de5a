package org.hypergraft.patcher.validate;

/**
 * Something that keeps a validation from passing.
 *
 * @param kind what went wrong
 * @param sentence for people
 */
public record Finding(Kind kind, String sentence) {
  /** What a finding is about. */
  public enum Kind {
    /** The output contradicts itself or its original. */
    VERIFICATION,
    /** Bytes of the output are not what the kernel makes of itself. */
    BYTES,
    /** The two boots behave differently. */
    BEHAVIOUR,
    /** A guest died or did not come to its end. */
    GUEST
  }
}
