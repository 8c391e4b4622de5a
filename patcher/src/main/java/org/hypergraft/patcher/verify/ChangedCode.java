package org.hypergraft.patcher.verify;

import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.site.SiteIndex;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.rewrite.UndoLog;

/** The sites whose code a patch changed, decoded anew. */
final class ChangedCode {
  private static final String CHECK = "decode";

  private final GuestImage patched;
  private final SiteMap originalSites;
  private final SiteIndex index;
  private final int mode;
  private final BitSet changed = new BitSet();

  /** Payload offsets of code bytes that are in a changed site but start no instruction. */
  private final BitSet inside = new BitSet();

  ChangedCode(GuestImage patched, SiteMap originalSites, SiteIndex index) {
    this.patched = patched;
    this.originalSites = originalSites;
    this.index = index;
    mode = patched.elf().bits();
  }

  /** Called for every changed site. */
  interface Visitor {
    void site(int i, long address, int offset, int length);
  }

  void forEach(Visitor v) {
    for (int i = changed.nextSetBit(0); i >= 0; i = changed.nextSetBit(i + 1)) {
      long address = index.address(i);
      v.site(i, address, originalSites.code().offsetOf(address, index.length(i)), index.length(i));
    }
  }

  SiteIndex index() {
    return index;
  }

  /** Whether a payload offset is inside an instruction of a changed site. */
  boolean isInside(int offset) {
    return inside.get(offset);
  }

  /** Finds the changed sites and proves that each is a sequence of whole instructions. */
  void check(List<UndoLog.Run> runs, EmptiedTables emptied, Findings findings) {
    for (UndoLog.Run r : runs) {
      int at = r.offset();
      int end = at + r.before().length;
      while (at < end) {
        long address = patched.addressOf(at);
        if (!isCode(at) || emptied.isConstant(at)) {
          break; // table entries and constants: the other checks know them
        }
        int i = index.covering(address);
        if (i < 0) {
          findings.add(CHECK, address, "code was changed where no table allows it");
          break;
        }
        changed.set(i);
        at += (int) (index.address(i) + index.length(i) - address);
      }
    }
    Insn insn = new Insn();
    forEach((i, address, offset, length) -> decode(insn, address, offset, length, findings));
    findings.looked(CHECK, changed.cardinality());
  }

  private boolean isCode(int offset) {
    for (Section s : originalSites.code().sections()) {
      if (offset >= s.offset() && offset < s.offset() + s.size()) {
        return !s.writable() || index.covering(patched.addressOf(offset)) >= 0;
      }
    }
    return false;
  }

  private void decode(Insn insn, long address, int offset, int length, Findings findings) {
    byte[] b = patched.payload();
    inside.set(offset, offset + length);
    int at = offset;
    int end = offset + length;
    while (at < end) {
      inside.clear(at);
      int n = Decoder.decode(b, at, Math.min(b.length, at + 15), address + at - offset, mode, insn);
      if (n == 0 || (at + n > end && !continuesOriginal(at))) {
        findings.add(
            CHECK,
            address + at - offset,
            "%s of the site at 0x%x is no whole instruction"
                .formatted(HexFormat.of().formatHex(b, at, end), address));
        return;
      }
      at += n;
    }
  }

  /**
   * A lock prefix is a site of one byte at the start of a longer instruction; what follows is
   * unchanged.
   */
  private boolean continuesOriginal(int at) {
    int first = patched.payload()[at] & 0xff;
    return first == 0x3e || first == 0xf0;
  }
}
