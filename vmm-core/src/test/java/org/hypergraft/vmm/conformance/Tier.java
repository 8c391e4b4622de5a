package org.hypergraft.vmm.conformance;

import org.hypergraft.vmm.cpu.jit.RegionJit;

/** The engines that the conformance suite runs on. */
enum Tier {
  INTERPRETED {
    @Override
    EngineUnderTest open() {
      return new InterpreterUnderTest("tier 0", null);
    }
  },

  /** Every block compiled before it runs for the second time. */
  COMPILED {
    @Override
    EngineUnderTest open() {
      return new InterpreterUnderTest("tier 1", new RegionJit(RegionJit.Mode.SYNCHRONOUS, 1));
    }
  };

  abstract EngineUnderTest open();
}
