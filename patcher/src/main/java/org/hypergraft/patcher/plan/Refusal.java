package org.hypergraft.patcher.plan;

/** A site cannot become what the facts ask for. The message is the reason, for people. */
final class Refusal extends Exception {
  private static final long serialVersionUID = 1L;

  Refusal(String reason) {
    super(reason, null, false, false);
  }
}
