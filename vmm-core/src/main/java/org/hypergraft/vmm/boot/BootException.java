package org.hypergraft.vmm.boot;

/** The image cannot be booted as asked. The message is one sentence for the user. */
public final class BootException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BootException(String message) {
    super(message);
  }
}
