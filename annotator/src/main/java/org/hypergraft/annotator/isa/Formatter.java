package org.hypergraft.annotator.isa;

import java.util.Objects;

/** Assembly text of a decoded instruction, laid out as binutils objdump prints it. */
public final class Formatter {
  private static final Syntax INTEL = new IntelSyntax();
  private static final Syntax ATT = new AttSyntax();

  private Formatter() {}

  /** Intel syntax: destination first, sizes as {@code DWORD PTR}. */
  public static String intel(Insn in, Symbolizer symbols) {
    return INTEL.format(in, Objects.requireNonNull(symbols));
  }

  /** AT&T syntax: source first, sizes as mnemonic suffixes where no register tells them. */
  public static String att(Insn in, Symbolizer symbols) {
    return ATT.format(in, Objects.requireNonNull(symbols));
  }
}
