package org.hypergraft.patcher.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;

/** The code of {@code alternative_instructions()}, as far as it tells which tables it applies. */
final class PatchingCode {
  /** The function, by its symbol. */
  static final String FUNCTION = "alternative_instructions";

  /** Applies the call thunks; it loads the table's borders itself. */
  private static final String CALL_THUNKS = "callthunks_patch_builtin_calls";

  /** It has some 300 bytes. */
  private static final int MAX_FUNCTION = 4096;

  /**
   * A place where the function hands a table over.
   *
   * @param stage what the table is for
   * @param endField payload offset of the 32-bit constant that is the table's end; -1 when none
   */
  record Step(Stage stage, int endField) {}

  private PatchingCode() {}

  /** The steps in the order of the code; empty when the image does not tell where it is. */
  static List<Step> read(SiteMap sites) {
    List<Step> out = new ArrayList<>();
    Optional<Symbol> f = sites.image().symbols().find(FUNCTION);
    int size = (int) Math.min(f.map(Symbol::size).orElse(0L), MAX_FUNCTION);
    int offset = size <= 0 ? -1 : sites.code().offsetOf(f.get().address(), size);
    if (offset < 0) {
      return out;
    }
    long address = f.get().address();
    long thunks = sites.image().symbols().find(CALL_THUNKS).map(Symbol::address).orElse(0L);
    boolean wide = sites.image().is64Bit();
    byte[] b = sites.image().payload();
    Insn in = new Insn();
    long previous = 0;
    int previousField = -1;
    for (int at = 0; at < size; ) {
      int n = Decoder.decode(b, offset + at, offset + size, address + at, wide ? 64 : 32, in);
      if (n == 0) {
        break;
      }
      if (thunks != 0
          && in.mnemonic == Mnemonic.CALL
          && in.kind[0] == Insn.REL
          && in.imm == thunks) {
        out.add(new Step(Stage.CALLS, -1));
      }
      boolean load =
          in.mnemonic == Mnemonic.MOV
              && in.operands == 2
              && in.kind[0] == Insn.GPR
              && in.kind[1] == Insn.IMM
              && in.immSize == 4;
      long value = load ? (wide ? in.imm : in.imm & 0xffff_ffffL) : 0;
      int field = load ? offset + at + in.immOffset : -1;
      if (load && previousField >= 0) {
        addTable(sites, previous, previousField, value, field, out);
      }
      previous = value;
      previousField = field;
      at += n;
    }
    return out;
  }

  /** Two constants loaded one after the other are a table if they are its start and its end. */
  private static void addTable(
      SiteMap sites, long first, int firstField, long second, int secondField, List<Step> out) {
    for (Stage stage : Stage.values()) {
      Optional<? extends SiteTable> table = stage.table(sites);
      if (table.isEmpty()) {
        continue;
      }
      long start = table.get().extent().address();
      long end = table.get().extent().end();
      if (first == end && second == start) {
        out.add(new Step(stage, firstField));
      } else if (first == start && second == end) {
        out.add(new Step(stage, secondField));
      }
    }
  }
}
