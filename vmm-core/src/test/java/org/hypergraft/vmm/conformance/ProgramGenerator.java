package org.hypergraft.vmm.conformance;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * Makes cases of whole programs: 5 to 30 random instructions with forward branches, run in a short
 * loop. RBX and R11 point into the memory window, RSP is a stack in it, R10 (in 32-bit code EBP)
 * counts the rounds; no instruction writes them otherwise.
 */
final class ProgramGenerator {
  /** Instructions with operands or effects that do not fit in. */
  private static final Set<Mnemonic> UNFIT =
      EnumSet.of(
          Mnemonic.MOVS,
          Mnemonic.CMPS,
          Mnemonic.STOS,
          Mnemonic.LODS,
          Mnemonic.SCAS,
          Mnemonic.MASKMOVDQU,
          Mnemonic.MASKMOVQ,
          Mnemonic.VMASKMOVDQU,
          Mnemonic.XLAT,
          Mnemonic.ENTER,
          Mnemonic.LEAVE,
          Mnemonic.POPA,
          Mnemonic.RET,
          Mnemonic.CALL,
          Mnemonic.JMP,
          Mnemonic.POPF,
          // results that are undefined for some operands
          Mnemonic.BSF,
          Mnemonic.BSR);

  private static final int RBX = 3;
  private static final int RSP = 4;
  private static final int RBP = 5;
  private static final int R10 = 10;
  private static final int R11 = 11;

  /** CMP RAX, RCX: defines all status flags. */
  private static final byte[] DEFINE_FLAGS = {0x48, 0x39, (byte) 0xc8};

  private static final byte[] DEFINE_FLAGS_32 = {0x39, (byte) 0xc8};
  private static final byte[] DEC_R10 = {0x49, (byte) 0xff, (byte) 0xca};
  private static final byte[] DEC_EBP = {(byte) 0xff, (byte) 0xcd};

  /**
   * A direct branch.
   *
   * @param index of the instruction
   * @param immSize bytes of its displacement
   */
  private record Branch(int index, int immSize) {}

  private final Random random;
  private final List<Form> forms = new ArrayList<>();
  private final UndefinedFlags undefined = UndefinedFlags.load();
  private final Insn insn = new Insn();

  /** Whether the forms are of 32-bit code. */
  private final boolean narrow;

  /**
   * @param all forms of one code size
   */
  ProgramGenerator(long seed, List<Form> all) {
    random = new Random(seed);
    narrow = all.get(0).mode == 32;
    for (Form f : all) {
      if (!UNFIT.contains(f.mnemonic) && !f.mnemonic.name().contains("GATHER")) {
        forms.add(f);
      }
    }
  }

  List<TestCase> programs(int count) {
    List<TestCase> list = new ArrayList<>();
    while (list.size() < count) {
      list.add(program());
    }
    return list;
  }

  private TestCase program() {
    int length = 5 + random.nextInt(26);
    List<byte[]> code = new ArrayList<>();
    List<Branch> branches = new ArrayList<>();
    // programs keep to one kind of instruction half of the time: then values travel between them
    String kind = random.nextBoolean() ? forms.get(random.nextInt(forms.size())).key : null;
    int size = 0;
    while (code.size() < length && size < MachineState.CODE_CAPACITY - 60) {
      byte[] bytes = instruction(kind);
      if (bytes == null) {
        continue;
      }
      if (insn.kind[0] == Insn.REL) {
        branches.add(new Branch(code.size(), insn.immSize));
      }
      code.add(bytes);
      size += bytes.length;
      if (undefined.any(insn)) {
        byte[] define = narrow ? DEFINE_FLAGS_32 : DEFINE_FLAGS;
        code.add(define);
        size += define.length;
      }
    }
    link(code, branches);
    long seed = random.nextInt() & 0xffffffffL;
    StateGenerator.Style[] styles = StateGenerator.Style.values();
    StateGenerator.Style style = styles[random.nextInt(styles.length)];
    MachineState s = StateGenerator.state(seed, style);
    s.gpr(RBX, MachineState.WINDOW_ADDRESS + 192 - 64 * random.nextInt(2));
    s.gpr(R11, MachineState.WINDOW_ADDRESS + 256);
    s.gpr(RSP, MachineState.WINDOW_ADDRESS + 448);
    int rounds = 1 + random.nextInt(4);
    if (narrow) {
      s.put64(MachineState.MODE, 32);
      s.gpr(RBP, rounds);
      for (int i = 0; i < 16; i++) {
        s.gpr(i, i < 8 ? s.gpr(i) & 0xffff_ffffL : 0);
      }
    } else {
      s.gpr(R10, rounds);
    }
    s.code(assemble(code));
    return new TestCase("program", s, 0, TestCase.Tolerance.EXACT, seed, style);
  }

