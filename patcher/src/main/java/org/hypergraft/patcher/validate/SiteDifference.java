package org.hypergraft.patcher.validate;

import org.hypergraft.patcher.plan.Plan;

/**
 * A site where the file and the kernel disagree.
 *
 * @param site what was planned
 * @param symbol function and offset
 * @param file bytes in the output file
 * @param kernel bytes that the kernel wrote there itself
 */
public record SiteDifference(Plan.Entry site, String symbol, byte[] file, byte[] kernel) {
  /** Number of bytes that differ. */
  public int bytes() {
    int n = 0;
    for (int i = 0; i < file.length; i++) {
      n += file[i] == kernel[i] ? 0 : 1;
    }
    return n;
  }
}
