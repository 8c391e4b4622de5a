package org.hypergraft.patcher.validate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.vmm.machine.GuestView;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.Moment;

/**
 * The kernel as its own judge: at the return of its {@code alternative_instructions()} the original
 * guest's memory holds what it makes of its sites under this hypervisor; the output file must hold
 * the same. Each byte is compared for one table only: where a lock prefix lies inside a site, the
 * lock table owns it.
 */
public final class Oracle implements Moment {
  /**
   * Trampolines of static calls hold a return that is patched like any other, until the kernel
   * points them elsewhere, which it does to some before the moment: that is its own at run time.
   */
  private static final String STATIC_CALLS = ".static_call_sites";

  private final Plan plan;
  private final byte[][] memory;
  private boolean reached;

  /**
   * An oracle for a plan.
   *
   * @param plan of the original image
   */
  public Oracle(Plan plan) {
    this.plan = plan;
    memory = new byte[plan.size()][];
  }

  /**
   * Has the machine, which must run the plan's image unmoved, stop at the moment.
   *
   * @param goOn whether the run continues after it
   * @return false when the kernel has no such function
   */
  public boolean arm(Machine machine, boolean goOn) {
    GuestImage image = plan.image();
    var function = image.symbols().find(FunctionCode.PATCHING).map(Symbol::address);
    function.ifPresent(
        address ->
            machine.atReturn(
                address,
                view -> {
                  reached(view);
                  return goOn;
                }));
    return function.isPresent();
  }

  @Override
  public boolean reached(GuestView view) {
    if (!reached) {
      for (int i = 0; i < memory.length; i++) {
        memory[i] = view.image(plan.address(i), plan.length(i));
      }
      reached = true;
    }
    return true;
  }

  /** Whether the kernel came there. */
  public boolean hasReached() {
    return reached;
  }

  /**
   * Compares.
   *
   * @param sites tables of the original image
   * @param output the patched image, as it is in the file
   * @param cpus processors that the run's firmware listed
   */
  public OracleResult compare(SiteMap sites, GuestImage output, int cpus) {
    Set<Long> locks = plan.options().uniprocessor() ? Set.of() : locks(sites);
    List<SiteDifference> differences = new ArrayList<>();
    int compared = 0;
    long bytes = 0;
    int lockBytes = 0;
    int kept = 0;
    int keptChanged = 0;
    for (int i = 0; i < plan.size(); i++) {
      byte[] file = output.bytes(plan.address(i), plan.length(i));
      byte[] kernel = memory[i].clone();
      if (plan.action(i) != Action.PATCH || plan.table(i).equals(STATIC_CALLS)) {
        kept++;
        keptChanged += Arrays.equals(file, kernel) ? 0 : 1;
        continue;
      }
      for (int b = 0; b < kernel.length; b++) {
        if (locks.contains(plan.address(i) + b)) {
          kernel[b] = file[b];
          lockBytes++;
        }
      }
      compared++;
      bytes += file.length;
      if (!Arrays.equals(file, kernel)) {
        differences.add(
            new SiteDifference(
                plan.entry(i), plan.image().symbols().describe(plan.address(i)), file, kernel));
      }
    }
    return new OracleResult(
        true, "", cpus, compared, bytes - lockBytes, lockBytes, kept, keptChanged, differences);
  }

  /** Addresses of the lock prefixes, which another table than that of their site may own. */
  static Set<Long> locks(SiteMap sites) {
    Set<Long> out = new HashSet<>();
    sites
        .addresses(AddressTable.Kind.SMP_LOCKS)
        .ifPresent(
            t -> {
              for (int i = 0; i < t.entries(); i++) {
                out.add(t.address(i));
              }
            });
    return out;
  }
}
