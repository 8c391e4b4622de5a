package org.hypergraft.vmm.machine;

/** Why control left the guest: what would cost an exit on a real hypervisor. */
public enum ExitCause {
  PORT("port"),
  MMIO("mmio"),
  RDMSR("rdmsr"),
  WRMSR("wrmsr"),
  CPUID("cpuid"),
  HYPERCALL("hypercall"),
  HLT("hlt");

  private final String label;

  ExitCause(String label) {
    this.label = label;
  }

  /** Lower-case name for people and for JSON. */
  public String label() {
    return label;
  }
}
