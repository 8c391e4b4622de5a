package org.hypergraft.patcher.validate;

import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.patcher.verify.Verification;
import org.hypergraft.vmm.machine.RunReport;

/**
 * Everything one validation found out.
 *
 * @param plan what was to be done to the original
 * @param output the patched image that was examined
 * @param hypervisor what both guests ran on
 * @param verification static checks of the output
 * @param oracle the comparison with the kernel's own patching
 * @param original the original's boot
 * @param patched the output's boot
 * @param console both consoles compared
 * @param originalOwners whose the bytes of the original's text are
 * @param patchedOwners the same of the output
 * @param findings what is wrong; empty when the validation passed
 */
public record Validation(
    Plan plan,
    GuestImage output,
    String hypervisor,
    Verification verification,
    OracleResult oracle,
    RunReport original,
    RunReport patched,
    ConsoleComparison console,
    TableOwners originalOwners,
    TableOwners patchedOwners,
    List<Finding> findings) {
  public Validation {
    findings = List.copyOf(findings);
  }

  public boolean passed() {
    return findings.isEmpty();
  }

  /**
   * Whether a guest's failure is what stands in the way. An output that is known to be wrong may
   * well crash: then its bytes are the finding.
   */
  public boolean guestFailed() {
    boolean explained =
        original.succeeded()
            && findings.stream()
                .anyMatch(
                    f -> f.kind() == Finding.Kind.BYTES || f.kind() == Finding.Kind.VERIFICATION);
    return !explained && findings.stream().anyMatch(f -> f.kind() == Finding.Kind.GUEST);
  }
}
