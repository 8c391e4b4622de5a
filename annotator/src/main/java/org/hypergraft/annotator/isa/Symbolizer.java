package org.hypergraft.annotator.isa;

/** Names addresses in formatted instructions. */
@FunctionalInterface
public interface Symbolizer {
  /** Knows no names. */
  Symbolizer NONE = address -> null;

  /** Text such as {@code native_write_cr3+0x4}, or null when the address has no name. */
  String at(long address);
}
