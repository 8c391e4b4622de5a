package org.hypergraft.annotator.isa;

import java.util.HashMap;
import java.util.Map;

/**
 * Operand notation of the opcode table: an addressing method and a size, in the manner of Intel SDM
 * vol. 2 appendix A.2, extended for vector, mask, bound and tile registers. A parsed operand is
 * {@code method | size << 8}.
 */
final class Notation {
  // Addressing methods.

  /** GPR or memory by ModRM.rm. */
  static final int E = 1;

  /** GPR by ModRM.reg. */
  static final int G = 2;

  /** GPR by ModRM.rm, register form only. */
  static final int R = 3;

  /** Memory only. */
  static final int M = 4;

  /** GPR in the low bits of the opcode. */
  static final int Z = 5;

  /** GPR by VEX.vvvv. */
  static final int B = 6;

  /** Control, debug and segment registers by ModRM.reg. */
  static final int C = 7;

  static final int D = 8;
  static final int S = 9;

  /** Vector registers: ModRM.reg, rm or memory, rm only, vvvv, high nibble of the immediate. */
  static final int V = 10;

  static final int W = 11;
  static final int U = 12;
  static final int H = 13;
  static final int L = 14;

  /** MMX registers: ModRM.reg, rm or memory, rm only. */
  static final int P = 15;

  static final int Q = 16;
  static final int N = 17;

  /** Mask registers: ModRM.reg, rm or memory, rm only, vvvv. */
  static final int KG = 18;

  static final int KE = 19;
  static final int KR = 20;
  static final int KB = 21;

  /** Tile registers: ModRM.reg, rm, vvvv. */
  static final int TG = 22;

  static final int TR = 23;
  static final int TB = 24;

  /** Bound registers: ModRM.reg, rm or memory. */
  static final int BG = 25;

  static final int BE = 26;

  /** Immediate, relative branch, far pointer, absolute memory offset. */
  static final int I = 27;

  static final int J = 28;
  static final int A = 29;
  static final int O = 30;

  /** VSIB memory whose index register has the full vector length, or half of it. */
  static final int XM = 31;

  static final int YM = 32;

  /** Accumulator, CL, DX. */
  static final int ACC = 33;

  static final int CL = 34;
  static final int DX = 35;

  /** A segment register named by the row; the size field is its number. */
  static final int SEGMENT = 36;

  static final int ST0 = 37;
  static final int STI = 38;

  /** The constant 1 of the D0/D1 shifts. */
  static final int ONE = 39;

  // Sizes.
  static final int NONE = 0;
  static final int BYTE = 1;
  static final int WORD = 2;
  static final int DWORD = 3;
  static final int QWORD = 4;
  static final int TBYTE = 5;
  static final int XMMWORD = 6;
  static final int YMMWORD = 7;
  static final int ZMMWORD = 8;

  /** Operand size 2, 4 or 8. */
  static final int VARIABLE = 9;

  /** Operand size but at most 4. */
  static final int Z_SIZE = 10;

  /** 8 with W, else 4. */
  static final int Y_SIZE = 11;

  /** 8 in 64-bit mode, else 4. */
  static final int NATIVE = 12;

  /** Register of the operand size or a memory word. */
  static final int VARIABLE_OR_WORD = 13;

  /** Register of 4 bytes or a memory word, byte. */
  static final int DWORD_OR_WORD = 14;

  static final int DWORD_OR_BYTE = 15;

  /** Descriptor table register image: 10 bytes in 64-bit mode, else 6. */
  static final int TABLE = 16;

  /** Far pointer: operand size + 2. */
  static final int POINTER = 17;

  /** Pair of operand-size bounds. */
  static final int PAIR = 18;

  /** Vector length, its half, quarter and eighth. */
  static final int VECTOR = 19;

  static final int HALF = 20;
  static final int QUARTER = 21;
  static final int EIGHTH = 22;

  /** Vector length but 8 when that is 16 (MOVDDUP). */
  static final int DUPLICATE = 23;

  static final int ADDRESS = 24;

  /** Immediate byte, sign-extended to the operand size. */
  static final int SIGNED_BYTE = 25;

  /** Low four bits of the byte that names an {@link #L} register. */
  static final int NIBBLE = 26;

  private static final Map<String, Integer> METHODS = new HashMap<>();
  private static final Map<String, Integer> SIZES = new HashMap<>();
  private static final Map<String, Integer> FIXED = new HashMap<>();

  static {
    String[] methods =
        "E G R M Z B C D S V W U H L P Q N KG KE KR KB TG TR TB BG BE I J A O XM YM".split(" ");
    for (int i = 0; i < methods.length; i++) {
      METHODS.put(methods[i], i + 1);
    }
    String[] sizes = ". b w d q t dq qq oq v z y r vw dw db ts p vv x h f e dup a s n".split(" ");
    for (int i = 1; i < sizes.length; i++) {
      SIZES.put(sizes[i], i);
    }
    SIZES.put("", NONE);
    FIXED.put("AL", of(ACC, BYTE));
    FIXED.put("AX", of(ACC, WORD));
    FIXED.put("eAX", of(ACC, Z_SIZE));
    FIXED.put("rAX", of(ACC, VARIABLE));
    FIXED.put("CL", of(CL, BYTE));
    FIXED.put("DX", of(DX, WORD));
    FIXED.put("ST0", of(ST0, TBYTE));
    FIXED.put("STi", of(STI, TBYTE));
    FIXED.put("1", of(ONE, BYTE));
    String[] segments = {"ES", "CS", "SS", "DS", "FS", "GS"};
    for (int i = 0; i < segments.length; i++) {
      FIXED.put(segments[i], of(SEGMENT, i));
    }
  }

  private Notation() {}

  private static int of(int method, int size) {
    return method | size << 8;
  }

  /** Parses one operand, for example {@code Ev} or {@code rAX}. */
  static int parse(String token) {
    Integer fixed = FIXED.get(token);
    if (fixed != null) {
      return fixed;
    }
    int letters = 0;
    while (letters < token.length() && Character.isUpperCase(token.charAt(letters))) {
      letters++;
    }
    Integer method = METHODS.get(token.substring(0, letters));
    Integer size = SIZES.get(token.substring(letters));
    if (method == null || size == null) {
      throw new IllegalStateException("opcode table: unknown operand \"" + token + "\"");
    }
    return of(method, size);
  }

  /** Whether the method needs a ModRM byte. */
  static boolean needsModRm(int method) {
    return switch (method) {
      case Z, B, H, L, KB, TB, I, J, A, O, ACC, CL, DX, SEGMENT, ST0, STI, ONE -> false;
      default -> true;
    };
  }

  static boolean needsMemory(int method) {
    return method == M || method == XM || method == YM;
  }

  static boolean needsRegister(int method) {
    return method == R || method == U || method == N || method == KR || method == TR;
  }

  static boolean mayBeMemory(int method) {
    return method == E
        || method == W
        || method == Q
        || method == KE
        || method == BE
        || needsMemory(method);
  }

  static boolean usesVvvv(int method) {
    return method == B || method == H || method == KB || method == TB;
  }
}
