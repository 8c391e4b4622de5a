package org.hypergraft.vmm.cpu.interpret;

/** Something compiled from several blocks, to be withdrawn when one of them dies. */
public interface Compiled {
  /** Makes its entry block start with its tier-0 ops again. May be called more than once. */
  void withdraw();
}
