package org.hypergraft.patcher.validate;

import java.util.Optional;
import java.util.OptionalLong;
import org.hypergraft.annotator.image.Btf;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.annotator.site.FunctionCode;

/**
 * Where a kernel keeps what its patching depends on: link addresses. Symbols and type information
 * tell; Debian's 32-bit kernels keep neither of data, there the patching code itself does, which
 * names each variable in an operand.
 *
 * @param capabilities {@code boot_cpu_data.x86_capability}
 * @param capabilityWords its 32-bit words
 * @param present {@code __cpu_present_mask}
 * @param possible {@code __cpu_possible_mask}
 * @param uniprocessor {@code uniproc_patched}
 * @param returnThunk {@code x86_return_thunk}
 * @param nopTable {@code ideal_nops}
 */
record KernelVariables(
    long capabilities,
    int capabilityWords,
    long present,
    OptionalLong possible,
    OptionalLong uniprocessor,
    OptionalLong returnThunk,
    OptionalLong nopTable) {
  // Variables of arch/x86/kernel/cpu/common.c, kernel/cpu.c and arch/x86/kernel/alternative.c.
  private static final String CPU_DATA = "boot_cpu_data";
  private static final String CPU_TYPE = "cpuinfo_x86";
  private static final String CAPABILITIES = "x86_capability";
  private static final String PRESENT = "__cpu_present_mask";
  private static final String POSSIBLE = "__cpu_possible_mask";
  private static final String UNIPROCESSOR = "uniproc_patched";
  private static final String RETURN_THUNK = "x86_return_thunk";
  private static final String NOP_TABLE = "ideal_nops";

  private static final String APPLY = "apply_alternatives";

  /** Capability and bug words: 22 and 2 in 6.1. */
  private static final int MAX_WORDS = 64;

  /**
   * Finds them.
   *
   * @throws ImageException when the image does not tell where one that is needed lies
   */
  static KernelVariables of(GuestImage image) {
    boolean named = image.symbols().contains(CPU_DATA) && image.symbols().contains(PRESENT);
    if (!named) {
      return new Code(image).find();
    }
    Btf.Member member =
        image
            .btf()
            .flatMap(btf -> btf.member(CPU_TYPE, CAPABILITIES))
            .orElseThrow(
                () ->
                    new ImageException(
                        "%s: no type information tells where %s.%s lies"
                            .formatted(image.name(), CPU_TYPE, CAPABILITIES)));
    return new KernelVariables(
        image.symbols().addressOf(CPU_DATA) + member.offset(),
        (int) (member.size() / Integer.BYTES),
        image.symbols().addressOf(PRESENT),
        symbol(image, POSSIBLE),
        symbol(image, UNIPROCESSOR),
        symbol(image, RETURN_THUNK),
        symbol(image, NOP_TABLE));
  }

  private static OptionalLong symbol(GuestImage image, String name) {
    Optional<Symbol> s = image.symbols().find(name);
    return s.isEmpty() ? OptionalLong.empty() : OptionalLong.of(s.get().address());
  }

  /** Reads the operands of 32-bit patching code. */
  private static final class Code {
    private final GuestImage image;
    private long capabilities;
    private int words;
    private long present;
    private OptionalLong possible = OptionalLong.empty();
    private OptionalLong uniprocessor = OptionalLong.empty();

    Code(GuestImage image) {
      this.image = image;
    }

    KernelVariables find() {
      if (!image.is64Bit()) {
        capabilities();
        processors();
      }
      if (capabilities == 0 || words == 0 || present == 0) {
        throw new ImageException(
            "%s: neither symbols nor the code of %s and %s tell where the CPU's capabilities and"
                    .formatted(image.name(), APPLY, FunctionCode.PATCHING)
                + " the present processors are kept, which is needed to see what the kernel"
                + " decides");
      }
      return new KernelVariables(
          capabilities,
          words,
          present,
          possible,
          uniprocessor,
          OptionalLong.empty(),
          OptionalLong.empty());
    }

    /**
     * {@code apply_alternatives()} compares an entry's feature with the last there is, and tests
     * its bit.
     */
    private void capabilities() {
      int last = -1;
      FunctionCode code = FunctionCode.of(image, APPLY);
      for (Insn in = code.next(); in != null; in = code.next()) {
        if (in.mnemonic == Mnemonic.CMP && in.kind[1] == Insn.IMM && in.opSize == 2) {
          last = (int) in.imm & 0xffff;
        } else if (in.mnemonic == Mnemonic.BT && isVariable(in, 0) && in.kind[1] == Insn.GPR) {
          capabilities = in.disp & 0xffff_ffffL;
          words = (last + 1) % 32 == 0 && (last + 1) / 32 <= MAX_WORDS ? (last + 1) / 32 : 0;
          return;
        }
      }
    }

    /**
     * {@code alternative_instructions()} counts the present and then the possible processors, each
     * time comparing with one, and notes in between that it removed the lock prefixes.
     */
    private void processors() {
      long argument = 0;
      boolean called = false;
      FunctionCode code = FunctionCode.of(image, FunctionCode.PATCHING);
      for (Insn in = code.next(); in != null; in = code.next()) {
        if (in.mnemonic == Mnemonic.MOV && in.kind[0] == Insn.GPR && in.kind[1] == Insn.IMM) {
          argument = in.reg[0] == 0 ? in.imm & 0xffff_ffffL : argument;
          called = false;
        } else if (in.mnemonic == Mnemonic.CALL) {
          called = true;
        } else if (in.mnemonic == Mnemonic.DEC && called && in.kind[0] == Insn.GPR) {
          if (present == 0) {
            present = argument;
          } else {
            possible = OptionalLong.of(argument);
          }
        } else if (in.mnemonic == Mnemonic.MOV
            && in.opSize == 1
            && isVariable(in, 0)
            && in.kind[1] == Insn.IMM
            && in.imm == 1) {
          uniprocessor = OptionalLong.of(in.disp & 0xffff_ffffL);
        }
      }
    }

    private static boolean isVariable(Insn in, int operand) {
      return in.kind[operand] == Insn.MEM && in.base < 0 && in.index < 0 && in.dispSize == 4;
    }
  }
}
