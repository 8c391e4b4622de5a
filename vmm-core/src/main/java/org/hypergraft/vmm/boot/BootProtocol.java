package org.hypergraft.vmm.boot;

/** How the kernel is entered. */
public enum BootProtocol {
  /** Xen's PVH: 32-bit protected mode at the PHYS32_ENTRY note, hvm_start_info in EBX. */
  PVH("pvh", Mode.PROTECTED, false),

  /** Linux's 32-bit boot protocol: protected mode at the ELF's entry, boot_params in ESI. */
  LINUX32("linux32", Mode.PROTECTED, false),

  /** Linux's 64-bit boot protocol: long mode at the ELF's entry, boot_params in RSI. */
  LINUX64("linux64", Mode.LONG, false),

  /** The bzImage's setup code in real mode; the guest calls the firmware and unpacks itself. */
  BZIMAGE16("bzimage16", Mode.REAL, true),

  /** The bzImage's boot stub at its 32-bit entry, {@code code32_start}; it unpacks itself. */
  BZIMAGE32("bzimage32", Mode.PROTECTED, true),

  /** The bzImage's boot stub at its 64-bit entry, 0x200 beyond; it unpacks itself. */
  BZIMAGE64("bzimage64", Mode.LONG, true),

  /** Multiboot 1: protected mode, magic in EAX, the information structure in EBX. */
  MULTIBOOT1("multiboot1", Mode.PROTECTED, false),

  /** Multiboot 2: as Multiboot 1, with tagged information. */
  MULTIBOOT2("multiboot2", Mode.PROTECTED, false);

  /** What the processor is in when the kernel's first instruction runs. */
  public enum Mode {
    /** Real-address mode, 64 KiB segments. */
    REAL,

    /** Protected mode, flat 4 GiB segments, no paging. */
    PROTECTED,

    /** 64-bit mode, the first 4 GiB mapped to themselves. */
    LONG
  }

  private final String label;
  private final Mode mode;
  private final boolean unpacks;

  BootProtocol(String label, Mode mode, boolean unpacks) {
    this.label = label;
    this.mode = mode;
    this.unpacks = unpacks;
  }

  /** Lower-case name for people and options. */
  public String label() {
    return label;
  }

  public Mode mode() {
    return mode;
  }

  /**
   * Whether the guest unpacks the kernel itself, so that nobody knows beforehand where it will be.
   */
  public boolean unpacks() {
    return unpacks;
  }
}
