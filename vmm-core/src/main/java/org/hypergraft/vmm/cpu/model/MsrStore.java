package org.hypergraft.vmm.cpu.model;

import java.util.HashMap;
import java.util.Map;
import org.hypergraft.vmm.mmu.GuestFault;

/** The values of one vCPU's table-driven model-specific registers. */
public final class MsrStore {
  private static final class Cell {
    final MsrRow row;
    long value;

    Cell(MsrRow row) {
      this.row = row;
      value = row.reset();
    }
  }

  private final Map<Integer, Cell> cells = new HashMap<>();

  public MsrStore(CpuModel model) {
    for (MsrRow row : model.msrs()) {
      cells.put(row.number(), new Cell(row));
    }
  }

  private Cell cell(int number) {
    Cell cell = cells.get(number);
    if (cell == null) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return cell;
  }

  /** Reads a register; #GP(0) if the model lacks it or it is write-only. */
  public long read(int number) {
    Cell cell = cell(number);
    if (cell.row.rule() == MsrRow.Rule.WRITE_ONLY) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return cell.value;
  }

  /** Writes a register; #GP(0) if the model lacks it or its rule forbids the value. */
  public void write(int number, long value) {
    Cell cell = cell(number);
    long writable = cell.row.writable();
    switch (cell.row.rule()) {
      case READ_ONLY -> throw GuestFault.of(GuestFault.GP, 0);
      case LENIENT -> cell.value = cell.value & ~writable | value & writable;
      case STRICT, WRITE_ONLY -> {
        // Bits that read as one may be written back.
        if ((value & ~writable & ~cell.value) != 0) {
          throw GuestFault.of(GuestFault.GP, 0);
        }
        if (cell.row.rule() == MsrRow.Rule.STRICT) {
          cell.value = cell.value & ~writable | value & writable;
        }
      }
    }
  }
}
