package org.hypergraft.patcher.cli;

/** Ends a command with a status and one sentence for the user. */
final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final ExitStatus status;

  CommandFailure(ExitStatus status, String sentence) {
    super(sentence);
    this.status = status;
  }

  /** A command that was asked for what does not make sense. */
  static CommandFailure usage(String sentence) {
    return new CommandFailure(ExitStatus.USAGE, sentence);
  }

  ExitStatus status() {
    return status;
  }
}
