package org.hypergraft.vmm.gdb;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.hypergraft.annotator.image.OrcTable;
import org.hypergraft.annotator.image.OrcTable.Base;
import org.hypergraft.annotator.image.OrcTable.Kind;
import org.hypergraft.annotator.image.OrcTable.Row;

/**
 * A {@code .debug_frame} section that says what a kernel's own unwinding table says, so that gdb
 * unwinds as the kernel does. Format: DWARF 4, section 6.4; register numbers: x86-64 psABI, figure
 * 3.36.
 */
final class FrameSection {
  private static final int RBP = 6;
  private static final int RSP = 7;
  private static final int RETURN_ADDRESS = 16;

  /** Rows of one entry: a debugger runs through those before the one it looks for. */
  private static final int MAX_ROWS = 128;

  // DWARF 4, 7.23
  private static final int ADVANCE_1 = 0x02;
  private static final int ADVANCE_2 = 0x03;
  private static final int ADVANCE_4 = 0x04;
  private static final int UNDEFINED = 0x07;
  private static final int SAME_VALUE = 0x08;
  private static final int DEF_CFA_EXPRESSION = 0x0f;
  private static final int EXPRESSION = 0x10;
  private static final int OFFSET = 0x11;
  private static final int DEF_CFA = 0x12;
  private static final int VAL_OFFSET = 0x15;

  // DWARF 4, 7.7.1
  private static final int OP_DEREF = 0x06;
  private static final int OP_CONSTS = 0x11;
  private static final int OP_PLUS = 0x22;
  private static final int OP_BREG = 0x70;

  /**
   * Offsets in struct pt_regs (Linux arch/x86/include/asm/ptrace.h) by register number, RIP being
   * the return address.
   */
  private static final int[] PT_REGS = {
    80, 96, 88, 40, 104, 112, 32, 152, 72, 64, 56, 48, 24, 16, 8, 0, 128
  };

  /** Offsets in what the processor pushes (Intel SDM vol. 3, figure 6-9). */
  private static final int PUSHED_RIP = 0;

  private static final int PUSHED_RSP = 24;

  private final OrcTable table;
  private final long offset;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private FrameSection(OrcTable table, long offset) {
    this.table = table;
    this.offset = offset;
  }

  /**
   * The section's bytes.
   *
   * @param offset run-time less link addresses
   */
  static byte[] of(OrcTable table, long offset) {
    return new FrameSection(table, offset).build();
  }

  private byte[] build() {
    int call = common("");
    // entered by an event: the instruction at the saved address has not been executed
    int event = common("zS");
    int i = 0;
    while (i < table.size()) {
      Row first = table.row(i);
      int end = i + 1;
      while (end < table.size()
          && end - i < MAX_ROWS
          && table.row(end).kind() == first.kind()
          && first.kind() == Kind.CALL) {
        end++;
      }
      if (first.kind() != Kind.UNKNOWN && end < table.size()) {
        describe(i, end, signal(first) ? event : call);
      }
      i = end;
    }
    return out.toByteArray();
  }

  private static boolean signal(Row row) {
    return row.kind() == Kind.REGISTERS || row.kind() == Kind.INTERRUPT;
  }

  /** Writes a common information entry; returns where. */
  private int common(String augmentation) {
    int at = out.size();
    ByteArrayOutputStream b = new ByteArrayOutputStream();
    b.write(1); // version
    for (char c : augmentation.toCharArray()) {
      b.write(c);
    }
    b.write(0);
    b.write(1); // code alignment
    b.write(1); // data alignment: offsets are in bytes
    b.write(RETURN_ADDRESS);
    if (!augmentation.isEmpty()) {
      b.write(0); // length of the augmentation's data
    }
    entry(0xffff_ffff, b);
    return at;
  }

  /** Writes length, id and contents, padded with DW_CFA_nop. */
  private void entry(int id, ByteArrayOutputStream contents) {
    while ((contents.size() + 4) % 8 != 4) {
      contents.write(0);
    }
    ByteBuffer head = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(contents.size() + 4).putInt(id);
    out.writeBytes(head.array());
    out.writeBytes(contents.toByteArray());
  }

