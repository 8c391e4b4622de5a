package org.hypergraft.patcher.validate;

import java.util.List;

/**
 * What the comparison with the kernel's own patching found.
 *
 * @param reached whether the kernel came to the end of its own patching
 * @param failure why not; empty when it did
 * @param cpus processors that the firmware listed
 * @param sites sites that were compared: all that the plan patches
 * @param bytes bytes of them
 * @param lockBytes bytes left out because they are lock prefixes, which another table owns
 * @param kept sites that the plan leaves to the guest
 * @param keptChanged of these, the ones that the kernel rewrote in this run
 * @param differences sites that differ
 */
public record OracleResult(
    boolean reached,
    String failure,
    int cpus,
    int sites,
    long bytes,
    int lockBytes,
    int kept,
    int keptChanged,
    List<SiteDifference> differences) {
  public OracleResult {
    differences = List.copyOf(differences);
  }

  static OracleResult failed(int cpus, String why) {
    return new OracleResult(false, why, cpus, 0, 0, 0, 0, 0, List.of());
  }

  /** Bytes that differ, over all sites. */
  public int differingBytes() {
    return differences.stream().mapToInt(SiteDifference::bytes).sum();
  }

  /** Whether the run proves the file. */
  public boolean passed() {
    return reached && sites > 0 && differences.isEmpty();
  }
}
