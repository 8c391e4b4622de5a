package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.cpu.jit.RegionJit;

/** Which engines run the guest. Results never depend on it, only speed does. */
public enum Tiers {
  /** The interpreter alone. */
  INTERPRETER,

  /** The interpreter, with hot regions compiled on a thread of their own. */
  COMPILED,

  /**
   * Every block compiled when it is first entered by a link, before the guest goes on: for tests.
   */
  FORCED;

  /** The compiler to use, or null for none. */
  RegionJit compiler() {
    return switch (this) {
      case INTERPRETER -> null;
      case COMPILED ->
          new RegionJit(
              RegionJit.Mode.BACKGROUND, RegionJit.BOOT_THRESHOLD, RegionJit.USER_THRESHOLD);
      case FORCED -> new RegionJit(RegionJit.Mode.SYNCHRONOUS, 1);
    };
  }
}
