package org.hypergraft.patcher.verify;

import java.util.HashMap;
import java.util.Map;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;

/**
 * The tables that {@link FunctionCode#PATCHING} of an image takes to be empty: it loads the same
 * address for start and end, one load right after the other.
 */
final class EmptiedTables {
  private final Map<Integer, String> fields = new HashMap<>();

  EmptiedTables(GuestImage image, SiteMap sites) {
    Map<Long, String> starts = new HashMap<>();
    for (SiteTable t : sites.tables()) {
      starts.put(t.extent().address(), t.name());
    }
    FunctionCode code = FunctionCode.of(image, FunctionCode.PATCHING);
    long previous = 0;
    int previousField = -1;
    for (Insn in = code.next(); in != null; in = code.next()) {
      long value = code.loadedAddress();
      int field = value == 0 ? -1 : code.offset() + in.immOffset;
      if (value != 0 && value == previous && starts.containsKey(value)) {
        fields.put(previousField, starts.get(value));
        fields.put(field, starts.get(value));
      }
      previous = value;
      previousField = field;
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
