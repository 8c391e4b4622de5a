package org.hypergraft.patcher.plan;

import java.util.Locale;

/** What happens to a site. */
public enum Action {
  /** Its final bytes are known and go into the file. */
  PATCH,
  /** It stays as it is, for the guest to decide at boot. */
  KEEP,
  /** It cannot be rewritten although the facts ask for it; the reason names what is in the way. */
  REFUSE;

  /** Lower-case name. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
