package org.hypergraft.patcher.plan;

import java.util.HexFormat;
import java.util.List;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.site.AlternativeTable;

/**
 * What {@code apply_alternatives()} makes of a site (Linux {@code arch/x86/kernel/alternative.c}).
 * The kernels with 12-byte entries apply each entry of a site in turn and move only a lone call or
 * jump; those with 14-byte entries widen all entries of a site to the longest, so that the last one
 * taken decides, and move every relative operand.
 */
final class AlternativeRule {
  private static final int CALL = 0xe8;
  private static final int JMP32 = 0xe9;
  private static final int JMP8 = 0xeb;
  private static final int INT3 = 0xcc;

  private final RuleContext c;
  private final AlternativeTable table;
  private final NopOptimizer nops;
  private final ParavirtRule paravirt;
  private final byte[] body = new byte[256];

  /**
   * @param paravirt knows the function that does nothing; null when the image has no pv_ops
   */
  AlternativeRule(RuleContext c, AlternativeTable table, ParavirtRule paravirt) {
    this.c = c;
    this.table = table;
    this.paravirt = paravirt;
    nops = new NopOptimizer(c);
  }

  /** Applies the entries of one site, {@code from} up to {@code to}. */
  void apply(SiteBuffer b, int from, int to) throws Refusal {
    if (!c.facts().decidesCpuAlternatives()) {
      for (int i = from; i < to; i++) {
        if (!table.directCall(i) && !isHypervisorFeature(table.feature(i))) {
          int at = (int) (table.address(i) - b.start());
          b.leaveOpen(at, table.length(i), why(i));
          return;
        }
      }
    }
    if (table.layout() == AlternativeTable.Layout.FLAG_IN_FEATURE) {
      for (int i = from; i < to; i++) {
        inTurn(b, i);
      }
    } else {
      lastTaken(b, from, to);
    }
  }

  /** Features that say which hypervisor there is, not what the CPU can do. */
  private static boolean isHypervisorFeature(int feature) {
    return switch (feature) {
      case CpuFeature.XENPV,
          CpuFeature.PVUNLOCK,
          CpuFeature.VCPUPREEMPT,
          CpuFeature.VMMCALL,
          CpuFeature.VMCALL,
          CpuFeature.VMW_VMMCALL ->
          true;
      default -> false;
    };
  }

  /** Whether the facts make the kernel take entry {@code i}. */
  Tri taken(int i) {
    Tri has = c.facts().has(table.feature(i));
    return table.not(i) ? has.not() : has;
  }

  private String why(int i) {
    return c.facts().whyUnknown(c.featureName(table.feature(i)));
  }

  private void inTurn(SiteBuffer b, int i) throws Refusal {
    int at = (int) (table.address(i) - b.start());
    int length = table.length(i);
    Tri taken = taken(i);
    if (taken == Tri.UNKNOWN) {
      b.leaveOpen(at, length, why(i));
      return;
    }
    if (taken == Tri.YES) {
      int n = loadBody(i);
      moveLoneBranch(i, n);
      padWithSingleNops(n, length);
      b.write(at, body, 0, length);
      carryRelocations(b, at, i);
    }
    if (!b.isOpen()) {
      nops.runs(b.bytes(), at, length, table.address(i));
    }
  }

  private void lastTaken(SiteBuffer b, int from, int to) throws Refusal {
    int at = (int) (table.address(from) - b.start());
    int length = 0;
    for (int i = from; i < to; i++) {
      length = Math.max(length, table.length(i));
    }
    for (int i = to - 1; i >= from; i--) {
      switch (taken(i)) {
        case UNKNOWN -> {
          b.leaveOpen(at, length, why(i));
          return;
        }
        case YES -> {
          take(b, at, length, i);
          return;
        }
        case NO -> {}
      }
    }
    nops.merge(b.bytes(), at, length, table.address(from));
  }

  private void take(SiteBuffer b, int at, int length, int i) throws Refusal {
    int n = loadBody(i);
    if (table.directCall(i)) {
      n = directCall(b, at, i, n);
      if (n < 0) {
        return;
      }
    }
    padWithSingleNops(n, length);
    moveAll(i, length);
    nops.merge(body, 0, length, table.address(i));
    b.write(at, body, 0, length);
    carryRelocations(b, at, i);
  }

  /** {@code alt_replace_call()}; -1 when the facts do not tell the target. */
  private int directCall(SiteBuffer b, int at, int i, int n) throws Refusal {
    long site = table.address(i);
    if (n != 5 || (body[0] & 0xff) != CALL || table.length(i) != 6) {
      throw new Refusal(
          "the direct-call entry has %d bytes for %d, expected a call of 5 for 6"
              .formatted(n, table.length(i)));
    }
    int slot = c.sites().slotCalledAt(site, 6);
    if (slot < 0) {
      throw new Refusal(
          "expected a call through a paravirtual slot, found %s"
              .formatted(HexFormat.of().formatHex(b.bytes(), at, at + 6)));
    }
    Facts.Function f = c.facts().slot(slot);
    if (!f.known()) {
      b.leaveOpen(at, table.length(i), f.reason());
      return -1;
    }
    if (paravirt.isNoOp(f.function())) {
      return 0;
    }
    // The replacement calls BUG_func; so does a null slot.
    if (f.function() != 0) {
      Bytes.branch(body, 0, CALL, table.replacement(i), f.function());
    }
    return 5;
  }

