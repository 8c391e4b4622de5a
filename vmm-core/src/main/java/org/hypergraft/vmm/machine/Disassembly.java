package org.hypergraft.vmm.machine;

import org.hypergraft.annotator.isa.Insn;

/** One decoded instruction as text with the kernel's symbols. */
final class Disassembly {
  private Disassembly() {}

  static String of(Insn insn, KernelPlace place) {
    return insn.mnemonic.toString();
  }
}
