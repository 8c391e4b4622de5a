package org.hypergraft.vmm.boot;

/**
 * Processor state at a kernel's entry. Paging is on exactly in long mode, with the tables at {@code
 * pageTables}; segments are flat, interrupts are off.
 *
 * @param protocol which decides between 32-bit protected mode and long mode
 * @param entry physical address of the first instruction
 * @param bootInfo physical address of hvm_start_info (goes to EBX) or boot_params (ESI)
 * @param gdt physical address of the descriptor table
 * @param gdtSize its size in bytes
 * @param pageTables physical address for CR3, 0 without paging
 */
public record BootState(
    BootProtocol protocol, long entry, long bootInfo, long gdt, int gdtSize, long pageTables) {
  /** Selector of the code segment. */
  public static final int CODE = 0x10;

  /** Selector of the data segments. */
  public static final int DATA = 0x18;

  /** Selector of the task state segment. */
  public static final int TASK = 0x20;
}
