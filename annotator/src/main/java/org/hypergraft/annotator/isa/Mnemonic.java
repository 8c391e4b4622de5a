package org.hypergraft.annotator.isa;

/** Instruction names. Replaced by the full list with the decoder. */
public enum Mnemonic {
  INVALID
}
