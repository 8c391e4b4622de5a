package org.hypergraft.patcher.cli;

/** What the exit status of the command means; part of its contract. */
enum ExitStatus {
  OK(0),
  /** A defect of this program, or memory that ran out. */
  INTERNAL(1),
  USAGE(2),
  /** The input is damaged or of a kind this program does not handle. */
  INPUT(3),
  /** The command completed and found something: differences, a failed check, an ABI conflict. */
  FINDINGS(4),
  /** The guest failed: panic, triple fault, no progress, budget spent. */
  GUEST(5),
  /** A file could not be read or written. */
  FILE(6);

  final int code;

  ExitStatus(int code) {
    this.code = code;
  }
}
