package org.hypergraft.annotator.image;

/**
 * The input is no image this tool can work on. The message is one sentence for the user: what is
 * wrong, where, what was expected and what was found.
 */
public final class ImageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ImageException(String message) {
    super(message);
  }

  public ImageException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The same finding, said about the named input. */
  ImageException in(String name) {
    return new ImageException(name + ": " + getMessage(), this);
  }
}
