package org.hypergraft.annotator.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The ORC unwinding table of a 64-bit kernel: for each stretch of code, where the caller's frame
 * is. Layout: {@code struct orc_entry} of Linux {@code arch/x86/include/asm/orc_types.h}; its
 * numbers changed in 6.4 (types) and by 7.2 (registers). Which ones a kernel uses shows in those
 * that most entries have: the stack pointer, and an ordinary call.
 */
public final class OrcTable {
  /** What a frame is found by; the indirect ones name a register that points to the pointer. */
  public enum Base {
    NONE,
    DX,
    DI,
    BP,
    SP,
    R10,
    R13,
    CALLER_SP,
    BP_INDIRECT,
    SP_INDIRECT
  }

  /** What is on the stack. */
  public enum Kind {
    /** Not known: no code, or code without a frame of its own. */
    UNKNOWN,
    /** Nothing: here the kernel began. */
    END,
    /** A return address. */
    CALL,
    /** All registers, {@code struct pt_regs}. */
    REGISTERS,
    /** The processor's own part of it: RIP, CS, RFLAGS, RSP, SS. */
    INTERRUPT
  }

  /**
   * A stretch of code.
   *
   * @param address link address at which it begins; it ends where the next one begins
   * @param frame what the caller's stack pointer, or the saved registers, are relative to
   * @param frameOffset how far they are from it
   * @param rbp what the caller's RBP is relative to; {@link Base#NONE} when it is still in RBP
   * @param rbpOffset how far it is from it
   */
  public record Row(
      long address, Kind kind, Base frame, int frameOffset, Base rbp, int rbpOffset) {}

  private static final int ENTRY = 6;

  /** Before 7.2. */
  private static final Base[] OLD = {
    Base.NONE,
    Base.CALLER_SP,
    Base.DX,
    Base.DI,
    Base.BP,
    Base.SP,
    Base.R10,
    Base.R13,
    Base.BP_INDIRECT,
    Base.SP_INDIRECT
  };

  private static final Base[] NEW = {
    Base.NONE,
    Base.NONE,
    Base.DX,
    Base.SP,
    Base.BP,
    Base.DI,
    Base.R10,
    Base.R13,
    Base.CALLER_SP,
    Base.SP_INDIRECT,
    Base.BP_INDIRECT
  };

  private final ByteBuffer b;
  private final Section ips;
  private final int entriesAt;
  private final int size;
  private final Base[] bases;
  private final boolean typesFrom64;

  private OrcTable(GuestImage image, Section ips, Section entries) {
    b = ByteBuffer.wrap(image.payload()).order(ByteOrder.LITTLE_ENDIAN);
    this.ips = ips;
    entriesAt = entries.offset();
    size = (int) (ips.size() / Integer.BYTES);
    int[] registers = new int[16];
    int[] types = new int[8];
    for (int i = 0; i < size; i++) {
      int word = word(i);
      registers[word & 15]++;
      types[word >> 8 & 7] += (word & 15) != 0 ? 1 : 0;
    }
    bases = registers[3] > registers[5] ? NEW : OLD;
    typesFrom64 = types[2] > types[0];
  }

  /** The table of an image; empty when it has none, or one of another shape. */
  public static Optional<OrcTable> of(GuestImage image) {
    Optional<Section> ips = image.section(".orc_unwind_ip").filter(Section::hasBytes);
    Optional<Section> entries = image.section(".orc_unwind").filter(Section::hasBytes);
    boolean usable =
        image.is64Bit()
            && ips.isPresent()
            && entries.isPresent()
            && ips.get().size() / Integer.BYTES == entries.get().size() / ENTRY;
    return usable ? Optional.of(new OrcTable(image, ips.get(), entries.get())) : Optional.empty();
  }

  /** Number of rows. */
  public int size() {
    return size;
  }

  private int word(int i) {
    return b.getShort(entriesAt + ENTRY * i + 4) & 0xffff;
  }

  /** The row in force at a link address; -1 before the first. */
  public int covering(long address) {
    int low = 0;
    int high = size;
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (address(mid) <= address) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    return low - 1;
  }

  private long address(int i) {
    int at = Integer.BYTES * i;
    return ips.address() + at + b.getInt(ips.offset() + at);
  }

  /** A row; they are in ascending order of their addresses. */
  public Row row(int i) {
    int word = word(i);
    Base frame = base(word & 15);
    return new Row(
        address(i),
        kind(frame, word >> 8),
        frame,
        b.getShort(entriesAt + ENTRY * i),
        base(word >> 4 & 15),
        b.getShort(entriesAt + ENTRY * i + 2));
  }

  private Base base(int number) {
    return number < bases.length ? bases[number] : Base.NONE;
  }

  private Kind kind(Base frame, int bits) {
    boolean end = typesFrom64 ? (bits & 7) == 1 : (bits & 4) != 0;
    if (end || frame == Base.NONE) {
      return end ? Kind.END : Kind.UNKNOWN;
    }
    return switch (typesFrom64 ? (bits & 7) - 2 : bits & 3) {
      case 0 -> Kind.CALL;
      case 1 -> Kind.REGISTERS;
      case 2 -> Kind.INTERRUPT;
      default -> Kind.UNKNOWN;
    };
  }
}
