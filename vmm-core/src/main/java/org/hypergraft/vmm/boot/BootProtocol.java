package org.hypergraft.vmm.boot;

/** How the kernel is entered. */
public enum BootProtocol {
  /** Xen's PVH: 32-bit protected mode at the PHYS32_ENTRY note, hvm_start_info in EBX. */
  PVH("pvh"),

  /** Linux's 32-bit boot protocol: protected mode at the ELF's entry, boot_params in ESI. */
  LINUX32("linux32"),

  /** Linux's 64-bit boot protocol: long mode at the ELF's entry, boot_params in RSI. */
  LINUX64("linux64");

  private final String label;

  BootProtocol(String label) {
    this.label = label;
  }

  /** Lower-case name for people and options. */
  public String label() {
    return label;
  }
}
