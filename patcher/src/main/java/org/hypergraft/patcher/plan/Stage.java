package org.hypergraft.patcher.plan;

import java.util.Optional;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;

/** One step of {@code alternative_instructions()}: a table and the rule that applies it. */
enum Stage {
  PARAVIRT,
  RETPOLINES,
  RETURNS,
  ALTERNATIVES,
  /** Call thunks: only applied with call depth tracking, which is refused. */
  CALLS,
  ENDBR,
  LOCKS;

  /** The table that the step reads, if the image has it. */
  Optional<? extends SiteTable> table(SiteMap sites) {
    return switch (this) {
      case PARAVIRT -> sites.paravirt();
      case ALTERNATIVES -> sites.alternatives();
      case RETPOLINES -> sites.addresses(AddressTable.Kind.RETPOLINE_SITES);
      case RETURNS -> sites.addresses(AddressTable.Kind.RETURN_SITES);
      case CALLS -> sites.addresses(AddressTable.Kind.CALL_SITES);
      case ENDBR -> sites.addresses(AddressTable.Kind.IBT_ENDBR_SEAL);
      case LOCKS -> sites.addresses(AddressTable.Kind.SMP_LOCKS);
    };
  }
}
