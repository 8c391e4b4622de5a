package org.hypergraft.patcher.plan;

import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.site.ParavirtTable;
import org.hypergraft.annotator.site.PvOps;

/**
 * What {@code apply_paravirt()} writes at a call through {@code pv_ops} (Linux {@code
 * arch/x86/kernel/{alternative,paravirt,paravirt_patch}.c} up to 6.7).
 */
final class ParavirtRule {
  /** The two no-op functions that a slot may share. */
  private static final String[] NO_OPS = {"_paravirt_nop", "nop_func"};

  private static final String IDENTITY = "_paravirt_ident_64";

  /** {@code mov %rdi,%rax}. */
  private static final byte[] MOVE = HexFormat.of().parseHex("4889f8");

  /** {@code ud2}: 5.10 writes it where the slot is null. */
  private static final byte[] UD2 = HexFormat.of().parseHex("0f0b");

  /**
   * Sequences that 5.10's {@code native_patch()} puts in place of a call, by slot; checked against
   * the kernel's own {@code patch_data_xxl} by the tests.
   */
  private static final Map<String, byte[]> INLINE =
      Map.of(
          "irq.restore_fl", HexFormat.of().parseHex("579d"),
          "irq.save_fl", HexFormat.of().parseHex("9c58"),
          "irq.irq_enable", HexFormat.of().parseHex("fb"),
          "irq.irq_disable", HexFormat.of().parseHex("fa"),
          "mmu.read_cr2", HexFormat.of().parseHex("0f20d0"),
          "mmu.read_cr3", HexFormat.of().parseHex("0f20d8"),
          "mmu.write_cr3", HexFormat.of().parseHex("0f22df"),
          "cpu.wbinvd", HexFormat.of().parseHex("0f09"));

  /** The same, but only while the slot still holds the native function. */
  private static final Map<String, byte[]> INLINE_IF_NATIVE =
      Map.of(
          "lock.queued_spin_unlock", HexFormat.of().parseHex("c60700"),
          "lock.vcpu_is_preempted", HexFormat.of().parseHex("31c0"));

  private final RuleContext c;
  private final PvOps ops;
  private final long[] noOps;
  private final long identity;

  /** Slot of {@code init.patch}, which chooses the 5.10 patcher; -1 in later kernels. */
  private final int patcherSlot;

  private final byte[] scratch = new byte[32];

  ParavirtRule(RuleContext c, PvOps ops) {
    this.c = c;
    this.ops = ops;
    noOps = new long[NO_OPS.length];
    for (int i = 0; i < NO_OPS.length; i++) {
      noOps[i] = c.image().symbols().find(NO_OPS[i]).map(Symbol::address).orElse(0L);
    }
    identity = c.image().symbols().find(IDENTITY).map(Symbol::address).orElse(0L);
    patcherSlot = ops.slot("init.patch").map(PvOps.Slot::index).orElse(-1);
  }

  /** Whether an address is the function that does nothing. */
  boolean isNoOp(long function) {
    return function != 0 && (function == noOps[0] || function == noOps[1]);
  }

  void apply(SiteBuffer b, ParavirtTable t, int i) throws Refusal {
    int at = (int) (t.address(i) - b.start());
    int length = t.length(i);
    int slot = t.slot(i);
    if (c.sites().slotCalledAt(t.address(i), length) != slot) {
      throw new Refusal(
          "expected a call through pv_ops slot %d, found %s"
              .formatted(slot, HexFormat.of().formatHex(b.bytes(), at, at + length)));
    }
    Facts.Function f = c.facts().slot(slot);
    if (!f.known()) {
      b.leaveOpen(at, length, f.reason());
      return;
    }
    int used = patcherSlot >= 0 ? patch5_10(slot, f, t.address(i)) : patch(f, t.address(i));
    if (used > length) {
      throw new Refusal("%d bytes do not fit into a site of %d".formatted(used, length));
    }
    c.nops().fill(scratch, used, length - used);
    b.write(at, scratch, 0, length);
  }

  private int patch(Facts.Function f, long site) throws Refusal {
    if (isNoOp(f.function())) {
      return 0;
    }
    long target = f.function() == 0 ? c.symbol("paravirt_BUG") : f.function();
    Bytes.branch(scratch, 0, 0xe8, site, target);
    return 5;
  }

  /** 5.10: the hypervisor chooses a patcher; all but Xen PV take the one with inline sequences. */
  private int patch5_10(int slot, Facts.Function f, long site) throws Refusal {
    Facts.Function patcher = c.facts().slot(patcherSlot);
    if (!patcher.known()) {
      throw new Refusal(patcher.reason());
    }
    String operation = ops.slot(slot).operation();
    if (patcher.function() == c.symbol("native_patch")) {
      byte[] inline = INLINE.get(operation);
      if (inline == null && f.function() == ops.slot(slot).initial()) {
        inline = INLINE_IF_NATIVE.get(operation);
      }
      if (inline != null) {
        return put(inline);
      }
    } else if (patcher.function() != c.symbol("paravirt_patch_default")) {
      throw new Refusal(
          "init.patch is %s, whose rules are not known"
              .formatted(c.image().symbols().describe(patcher.function())));
    }
    if (f.function() == 0) {
      return put(UD2);
    }
    if (isNoOp(f.function())) {
      return 0;
    }
    if (f.function() == identity) {
      return put(MOVE);
    }
    Bytes.branch(scratch, 0, operation.equals("cpu.iret") ? 0xe9 : 0xe8, site, f.function());
    return 5;
  }

  private int put(byte[] code) {
    System.arraycopy(code, 0, scratch, 0, code.length);
    return code.length;
  }

  /** Names of the sequences that {@code native_patch} inlines, for the tests. */
  static Optional<byte[]> inlined(String operation) {
    byte[] b = INLINE.getOrDefault(operation, INLINE_IF_NATIVE.get(operation));
    return Optional.ofNullable(b).map(byte[]::clone);
  }
}
