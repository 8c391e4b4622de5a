package org.hypergraft.patcher.verify;

import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;

/**
 * In changed sites the relocation tail names exactly the fields that need it: every entry is a
 * displacement or immediate of the right size, and every reference to absolute per-CPU data has
 * one.
 */
final class RelocationCheck {
  private static final String CHECK = "relocations";

  private final GuestImage image;
  private final Relocations tail;
  private final Findings findings;
  private final long perCpuSize;
  private int fields;

  RelocationCheck(GuestImage image, Findings findings) {
    this.image = image;
    this.findings = findings;
    tail = image.relocations();
    Optional<Section> perCpu = image.section(".data..percpu");
    perCpuSize =
        perCpu.filter(s -> s.address() == 0 && image.is64Bit()).map(Section::size).orElse(0L);
  }

  void run(ChangedCode changed) {
    if (tail.layout() == Relocations.Layout.NONE) {
      return;
    }
    Insn in = new Insn();
    changed.forEach((i, address, offset, length) -> site(in, address, offset, length));
    findings.looked(CHECK, fields);
  }

  private void site(Insn in, long address, int offset, int length) {
    List<Relocations.Entry> entries = tail.overlapping(address, address + length);
    int matched = 0;
    byte[] b = image.payload();
    int at = 0;
    while (at < length) {
      int n = Decoder.decode(b, offset + at, offset + length, address + at, image.elf().bits(), in);
      if (n == 0) {
        return; // the decoding check says so
      }
      for (Relocations.Entry e : entries) {
        long in1 = e.address() - in.ip;
        boolean displacement = in.dispSize == e.kind().size() && in1 == in.dispOffset;
        boolean immediate = in.immSize == e.kind().size() && in1 == in.immOffset;
        boolean inverse = e.kind() == Relocations.Kind.INVERSE_32;
        if ((displacement && (in.base == Insn.RIP) == inverse)
            || (immediate && !inverse && !isBranch(in))) {
          matched++;
        }
      }
      if (perCpuSize > 0
          && in.base == Insn.RIP
          && Long.compareUnsigned(in.ripTarget(), perCpuSize) < 0
          && !tail.contains(Relocations.Kind.INVERSE_32, in.ip + in.dispOffset)) {
        findings.add(
            CHECK,
            in.ip,
            "refers to per-CPU data at 0x%x, but the relocation tail does not name the field"
                .formatted(in.ripTarget()));
      }
      at += n;
    }
    fields += entries.size();
    if (matched != entries.size()) {
      findings.add(
          CHECK,
          entries.get(0).address(),
          "the relocation tail has %d fields in the rewritten site at 0x%x, %d of them are operands"
              .formatted(entries.size(), address, matched));
    }
  }

  private static boolean isBranch(Insn in) {
    return in.operands > 0 && in.kind[0] == Insn.REL;
  }
}
