package org.hypergraft.patcher.cli;

import org.hypergraft.patcher.plan.Target;
import org.hypergraft.vmm.hypervisor.Hypervisors;
import org.hypergraft.vmm.machine.MachineConfig;

/** Which machine proves which target. */
final class Machines {
  static final int MAX_CPUS = MachineConfig.MAX_CPUS;

  private Machines() {}

  /** The hypervisor that an image for the target is booted on. */
  static String hypervisorOf(Target target) {
    String id = target == Target.NATIVE ? "none" : target.id();
    if (Hypervisors.named(id).isEmpty()) {
      throw new CommandFailure(
          ExitStatus.USAGE,
          "the machine does not offer %s yet, so an image for it cannot be booted here; 'patch' and"
                  .formatted(id)
              + " 'verify' work");
    }
    return id;
  }
}
