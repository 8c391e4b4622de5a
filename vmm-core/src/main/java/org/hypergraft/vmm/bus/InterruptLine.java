package org.hypergraft.vmm.bus;

/** A wire between a device and an interrupt controller pin. */
@FunctionalInterface
public interface InterruptLine {
  void set(boolean asserted);
}