  /** Writes a frame description entry for rows {@code [from, to)}. */
  private void describe(int from, int to, int common) {
    Row first = table.row(from);
    ByteArrayOutputStream b = new ByteArrayOutputStream();
    ByteBuffer range = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    range.putLong(first.address() + offset).putLong(table.row(to).address() - first.address());
    b.writeBytes(range.array());
    if (signal(first)) {
      b.write(0); // length of the augmentation's data
    }
    long at = first.address();
    for (int i = from; i < to; i++) {
      Row row = table.row(i);
      advance(b, row.address() - at);
      at = row.address();
      frame(b, row);
      switch (row.kind()) {
        case CALL -> {
          if (i == from) {
            rule(b, OFFSET, RETURN_ADDRESS, -8);
            rule(b, VAL_OFFSET, RSP, 0);
          }
          rbp(b, row);
        }
        case REGISTERS -> {
          for (int r = 0; r < PT_REGS.length; r++) {
            rule(b, OFFSET, r, PT_REGS[r]);
          }
        }
        case INTERRUPT -> {
          rule(b, OFFSET, RETURN_ADDRESS, PUSHED_RIP);
          rule(b, OFFSET, RSP, PUSHED_RSP);
        }
        case END, UNKNOWN -> {
          b.write(UNDEFINED);
          b.write(RETURN_ADDRESS);
        }
      }
    }
    entry(common, b);
  }

  private static void advance(ByteArrayOutputStream b, long bytes) {
    if (bytes <= 0) {
      return; // two rows for one address, or a damaged table
    }
    int size = bytes < 1 << 8 ? 1 : bytes < 1 << 16 ? 2 : 4;
    b.write(size == 1 ? ADVANCE_1 : size == 2 ? ADVANCE_2 : ADVANCE_4);
    for (int i = 0; i < size; i++) {
      b.write((int) (bytes >> 8 * i));
    }
  }

  /** Says where the frame is. */
  private static void frame(ByteArrayOutputStream b, Row row) {
    int offset = row.frameOffset();
    switch (row.frame()) {
      case BP_INDIRECT, SP_INDIRECT -> {
        boolean bp = row.frame() == Base.BP_INDIRECT;
        ByteArrayOutputStream e = new ByteArrayOutputStream();
        e.write(OP_BREG + (bp ? RBP : RSP));
        signed(e, bp ? offset : 0);
        e.write(OP_DEREF);
        e.write(OP_CONSTS);
        signed(e, bp ? 0 : offset);
        e.write(OP_PLUS);
        b.write(DEF_CFA_EXPRESSION);
        b.write(e.size());
        b.writeBytes(e.toByteArray());
      }
      default -> rule(b, DEF_CFA, number(row.frame()), offset);
    }
  }

  private static int number(Base base) {
    return switch (base) {
      case DX -> 1;
      case DI -> 5;
      case BP -> RBP;
      case R10 -> 10;
      case R13 -> 13;
      default -> RSP;
    };
  }

  private static void rbp(ByteArrayOutputStream b, Row row) {
    switch (row.rbp()) {
      case CALLER_SP -> rule(b, OFFSET, RBP, row.rbpOffset());
      case BP -> {
        ByteArrayOutputStream e = new ByteArrayOutputStream();
        e.write(OP_BREG + RBP);
        signed(e, row.rbpOffset());
        b.write(EXPRESSION);
        b.write(RBP);
        b.write(e.size());
        b.writeBytes(e.toByteArray());
      }
      default -> {
        b.write(SAME_VALUE);
        b.write(RBP);
      }
    }
  }

  private static void rule(ByteArrayOutputStream b, int operation, int register, int offset) {
    b.write(operation);
    b.write(register);
    signed(b, offset);
  }

  /** SLEB128 (DWARF 4, 7.6). */
  private static void signed(ByteArrayOutputStream b, int value) {
    int v = value;
    while (v < -64 || v >= 64) {
      b.write(v & 0x7f | 0x80);
      v >>= 7;
    }
    b.write(v & 0x7f);
  }
}
