package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.cpu.interpret.Lowering;

/** The instruction families and the exception delivery that make up our processor. */
final class Processor {
  private Processor() {}

  static Lowering[] lowerings() {
    throw new UnsupportedOperationException();
  }

  static ExceptionDelivery delivery() {
    throw new UnsupportedOperationException();
  }
}
