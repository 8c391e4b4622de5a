package org.hypergraft.vmm.boot.bios;

import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Video services (INT 10h) of a text screen that is only memory: 80x25 characters and attributes at
 * 0xb8000, no display adapter's registers.
 */
final class Screen {
  private static final long MEMORY = 0xb8000;
  private static final int BLANK = 0x0720;
  private static final int ATTRIBUTE = 0x07;
  private static final int LINE_BYTES = 2 * DataArea.COLUMNS;

  /** Start and end line of the cursor's usual shape. */
  private static final int CURSOR_SHAPE = 0x0607;

  private final GuestRam ram;

  Screen(GuestRam ram) {
    this.ram = ram;
  }

  void serve(Caller c) {
    switch (c.ah()) {
      case 0x00 -> clear(); // every mode is this one
      case 0x02 -> moveTo(c.dx() & 0xff, c.dx() >> 8);
      case 0x03 -> {
        c.cx(CURSOR_SHAPE);
        c.dx(row() << 8 | column());
      }
      case 0x06 -> scroll(c);
      case 0x08 -> c.ax(ram.u16(cell(row(), column())));
      case 0x09, 0x0a -> write(c);
      case 0x0e -> type(c.al());
      case 0x0f -> {
        c.ax(DataArea.COLUMNS << 8 | DataArea.VIDEO_MODE);
        c.bx(c.bx() & 0xff);
      }
      default -> {} // cursor shapes, pages; queries of adapters, unchanged registers being "no"
    }
  }

  void clear() {
    for (int row = 0; row < DataArea.ROWS; row++) {
      blank(row);
    }
    moveTo(0, 0);
  }

  private void blank(int row) {
    for (int column = 0; column < DataArea.COLUMNS; column++) {
      ram.put16(cell(row, column), BLANK);
    }
  }

  private static long cell(int row, int column) {
    return MEMORY + LINE_BYTES * (long) row + 2L * column;
  }

  private int column() {
    return Math.min(ram.u8(DataArea.CURSOR), DataArea.COLUMNS - 1);
  }

  private int row() {
    return Math.min(ram.u8(DataArea.CURSOR + 1), DataArea.ROWS - 1);
  }

  private void moveTo(int column, int row) {
    ram.put8(DataArea.CURSOR, column);
    ram.put8(DataArea.CURSOR + 1, row);
  }

  /** Scroll up by AL lines, 0 for all; windows are taken for the whole screen. */
  private void scroll(Caller c) {
    int lines = c.al() == 0 ? DataArea.ROWS : Math.min(c.al(), DataArea.ROWS);
    for (int i = 0; i < lines; i++) {
      scrollUp();
    }
  }

  private void scrollUp() {
    ram.write(MEMORY, ram.bytes(MEMORY + LINE_BYTES, (DataArea.ROWS - 1) * LINE_BYTES));
    blank(DataArea.ROWS - 1);
  }

  /** Character AL, with attribute BL for function 9, CX times from the cursor on. */
  private void write(Caller c) {
    int from = row() * DataArea.COLUMNS + column();
    int to = Math.min(from + c.cx(), DataArea.ROWS * DataArea.COLUMNS);
    for (int i = from; i < to; i++) {
      long at = MEMORY + 2L * i;
      ram.put8(at, c.al());
      if (c.ah() == 0x09) {
        ram.put8(at + 1, c.bx() & 0xff);
      }
    }
  }

  /** Teletype output. */
  private void type(int character) {
    int column = column();
    int row = row();
    switch (character) {
      case '\r' -> column = 0;
      case '\n' -> row++;
      case '\b' -> column = Math.max(0, column - 1);
      case 7 -> {} // bell
      default -> {
        ram.put16(cell(row, column), ATTRIBUTE << 8 | character);
        column++;
      }
    }
    if (column == DataArea.COLUMNS) {
      column = 0;
      row++;
    }
    if (row == DataArea.ROWS) {
      scrollUp();
      row--;
    }
    moveTo(column, row);
  }
}
