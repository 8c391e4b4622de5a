package org.hypergraft.patcher.plan;

import java.util.Arrays;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.Extent;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.annotator.site.SiteMap;

/** Changes to the tables themselves that go with a rewritten site. */
final class TableEdits {
  private TableEdits() {}

  /**
   * A rewritten call through a slot has an entry that the kernel must not take any more: it insists
   * on finding the indirect call and stops the boot otherwise. The other entries of the site go
   * with it, so that the guest cannot choose a form that does not agree with the rest of the
   * operation's group.
   *
   * @param first first alternatives entry of the site, or -1
   */
  static void afterPatch(RuleContext c, SiteMap sites, Plan.Builder out, int first) {
    if (first < 0) {
      return;
    }
    AlternativeTable t = sites.alternatives().orElseThrow();
    int end = t.groupEnd(first);
    boolean direct = false;
    for (int i = first; i < end; i++) {
      direct |= t.directCall(i);
    }
    if (!direct) {
      return;
    }
    for (int i = first; i < end; i++) {
      out.edit(neverTaken(c.image().payload(), t, i));
    }
  }

  /**
   * Makes the kernel see a table as empty, by changing the constant for its end that {@code
   * alternative_instructions()} loads to that of its start. Both are addresses, so the relocation
   * stays right. The appliers themselves stay: modules need them.
   *
   * @throws Refusal when no such pair of constants is found
   */
  static Plan.Edit empty(RuleContext c, Stage stage, Extent table) throws Refusal {
    c.symbol(FunctionCode.PATCHING);
    for (PatchingCode.Step step : PatchingCode.read(c.sites())) {
      if (step.stage() == stage && step.endField() >= 0) {
        int end = step.endField();
        byte[] before = Arrays.copyOfRange(c.image().payload(), end, end + 4);
        byte[] after = new byte[4];
        Bytes.put32(after, 0, (int) table.address());
        return new Plan.Edit(end, before, after, "table " + table.name() + " seen as empty");
      }
    }
    throw new Refusal(
        FunctionCode.PATCHING + " does not load start and end of table " + table.name());
  }

  /**
   * The initial value of {@code x86_return_thunk}. Static calls that do nothing are made returns
   * through it early in the boot. Where alternatives are applied, kernels since 6.9 warn of the
   * thunk it starts with, so it starts with the one that mitigations choose.
   *
   * @return empty when the kernel does not warn or the facts choose no thunk
   */
  static Optional<Plan.Edit> returnThunk(RuleContext c) {
    GuestImage image = c.image();
    Optional<Symbol> variable = image.symbols().find("x86_return_thunk");
    if (variable.isEmpty()
        || !image.symbols().contains("warn_thunk_thunk")
        || !c.facts().decidesCpuAlternatives()
        || c.facts().has(CpuFeature.RETHUNK) != Tri.YES
        || c.facts().returnThunk().isEmpty()) {
      return Optional.empty();
    }
    int size = image.elf().wordSize();
    int at = image.offsetOf(variable.get().address(), size);
    byte[] before = Arrays.copyOfRange(image.payload(), at, at + size);
    byte[] after = new byte[size];
    long thunk = c.facts().returnThunk().getAsLong();
    for (int i = 0; i < size; i++) {
      after[i] = (byte) (thunk >>> (8 * i));
    }
    return Arrays.equals(before, after)
        ? Optional.empty()
        : Optional.of(new Plan.Edit(at, before, after, "return thunk chosen from the start"));
  }

  /** Makes an entry depend on the absence of a feature that is always there. */
  private static Plan.Edit neverTaken(byte[] payload, AlternativeTable t, int i) {
    int at = t.featureFieldOffset(i);
    byte[] before = {payload[at], payload[at + 1], payload[at + 2], payload[at + 3]};
    int flags = (t.directCall(i) ? AlternativeTable.DIRECT_CALL : 0) | AlternativeTable.NOT;
    byte[] after = {(byte) CpuFeature.ALWAYS, (byte) (CpuFeature.ALWAYS >> 8), (byte) flags, 0};
    return new Plan.Edit(
        at, before, after, "alternative of 0x%x never taken".formatted(t.address(i)));
  }
}
