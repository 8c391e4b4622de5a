package org.hypergraft.patcher.verify;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * The ORC unwinding tables fit the changed code: wherever an instruction of a changed site starts,
 * the entry in force counts the bytes that the site has pushed so far. Layout: {@code struct
 * orc_entry} of Linux {@code arch/x86/include/asm/orc_types.h}; the number that means the stack
 * pointer changed between versions (5, then 3), so it is taken to be the one most entries use.
 *
 * <p>5.10 is not checked: there the build tools do not know what the paravirtual sites become, and
 * the kernel's own patching leaves the same gaps.
 */
final class UnwindCheck {
  private static final String CHECK = "unwinding";
  private static final int ENTRY = 6;

  private final GuestImage image;
  private final Findings findings;
  private final ByteBuffer b;
  private final Section ips;
  private final Section entries;
  private int spRegister;
  private int looked;

  UnwindCheck(GuestImage image, Findings findings) {
    this.image = image;
    this.findings = findings;
    b = ByteBuffer.wrap(image.payload()).order(ByteOrder.LITTLE_ENDIAN);
    ips = table(".orc_unwind_ip", 4);
    entries = table(".orc_unwind", ENTRY);
  }

  private Section table(String name, int entry) {
    Optional<Section> s = image.section(name);
    return s.isPresent() && s.get().hasBytes() && s.get().size() % entry == 0 ? s.get() : null;
  }

  void run(ChangedCode changed, boolean sitesKnownToBuild) {
    if (!sitesKnownToBuild
        || ips == null
        || entries == null
        || ips.size() / 4 != entries.size() / ENTRY) {
      return;
    }
    spRegister = stackPointer();
    Insn in = new Insn();
    changed.forEach((i, address, offset, length) -> site(in, address, offset, length));
    findings.looked(CHECK, looked);
  }

  private int stackPointer() {
    int[] count = new int[16];
    int n = (int) (entries.size() / ENTRY);
    for (int i = 0; i < n; i++) {
      count[register(i)]++;
    }
    int most = 1; // 0 is "undefined"
    for (int r = 2; r < 16; r++) {
      most = count[r] > count[most] ? r : most;
    }
    return most;
  }

  private void site(Insn in, long address, int offset, int length) {
    int first = entryAt(address);
    if (first < 0 || register(first) != spRegister) {
      return; // unwound by the frame pointer, or not at all
    }
    if (callsItself(in, address, offset, length)) {
      return; // stuffs the return stack buffer: pushes in a loop and cleans up, which has its hints
    }
    looked++;
    int pushed = 0;
    int at = 0;
    while (at < length) {
      int n =
          Decoder.decode(
              image.payload(), offset + at, offset + length, address + at, image.elf().bits(), in);
      if (n == 0) {
        return;
      }
      if (at > 0) {
        int e = entryAt(address + at);
        if (register(e) == spRegister && stack(e) != stack(first) + pushed) {
          findings.add(
              CHECK,
              address + at,
              "%d bytes are pushed here, but the unwinding table counts %d"
                  .formatted(pushed, stack(e) - stack(first)));
          return;
        }
      }
      int change = stackChange(in);
      if (change == Integer.MIN_VALUE || isEnd(in)) {
        return;
      }
      pushed += change;
      at += n;
    }
  }

  private boolean callsItself(Insn in, long address, int offset, int length) {
    int at = 0;
    while (at < length) {
      int n =
          Decoder.decode(
              image.payload(), offset + at, offset + length, address + at, image.elf().bits(), in);
      if (n == 0) {
        return false;
      }
      if (in.mnemonic == Mnemonic.CALL
          && in.kind[0] == Insn.REL
          && in.imm >= address
          && in.imm < address + length) {
        return true;
      }
      at += n;
    }
    return false;
  }

  /** Whether what follows is reached from elsewhere, if at all. */
  private static boolean isEnd(Insn in) {
    return in.mnemonic == Mnemonic.JMP
        || in.mnemonic == Mnemonic.RET
        || in.mnemonic == Mnemonic.INT3
        || in.mnemonic == Mnemonic.UD2;
  }

  /** Bytes that an instruction pushes; MIN_VALUE when it sets the stack pointer some other way. */
  private static int stackChange(Insn in) {
    return switch (in.mnemonic) {
      case PUSH, PUSHF -> 8;
      case POP, POPF -> -8;
      case ADD, SUB, MOV, LEA, AND, XCHG, LEAVE, ENTER ->
          in.operands > 0 && in.kind[0] == Insn.GPR && in.reg[0] == 4 ? Integer.MIN_VALUE : 0;
      default -> 0;
    };
  }

  private int entryAt(long address) {
    int low = 0;
    int high = (int) (ips.size() / 4);
    while (low < high) {
      int mid = (low + high) >>> 1;
      long ip = ips.address() + 4L * mid + b.getInt(ips.offset() + 4 * mid);
      if (ip <= address) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    return low - 1;
  }

  private int stack(int entry) {
    return b.getShort(entries.offset() + ENTRY * entry);
  }

  private int register(int entry) {
    return b.getShort(entries.offset() + ENTRY * entry + 4) & 15;
  }
}
