package org.hypergraft.patcher.verify;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;

/**
 * The tables that {@code alternative_instructions()} of an image takes to be empty: it loads the
 * same address for start and end, one load right after the other.
 */
final class EmptiedTables {
  private static final int MAX_FUNCTION = 4096;

  private final Map<Integer, String> fields = new HashMap<>();

  EmptiedTables(GuestImage image, SiteMap sites) {
    Map<Long, String> starts = new HashMap<>();
    for (SiteTable t : sites.tables()) {
      starts.put(t.extent().address(), t.name());
    }
    Optional<Symbol> f = image.symbols().find("alternative_instructions");
    int size = (int) Math.min(f.map(Symbol::size).orElse(0L), MAX_FUNCTION);
    int offset = size == 0 ? -1 : sites.code().offsetOf(f.get().address(), size);
    if (offset < 0) {
      return;
    }
    Insn in = new Insn();
    boolean wide = image.is64Bit();
    long previous = 0;
    int previousField = -1;
    for (int at = 0; at < size; ) {
      int n =
          Decoder.decode(
              image.payload(),
              offset + at,
              offset + size,
              f.get().address() + at,
              wide ? 64 : 32,
              in);
      if (n == 0) {
        return;
      }
      boolean load =
          in.mnemonic == Mnemonic.MOV && in.kind[0] == Insn.GPR && in.kind[1] == Insn.IMM;
      long value = load ? (wide ? in.imm : in.imm & 0xffff_ffffL) : 0;
      int field = load ? offset + at + in.immOffset : -1;
      if (load && previousField >= 0 && value == previous && starts.containsKey(value)) {
        fields.put(previousField, starts.get(value));
        fields.put(field, starts.get(value));
      }
      previous = value;
      previousField = field;
      at += n;
    }
  }

  /** Whether a payload offset lies in a constant that makes a table empty. */
  boolean isConstant(int offset) {
    for (int i = 0; i < 4; i++) {
      if (fields.containsKey(offset - i)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the kernel takes the table to be empty. */
  boolean contains(String table) {
    return fields.containsValue(table);
  }
}
