package org.hypergraft.patcher.verify;

import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.OrcTable;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * The ORC unwinding tables fit the changed code: wherever an instruction of a changed site starts,
 * the entry in force counts the bytes that the site has pushed so far.
 *
 * <p>5.10 is not checked: there the build tools do not know what the paravirtual sites become, and
 * the kernel's own patching leaves the same gaps.
 */
final class UnwindCheck {
  private static final String CHECK = "unwinding";

  private final GuestImage image;
  private final Findings findings;
  private final OrcTable table;
  private int looked;

  UnwindCheck(GuestImage image, Findings findings) {
    this.image = image;
    this.findings = findings;
    table = OrcTable.of(image).orElse(null);
  }

  void run(ChangedCode changed, boolean sitesKnownToBuild) {
    if (!sitesKnownToBuild || table == null) {
      return;
    }
    Insn in = new Insn();
    changed.forEach((i, address, offset, length) -> site(in, address, offset, length));
    findings.looked(CHECK, looked);
  }

  private void site(Insn in, long address, int offset, int length) {
    int row = table.covering(address);
    OrcTable.Row first = row < 0 ? null : table.row(row);
    if (first == null || first.frame() != OrcTable.Base.SP) {
      return; // unwound by the frame pointer, or not at all
    }
    if (callsItself(in, address, offset, length)) {
      return; // stuffs the return stack buffer: pushes in a loop and cleans up, which has its hints
    }
    looked++;
    int pushed = 0;
    int at = 0;
    while (at < length) {
      int n =
          Decoder.decode(
              image.payload(), offset + at, offset + length, address + at, image.elf().bits(), in);
      if (n == 0) {
        return;
      }
      if (at > 0) {
        OrcTable.Row here = table.row(table.covering(address + at));
        int counted = here.frameOffset() - first.frameOffset();
        if (here.frame() == OrcTable.Base.SP && counted != pushed) {
          findings.add(
              CHECK,
              address + at,
              "%d bytes are pushed here, but the unwinding table counts %d"
                  .formatted(pushed, counted));
          return;
        }
      }
      int change = stackChange(in);
      if (change == Integer.MIN_VALUE || isEnd(in)) {
        return;
      }
      pushed += change;
      at += n;
    }
  }

  private boolean callsItself(Insn in, long address, int offset, int length) {
    int at = 0;
    while (at < length) {
      int n =
          Decoder.decode(
              image.payload(), offset + at, offset + length, address + at, image.elf().bits(), in);
      if (n == 0) {
        return false;
      }
      if (in.mnemonic == Mnemonic.CALL
          && in.kind[0] == Insn.REL
          && in.imm >= address
          && in.imm < address + length) {
        return true;
      }
      at += n;
    }
    return false;
  }

  /** Whether what follows is reached from elsewhere, if at all. */
  private static boolean isEnd(Insn in) {
    return in.mnemonic == Mnemonic.JMP
        || in.mnemonic == Mnemonic.RET
        || in.mnemonic == Mnemonic.INT3
        || in.mnemonic == Mnemonic.UD2;
  }

  /** Bytes that an instruction pushes; MIN_VALUE when it sets the stack pointer some other way. */
  private static int stackChange(Insn in) {
    return switch (in.mnemonic) {
      case PUSH, PUSHF -> 8;
      case POP, POPF -> -8;
      case ADD, SUB, MOV, LEA, AND, XCHG, LEAVE, ENTER ->
          in.operands > 0 && in.kind[0] == Insn.GPR && in.reg[0] == 4 ? Integer.MIN_VALUE : 0;
      default -> 0;
    };
  }
}
