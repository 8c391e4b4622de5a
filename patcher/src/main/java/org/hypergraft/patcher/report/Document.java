package org.hypergraft.patcher.report;

import java.io.PrintWriter;

/** A result in its two forms. */
public interface Document {
  /** Prints it for a person. */
  void text(PrintWriter out);

  /** The same as data; keys always in the same order. */
  Json json();
}
