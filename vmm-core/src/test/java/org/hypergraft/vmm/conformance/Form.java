package org.hypergraft.vmm.conformance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * One encoding form: a mnemonic with operand kinds and sizes, and the bytes that lead to it. Forms
 * are found by asking the decoder about every opcode of every map under every prefix, so a form
 * that the decoder learns is tested from then on.
 */
final class Form {
  private static final int ATTEMPTS = 500;

  /** Prefixes and opcode; with VEX, W and L included. */
  final byte[] lead;

  /** Memory operand (ModRM.mod below 3), or not. */
  final boolean memory;

  final Mnemonic mnemonic;
  final String key;

  /** Code size in bits: 64 or 32. */
  final int mode;

  private Form(byte[] lead, boolean memory, Insn insn, String key) {
    this.lead = lead;
    this.memory = memory;
    this.mnemonic = insn.mnemonic;
    mode = insn.mode;
    this.key = key;
  }

  /**
   * A random encoding of this form, decoded into {@code insn}.
   *
   * @return its bytes, or null when no roll of the dice gave this form
   */
  byte[] encode(Random random, Insn insn) {
    byte[] code = new byte[lead.length + 15];
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      random.nextBytes(code);
      System.arraycopy(lead, 0, code, 0, lead.length);
      freeBits(code, random);
      int modrm = code[lead.length] & 0xff;
      if (!memory) {
        code[lead.length] = (byte) (modrm | 0xc0);
      } else if (modrm >= 0xc0) {
        code[lead.length] = (byte) (modrm & 0x7f);
      }
      int n = Decoder.decode(code, 0, code.length, MachineState.CODE_ADDRESS, mode, insn);
      if (n != 0 && key(insn).equals(key)) {
        return Arrays.copyOf(code, n);
      }
    }
    return null;
  }

  /**
   * As {@link #encode}, with a memory operand of base RBX or R11 and a small displacement.
   *
   * @param displacement of the memory operand
   */
  byte[] encodeNear(Random random, Insn insn, int displacement) {
    byte[] code = new byte[lead.length + 20];
    int at = lead.length;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      random.nextBytes(code);
      System.arraycopy(lead, 0, code, 0, lead.length);
      freeBits(code, random);
      if (memory) {
        code[at] = (byte) (0x80 | code[at] & 0x38 | 3); // [base + disp32]
        for (int i = 0; i < 4; i++) {
          code[at + 1 + i] = (byte) (displacement >> 8 * i);
        }
      } else {
        code[at] |= (byte) 0xc0;
      }
      int n = Decoder.decode(code, 0, code.length, MachineState.CODE_ADDRESS, mode, insn);
      if (n != 0 && key(insn).equals(key)) {
        return Arrays.copyOf(code, n);
      }
    }
    return null;
  }

  /** Register extension bits of REX and VEX prefixes. */
  private void freeBits(byte[] code, Random random) {
    for (int i = 0; i < lead.length; i++) {
      int b = lead[i] & 0xff;
      if ((b & 0xf0) == 0x40 && mode == 64) {
        code[i] = (byte) (b & 0x48 | random.nextInt(8));
        return;
      }
      if (b == 0xc4 && mode == 64) {
        code[i + 1] = (byte) (b(lead[i + 1]) & 0x1f | random.nextInt(8) << 5);
        vvvv(code, i + 2, random);
        return;
      }
      if (b == 0xc5 && mode == 64) {
        code[i + 1] = (byte) (b(lead[i + 1]) & 0x7f | random.nextInt(2) << 7);
        vvvv(code, i + 1, random);
        return;
      }
      if (b != 0x66 && b != 0x67 && b != 0xf2 && b != 0xf3 && b != 0xf0) {
        return;
      }
    }
  }

  private static int b(byte v) {
    return v & 0xff;
  }

  private void vvvv(byte[] code, int at, Random random) {
    // many forms demand 1111; encode() rejects what does not decode
    int v = random.nextBoolean() ? 15 : random.nextInt(16);
    code[at] = (byte) (code[at] & ~0x78 | v << 3);
  }

  static String key(Insn insn) {
    StringBuilder s = new StringBuilder(insn.mnemonic.name());
    for (int i = 0; i < insn.operands; i++) {
      s.append(' ').append(insn.kind[i]).append(':').append(insn.size[i]);
    }
    s.append('|').append(insn.opSize).append('|').append(insn.encoding);
    s.append(insn.lock ? "|lock" : "").append(insn.rep ? "|rep" : "");
    s.append(insn.repne ? "|repne" : "").append(insn.addrSize == 4 ? "|a32" : "");
    return s.toString();
  }

  private static final int[][] PREFIXES = {
    {},
    {0x66},
    {0xf2},
    {0xf3},
    {0x40},
    {0x48},
    {0x66, 0x48},
    {0xf2, 0x48},
    {0xf3, 0x48},
    {0x66, 0x40},
    {0xf2, 0x40},
    {0xf3, 0x40},
    {0xf0},
    {0xf0, 0x48},
    {0xf0, 0x66},
    {0x67},
    {0x67, 0x48},
    {0xf3, 0x67},
    {0x66, 0xf2},
    {0x66, 0xf2, 0x48},
    {0x66, 0xf3}
  };

  private static final int[][] PREFIXES_32 = {
    {},
    {0x66},
    {0xf2},
    {0xf3},
    {0xf0},
    {0x66, 0xf0},
    {0x67},
    {0x66, 0x67},
    {0x66, 0xf2},
    {0x66, 0xf3}
  };

  private static final int[][] MAPS = {{}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};

  /** All legacy-encoded forms of 32-bit code. */
  static List<Form> compatibility(Set<Mnemonic> excluded) {
    Set<String> found = new HashSet<>();
    List<Form> forms = new ArrayList<>();
    Insn insn = new Insn();
    for (int[] map : MAPS) {
      for (int opcode = 0; opcode < 256; opcode++) {
        boolean rex = (opcode & 0xf0) == 0x40;
        if (map.length == 0 && prefix(opcode) && !rex) {
          continue;
        }
        for (int[] prefix : PREFIXES_32) {
          probe(lead(prefix, map, opcode), 32, insn, excluded, found, forms);
        }
      }
    }
    return forms;
  }

  /** All forms of instructions that user mode can run and {@code excluded} does not name. */
  static List<Form> all(Set<Mnemonic> excluded) {
    Set<String> found = new HashSet<>();
    List<Form> forms = new ArrayList<>();
    Insn insn = new Insn();
    for (int[] map : MAPS) {
      for (int opcode = 0; opcode < 256; opcode++) {
        if (map.length == 0 && prefix(opcode)) {
          continue;
        }
        for (int[] prefix : PREFIXES) {
          probe(lead(prefix, map, opcode), 64, insn, excluded, found, forms);
        }
      }
    }
    for (int map = 1; map <= 3; map++) {
      for (int pp = 0; pp < 4; pp++) {
        for (int wl = 0; wl < 4; wl++) {
          for (int opcode = 0; opcode < 256; opcode++) {
            int last = (wl & 1) << 7 | 0x78 | (wl >> 1) << 2 | pp;
            byte[] lead = {(byte) 0xc4, (byte) (0xe0 | map), (byte) last, (byte) opcode};
            probe(lead, 64, insn, excluded, found, forms);
          }
        }
      }
    }
    return forms;
  }

  private static boolean prefix(int b) {
    return b == 0x0f
        || b == 0x26
        || b == 0x2e
        || b == 0x36
        || b == 0x3e
        || b >= 0x40 && b < 0x50
        || b >= 0x64 && b < 0x68
        || b == 0xc4
        || b == 0xc5
        || b == 0x62
        || b == 0xf0
        || b == 0xf2
        || b == 0xf3;
  }

  private static byte[] lead(int[] prefix, int[] map, int opcode) {
    byte[] lead = new byte[prefix.length + map.length + 1];
    int n = 0;
    for (int p : prefix) {
      lead[n++] = (byte) p;
    }
    for (int m : map) {
      lead[n++] = (byte) m;
    }
    lead[n] = (byte) opcode;
    return lead;
  }

  private static void probe(
      byte[] lead,
      int mode,
      Insn insn,
      Set<Mnemonic> excluded,
      Set<String> found,
      List<Form> forms) {
    byte[] code = new byte[lead.length + 15];
    System.arraycopy(lead, 0, code, 0, lead.length);
    for (int modrm = 0; modrm < 256; modrm++) {
      if ((modrm >> 6) == 1 || (modrm >> 6) == 2) {
        continue;
      }
      code[lead.length] = (byte) modrm;
      code[lead.length + 1] = 0x20; // a SIB byte without index, usable base
      int n = Decoder.decode(code, 0, code.length, MachineState.CODE_ADDRESS, mode, insn);
      if (n == 0
          || excluded.contains(insn.mnemonic)
          || insn.encoding > 1
          || Excluded.system(insn)) {
        continue;
      }
      boolean memory = modrm < 0xc0;
      String key = key(insn);
      if (found.add(key + TestCase.hex(lead) + memory)) {
        forms.add(new Form(lead, memory, insn, key));
      }
    }
  }

  static Set<Mnemonic> mnemonics(List<Form> forms) {
    Set<Mnemonic> set = EnumSet.noneOf(Mnemonic.class);
    forms.forEach(f -> set.add(f.mnemonic));
    return set;
  }
}
