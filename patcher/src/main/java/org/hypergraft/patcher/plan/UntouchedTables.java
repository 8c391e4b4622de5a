package org.hypergraft.patcher.plan;

import java.util.Map;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.HypercallPage;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;

/**
 * The tables that stay the guest's as a whole, and why: those whose facts are not known, and those
 * that are the kernel's own at run time. It checks the latter's sites when it takes them over, and
 * stops or warns when it finds one changed: {@code ftrace_init()}, {@code jump_label_init()}.
 */
final class UntouchedTables {
  private static final String MITIGATIONS = "CPU mitigations decide, which only a profile knows";

  private final SiteMap sites;
  private final Facts facts;
  private final PlanOptions options;
  private final Map<Stage, String> left;

  /**
   * @param left steps that are left to the guest after all
   */
  UntouchedTables(SiteMap sites, Facts facts, PlanOptions options, Map<Stage, String> left) {
    this.sites = sites;
    this.facts = facts;
    this.options = options;
    this.left = left;
  }

  void report(Plan.Builder out) {
    boolean blind = !facts.knowsMitigations();
    for (AddressTable.Kind kind : AddressTable.Kind.values()) {
      String why =
          switch (kind) {
            case RETPOLINE_SITES -> blind ? MITIGATIONS : left.get(Stage.RETPOLINES);
            case RETURN_SITES -> blind ? MITIGATIONS : left.get(Stage.RETURNS);
            case IBT_ENDBR_SEAL -> blind ? "sealed by the guest; only a profile changes it" : null;
            case CALL_SITES ->
                blind
                    ? "call depth tracking is decided by CPU mitigations at boot"
                    : "read only for call depth tracking, which is off";
            case SMP_LOCKS ->
                options.uniprocessor() ? null : "lock prefixes stay without --uniprocessor";
            case MCOUNT_LOC ->
                "the kernel's own: the function tracer expects every call when it starts";
          };
      if (why != null) {
        sites.addresses(kind).ifPresent(t -> leave(out, t, why));
      }
    }
    sites
        .staticCalls()
        .ifPresent(t -> leave(out, t, "the kernel's own: retargeted while it runs, by their keys"));
    sites
        .jumps()
        .ifPresent(
            t ->
                leave(
                    out,
                    t,
                    "the kernel's own: switched while it runs, by their keys, and checked then"));
    hypercallPage(out);
  }

  /** The calls of hypercall stubs are direct already; what they call is not the kernel's. */
  private void hypercallPage(Plan.Builder out) {
    boolean xen = options.target() == Target.XEN_PV || options.target() == Target.XEN_PVH;
    String why =
        xen
            ? "they call stubs that the hypervisor writes when the guest asks for them"
            : "reached on Xen only";
    HypercallPage.find(sites)
        .ifPresent(page -> out.untouched(HypercallPage.NAME, page.calls().size(), why));
  }

  private static void leave(Plan.Builder out, SiteTable table, String why) {
    out.untouched(table.name(), table.entries(), why);
  }
}
