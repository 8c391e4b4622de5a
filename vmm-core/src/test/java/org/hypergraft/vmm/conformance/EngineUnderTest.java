package org.hypergraft.vmm.conformance;

/** An execution engine that conformance cases run on. */
interface EngineUnderTest extends AutoCloseable {
  String name();

  /** Runs a case from its input state to its end or its first exception. */
  MachineState run(MachineState input);

  @Override
  void close();
}
