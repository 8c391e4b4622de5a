package org.hypergraft.vmm.boot.bios;

import org.hypergraft.vmm.boot.MemoryMap;
import org.hypergraft.vmm.mmu.GuestRam;

/** The BIOS data area at 0x400 (IBM PC/AT technical reference; Ralf Brown's memory list). */
final class DataArea {
  /** Equipment word: a coprocessor, an 80x25 colour screen, one serial port, no diskettes. */
  static final int EQUIPMENT = 1 << 1 | 2 << 4 | 1 << 9;

  static final int COLUMNS = 80;
  static final int ROWS = 25;

  /** Text mode, 80x25, 16 colours. */
  static final int VIDEO_MODE = 3;

  /** Column and row of the cursor on the first page. */
  static final long CURSOR = 0x450;

  private static final int FIRST_SERIAL_PORT = 0x3f8;
  private static final int SCREEN_BYTES = 0x1000;
  private static final int CRT_CONTROLLER = 0x3d4;
  private static final int FONT_HEIGHT = 16;

  private DataArea() {}

  static void write(GuestRam ram) {
    ram.put16(0x400, FIRST_SERIAL_PORT);
    ram.put16(0x40e, (int) (MemoryMap.EBDA >> 4));
    ram.put16(0x410, EQUIPMENT);
    ram.put16(0x413, MemoryMap.lowerKib());
    ram.put8(0x449, VIDEO_MODE);
    ram.put16(0x44a, COLUMNS);
    ram.put16(0x44c, SCREEN_BYTES);
    ram.put16(0x463, CRT_CONTROLLER);
    ram.put8(0x484, ROWS - 1);
    ram.put16(0x485, FONT_HEIGHT);
    ram.put8(MemoryMap.EBDA, 1); // KiB of the extended area
  }
}
