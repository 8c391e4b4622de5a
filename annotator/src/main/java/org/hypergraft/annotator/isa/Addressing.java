package org.hypergraft.annotator.isa;

/** Memory operand forms of ModRM and SIB (Intel SDM vol. 2 2.1.5 and 2.2.1). */
final class Addressing {
  /** Base and index of the 16-bit forms, by ModRM.rm. */
  private static final byte[] BASE_16 = {3, 3, 5, 5, 6, 7, 5, 3};

  private static final byte[] INDEX_16 = {6, 7, 6, 7, -1, -1, -1, -1};

  private static final int SS = 2;

  private Addressing() {}

  /**
   * Reads SIB and displacement after a ModRM byte with mod below 3.
   *
   * @param factor what an 8-bit displacement is multiplied with, 0 for legacy and VEX encodings
   */
  static boolean read(byte[] code, int start, Insn in, int modrm, int factor) {
    int mod = modrm >> 6;
    int rm = modrm & 7;
    int size = mod == 2 ? 4 : mod;
    if (in.addrSize == 2) {
      if (mod == 2) {
        size = 2;
      }
      if (mod == 0 && rm == 6) {
        size = 2;
      } else {
        in.base = BASE_16[rm];
        in.index = INDEX_16[rm];
      }
    } else if (rm == 4) {
      if (in.at >= in.end) {
        return false;
      }
      int sib = code[in.at++] & 0xff;
      in.sib = sib;
      int index = (sib >> 3 & 7) | in.extX;
      if (index != 4) {
        in.index = index;
        in.scale = 1 << (sib >> 6);
      }
      if ((sib & 7) == 5 && mod == 0) {
        size = 4;
      } else {
        in.base = (sib & 7) | in.extB;
      }
    } else if (rm == 5 && mod == 0) {
      size = 4;
      if (in.mode == 64) {
        in.base = Insn.RIP;
      }
    } else {
      in.base = rm | in.extB;
    }
    if (!in.segmentOverride && (in.base == 5 || (in.base == 4 && in.addrSize != 2))) {
      in.segment = SS;
    }
    if (size == 0) {
      return true;
    }
    int p = in.at;
    if (in.end - p < size) {
      in.at = in.end;
      return false;
    }
    in.dispOffset = p - start;
    in.dispSize = size;
    in.at = p + size;
    if (size == 1) {
      in.disp = factor > 1 ? (long) code[p] * factor : code[p];
    } else {
      in.disp = signed(code, p, size);
    }
    return true;
  }

  /** Little-endian signed value of 1, 2, 4 or 8 bytes. */
  static long signed(byte[] code, int p, int size) {
    return switch (size) {
      case 1 -> code[p];
      case 2 -> (short) ((code[p] & 0xff) | code[p + 1] << 8);
      case 4 -> u16(code, p) | (long) (short) u16(code, p + 2) << 16;
      default ->
          u16(code, p)
              | (long) u16(code, p + 2) << 16
              | (long) u16(code, p + 4) << 32
              | (long) u16(code, p + 6) << 48;
    };
  }

  private static int u16(byte[] code, int p) {
    return (code[p] & 0xff) | (code[p + 1] & 0xff) << 8;
  }
}