  private int loadBody(int i) throws Refusal {
    int n = table.replacementLength(i);
    int at = n == 0 ? 0 : c.sites().code().offsetOf(table.replacement(i), n);
    if (at < 0) {
      throw new Refusal("replacement at 0x%x is not in the image".formatted(table.replacement(i)));
    }
    System.arraycopy(c.text(), at, body, 0, n);
    return n;
  }

  private void padWithSingleNops(int n, int length) {
    for (int k = n; k < length; k++) {
      body[k] = (byte) 0x90;
    }
  }

  /** 5.10 to 6.2: a replacement that is one call, or starts with a jump and has 5 bytes. */
  private void moveLoneBranch(int i, int n) throws Refusal {
    if (n != 5) {
      return;
    }
    int opcode = body[0] & 0xff;
    long delta = table.replacement(i) - table.address(i);
    if (opcode == CALL) {
      Bytes.put32(body, 1, fits(Bytes.s32(body, 1) + delta, i));
    } else if (opcode == JMP32 || opcode == JMP8) {
      long toTarget = Bytes.s32(body, 1) + 5 + delta;
      // recompute_jump() compares the low byte with the signed difference: backward jumps never
      // qualify for the short form.
      if (toTarget >= 0 && toTarget - 2 <= 127) {
        body[0] = (byte) JMP8;
        body[1] = (byte) (toTarget - 2);
        c.nops().fill(body, 2, 3);
      } else {
        Bytes.put32(body, 1, fits(toTarget - 5, i));
      }
    }
  }

  /** 6.3 and later: every relative operand that leaves the replacement. */
  private void moveAll(int i, int length) throws Refusal {
    long from = table.replacement(i);
    long end = from + table.replacementLength(i);
    long delta = from - table.address(i);
    Insn in = c.insn();
    int at = 0;
    while (at < length) {
      int n = c.decode(body, at, length, from + at);
      if (n == 0) {
        throw new Refusal("replacement at 0x%x does not decode at byte %d".formatted(from, at));
      }
      if (in.encoding == 0 && isRelativeBranch(at + in.opcodeOffset)) {
        long target = in.imm;
        if (target < from || target > end) {
          adjust(at + in.immOffset, in.immSize, delta, i);
        }
        long shortForm = target - (from + at + n) + delta + 3;
        if ((body[at] & 0xff) == JMP32 && shortForm == (byte) shortForm) {
          body[at] = (byte) JMP8;
          body[at + 1] = (byte) shortForm;
          for (int k = at + 2; k < at + n; k++) {
            body[k] = (byte) INT3;
          }
        }
      } else if (in.base == Insn.RIP && in.dispSize == 4) {
        long target = in.ripTarget();
        if (target < from || target > end) {
          adjust(at + in.dispOffset, 4, delta, i);
        }
      }
      at += n;
    }
  }

  private boolean isRelativeBranch(int at) {
    int op = body[at] & 0xff;
    if (op == 0x0f) {
      return (body[at + 1] & 0xf0) == 0x80;
    }
    return (op >= 0x70 && op <= 0x7f) || op == JMP8 || op == JMP32 || op == CALL;
  }

  private void adjust(int at, int size, long delta, int i) throws Refusal {
    if (size == 4) {
      Bytes.put32(body, at, fits(Bytes.s32(body, at) + delta, i));
    } else {
      long value = body[at] + delta;
      if (value != (byte) value) {
        throw new Refusal(
            "a short branch in the replacement at 0x%x cannot reach its target from the site"
                .formatted(table.replacement(i)));
      }
      body[at] = (byte) value;
    }
  }

  private int fits(long value, int i) throws Refusal {
    if (value != (int) value) {
      throw new Refusal(
          "the replacement at 0x%x is out of reach of the site".formatted(table.replacement(i)));
    }
    return (int) value;
  }

  /** Relocated fields of the replacement are now also at the site. */
  private void carryRelocations(SiteBuffer b, int at, int i) throws Refusal {
    int n = table.replacementLength(i);
    if (n < 4) {
      return;
    }
    long from = table.replacement(i);
    List<Relocations.Entry> fields = c.image().relocations().overlapping(from, from + n);
    for (Relocations.Entry e : fields) {
      long in = e.address() - from;
      if (in < 0 || in + e.kind().size() > n) {
        throw new Refusal(
            "the relocated field at 0x%x lies across the border of a replacement"
                .formatted(e.address()));
      }
      b.addRelocation(e.kind(), at + (int) in);
    }
  }
}
