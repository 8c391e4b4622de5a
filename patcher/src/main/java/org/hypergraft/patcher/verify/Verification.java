package org.hypergraft.patcher.verify;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The outcome of a verification.
 *
 * @param findings what is wrong; empty when all holds. No more than {@link #MAX_FINDINGS} are kept
 * @param checked how many things each check looked at, in the order of the checks
 * @param dropped findings beyond the limit
 */
public record Verification(List<Finding> findings, Map<String, Integer> checked, int dropped) {
  /** A damaged image has the same thing wrong in thousands of places. */
  public static final int MAX_FINDINGS = 1000;

  public Verification {
    findings = List.copyOf(findings);
    checked = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(checked));
  }

  /** Whether nothing was found. */
  public boolean passed() {
    return findings.isEmpty();
  }
}
