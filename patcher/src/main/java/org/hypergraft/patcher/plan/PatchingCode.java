package org.hypergraft.patcher.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;

/** The code of {@link FunctionCode#PATCHING}, as far as it tells which tables it applies. */
final class PatchingCode {
  /** Applies the call thunks; it loads the table's borders itself. */
  private static final String CALL_THUNKS = "callthunks_patch_builtin_calls";

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
    long thunks = sites.image().symbols().find(CALL_THUNKS).map(Symbol::address).orElse(0L);
    FunctionCode code = FunctionCode.of(sites.image(), FunctionCode.PATCHING);
    long previous = 0;
    int previousField = -1;
    for (Insn in = code.next(); in != null; in = code.next()) {
      if (thunks != 0
          && in.mnemonic == Mnemonic.CALL
          && in.kind[0] == Insn.REL
          && in.imm == thunks) {
        out.add(new Step(Stage.CALLS, -1));
      }
      long value = code.loadedAddress();
      int field = value == 0 ? -1 : code.offset() + in.immOffset;
      if (value != 0 && previous != 0) {
        addTable(sites, previous, previousField, value, field, out);
      }
      previous = value;
      previousField = field;
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