  /** A random instruction, decoded in {@link #insn}, or null when it does not fit. */
  private byte[] instruction(String kind) {
    Form form = forms.get(random.nextInt(forms.size()));
    if (kind != null && !alike(kind, form.key) && random.nextInt(20) != 0) {
      return null;
    }
    int displacement = 32 * (random.nextInt(5) - 2) + (random.nextInt(12) == 0 ? 3 : 0);
    byte[] bytes = form.encodeNear(random, insn, displacement);
    if (bytes == null
        || TestCase.Tolerance.of(insn) != TestCase.Tolerance.EXACT
        || insn.addrSize != (narrow ? 4 : 8)
        || insn.kind[0] == Insn.REL && insn.immSize == 2 // leaves the code: IP is cut to 16 bits
        || insn.index >= 0
        || insn.hasMemory() && insn.base != RBX && insn.base != R11) {
      return null;
    }
    for (int i = 0; i < insn.operands; i++) {
      boolean general = insn.kind[i] == Insn.GPR || insn.kind[i] == Insn.GPR_HIGH;
      if (general && reserved(insn.kind[i], insn.reg[i])) {
        return null;
      }
    }
    switch (insn.mnemonic) {
      case DIV:
      case IDIV:
        return random.nextInt(10) == 0 ? bytes : null;
      case BT:
      case BTC:
      case BTR:
      case BTS:
        // a bit offset in a register reaches anywhere
        return insn.hasMemory() && insn.kind[1] == Insn.GPR ? null : bytes;
      default:
        return bytes;
    }
  }

  private boolean reserved(int kind, int register) {
    if (kind == Insn.GPR_HIGH) {
      return register == RBX;
    }
    boolean counter = register == (narrow ? RBP : R10);
    return register == RBX || register == RSP || counter || register == R11;
  }

  /** Same family: both x87, both vector, or both neither. */
  private static boolean alike(String a, String b) {
    return family(a) == family(b);
  }

  private static int family(String key) {
    if (key.startsWith("F")) {
      return 0;
    }
    String vector = " " + Insn.XMM + ":";
    return key.contains(vector) || key.contains(" " + Insn.MM + ":") ? 1 : 2;
  }

  /** Directs each branch to a random later instruction. */
  private void link(List<byte[]> code, List<Branch> branches) {
    for (Branch branch : branches) {
      int from = branch.index;
      byte[] bytes = code.get(from);
      int to = from + 1 + random.nextInt(code.size() - from);
      int distance = 0;
      for (int i = from + 1; i < to; i++) {
        distance += code.get(i).length;
      }
      int field = branch.immSize;
      if (field == 1 && distance > 127) {
        distance = 0;
      }
      for (int i = 0; i < field; i++) {
        bytes[bytes.length - field + i] = (byte) (distance >> 8 * i);
      }
    }
  }

  /** The instructions, then DEC of the counter and JNZ to the start. */
  private byte[] assemble(List<byte[]> code) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    code.forEach(out::writeBytes);
    out.writeBytes(narrow ? DEC_EBP : DEC_R10);
    int back = -(out.size() + 6);
    out.writeBytes(new byte[] {0x0f, (byte) 0x85});
    for (int i = 0; i < 32; i += 8) {
      out.write(back >> i);
    }
    return out.toByteArray();
  }
}
