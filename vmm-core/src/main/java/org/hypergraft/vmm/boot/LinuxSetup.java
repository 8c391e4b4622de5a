package org.hypergraft.vmm.boot;

import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Offsets in Linux's setup header and boot_params, which have it in common
 * (Documentation/arch/x86/boot.rst and zero-page.rst), and values of its fields.
 */
final class LinuxSetup {
  static final int RSDP = 0x70;
  static final int EXT_RAMDISK_IMAGE = 0xc0;
  static final int EXT_RAMDISK_SIZE = 0xc4;
  static final int E820_ENTRIES = 0x1e8;

  /** First field of the header. */
  static final int HEADER = 0x1f1;

  static final int VIDEO_MODE = 0x1fa;
  static final int BOOT_FLAG = 0x1fe;

  /** Second byte of the jump over the header: its length behind {@link #MAGIC}. */
  static final int HEADER_END = 0x201;

  static final int MAGIC = 0x202;
  static final int VERSION = 0x206;
  static final int TYPE_OF_LOADER = 0x210;
  static final int LOAD_FLAGS = 0x211;
  static final int CODE32_START = 0x214;
  static final int RAMDISK_IMAGE = 0x218;
  static final int RAMDISK_SIZE = 0x21c;
  static final int HEAP_END_POINTER = 0x224;
  static final int COMMAND_LINE = 0x228;
  static final int KERNEL_ALIGNMENT = 0x230;
  static final int RELOCATABLE = 0x234;
  static final int COMMAND_LINE_SIZE = 0x238;
  static final int E820_TABLE = 0x2d0;

  /** Load flag: the protected-mode code goes to 1 MiB. */
  static final int LOADED_HIGH = 1;

  /** Load flag, set by the boot stub when it chose the address at random. */
  static final int KASLR_FLAG = 1 << 1;

  /** Load flag: {@link #HEAP_END_POINTER} is valid. */
  static final int CAN_USE_HEAP = 1 << 7;

  /** "Undefined" boot loader. */
  static final int LOADER_UNDEFINED = 0xff;

  /** Video mode "normal". */
  static final int VIDEO_NORMAL = 0xffff;

  /** End of stack and heap in the setup code's segment, as boot.rst's example has it. */
  static final int HEAP_END = 0xe000;

  /** What boot.rst has loaders subtract from the heap's end, for the stack. */
  static final int STACK_SIZE = 0x200;

  private LinuxSetup() {}

  /**
   * Fills in what every boot loader does.
   *
   * @param at where the structure lies
   * @param loadFlags value of the field {@link #LOAD_FLAGS}
   */
  static void fill(GuestRam ram, long at, int loadFlags, long initrd, int initrdSize) {
    ram.put8(at + TYPE_OF_LOADER, LOADER_UNDEFINED);
    ram.put8(at + LOAD_FLAGS, loadFlags);
    ram.put32(at + RAMDISK_IMAGE, (int) initrd);
    ram.put32(at + RAMDISK_SIZE, initrdSize);
    ram.put32(at + COMMAND_LINE, (int) MemoryMap.COMMAND_LINE);
  }
}
