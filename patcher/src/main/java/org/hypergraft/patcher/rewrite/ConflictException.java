package org.hypergraft.patcher.rewrite;

/**
 * The image is committed to something that contradicts what is asked. The message is one sentence
 * for the user.
 */
public final class ConflictException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ConflictException(String message) {
    super(message);
  }
}
