package org.hypergraft.vmm.boot;

/**
 * Processor state at a kernel's entry, in the protocol's {@link BootProtocol.Mode}: paging is on
 * exactly in long mode, with the tables at {@code pageTables}; segments are flat, or in real mode
 * paragraphs; interrupts are off.
 *
 * @param protocol which decides the mode and the registers
 * @param entry physical address of the first instruction
 * @param bootInfo physical address of what the protocol hands over: hvm_start_info or Multiboot's
 *     information (EBX), boot_params (ESI), or in real mode the start of the data segments
 * @param gdt physical address of the descriptor table, 0 in real mode
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

  /** Stack pointer in real mode, below the end of Linux's setup heap. */
  public static final int REAL_STACK = LinuxSetup.HEAP_END;

  /** What a Multiboot kernel finds in EAX; 0 for other protocols. */
  public long magic() {
    return switch (protocol) {
      case MULTIBOOT1 -> Integer.toUnsignedLong(Multiboot1.BOOT_MAGIC);
      case MULTIBOOT2 -> Integer.toUnsignedLong(Multiboot2.BOOT_MAGIC);
      default -> 0;
    };
  }
}
