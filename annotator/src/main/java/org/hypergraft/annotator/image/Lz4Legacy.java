package org.hypergraft.annotator.image;

import java.lang.invoke.VarHandle;

/**
 * Decoder for LZ4 legacy frames: a magic word, then blocks of at most 8 MiB, each led by its
 * compressed length (lz4_Frame_format.md, "Legacy frame"; block coding from lz4_Block_format.md).
 */
final class Lz4Legacy {
  static final int MAGIC = 0x184c2102;

  /** Most bytes one legacy block expands to. */
  static final int BLOCK = 8 << 20;

  private static final VarHandle LONG = LittleEndian.LONG;

  /** Shortest match; the token stores the length above it. */
  private static final int MIN_MATCH = 4;

  private Lz4Legacy() {}

  static void decode(byte[] in, int from, int to, Output out) {
    int at = from;
    while (to - at >= 4) {
      int word = LittleEndian.s32(in, at);
      at += 4;
      if (word == MAGIC) {
        continue; // frames may follow one another
      }
      if (word <= 0 || word > to - at) {
        throw new ImageException(
            "lz4 block at payload byte 0x%x claims %d bytes, but %d are left"
                .formatted(at - 4 - from, word & 0xffff_ffffL, to - at));
      }
      int room = out.reserve(BLOCK);
      out.position = block(in, from, at, at + word, out.buffer, out.position, room);
      at += word;
    }
    if (at != to) {
      throw new ImageException(
          "lz4 stream ends with %d stray bytes after its last block".formatted(to - at));
    }
  }

  /**
   * Decodes one block to {@code out[start..start+room)} and returns the position after its last
   * byte. Copies run in 8-byte steps that may write past the current position, never past the
   * buffer; what lies there is overwritten later or not part of the result.
   */
  private static int block(
      byte[] in, int origin, int from, int end, byte[] out, int start, int room) {
    int limit = start + room;
    int fastIn = end - 16;
    int fastOut = limit - 32;
    int ip = from;
    int op = start;
    while (ip < end) {
      int token = in[ip++] & 0xff;
      int literals = token >>> 4;
      if (literals < 15 && ip <= fastIn && op <= fastOut) {
        LONG.set(out, op, (long) LONG.get(in, ip));
        LONG.set(out, op + 8, (long) LONG.get(in, ip + 8));
      } else {
        if (literals == 15) {
          int more;
          do {
            if (ip >= end) {
              throw damaged(origin, ip, "a literal length runs past the block");
            }
            more = in[ip++] & 0xff;
            literals += more;
          } while (more == 255 && literals >= 0);
        }
        if (literals < 0 || literals > end - ip) {
          throw damaged(origin, ip, "a literal run leaves the block");
        }
        if (literals > limit - op) {
          throw damaged(origin, ip, "the output grows past its declared size");
        }
        System.arraycopy(in, ip, out, op, literals);
      }
      ip += literals;
      op += literals;
      if (ip == end) {
        return op; // a block ends with literals
      }
      if (end - ip < 2) {
        throw damaged(origin, ip, "a match offset is cut off");
      }
      int distance = LittleEndian.u16(in, ip);
      ip += 2;
      int match = op - distance;
      if (distance == 0 || match < start) {
        throw damaged(origin, ip, "a match reaches before the block");
      }
      int length = (token & 15) + MIN_MATCH;
      if (length == 15 + MIN_MATCH) {
        int more;
        do {
          if (ip >= end) {
            throw damaged(origin, ip, "a match length runs past the block");
          }
          more = in[ip++] & 0xff;
          length += more;
        } while (more == 255 && length >= 0);
      }
      int stop = op + length;
      if (stop < op || stop > limit) {
        throw damaged(origin, ip, "the output grows past its declared size");
      }
      if (distance >= 8 && stop <= fastOut) {
        LONG.set(out, op, (long) LONG.get(out, match));
        LONG.set(out, op + 8, (long) LONG.get(out, match + 8));
        if (length > 16) {
          if (distance >= length && length > 64) {
            System.arraycopy(out, match, out, op, length);
          } else {
            for (int k = 16; k < length; k += 8) {
              LONG.set(out, op + k, (long) LONG.get(out, match + k));
            }
          }
        }
      } else {
        copyOverlapping(out, match, op, stop, distance);
      }
      op = stop;
    }
    throw damaged(origin, ip, "the block does not end with literals");
  }

  private static void copyOverlapping(byte[] out, int match, int op, int stop, int distance) {
    if (distance == 1) {
      java.util.Arrays.fill(out, op, stop, out[match]);
      return;
    }
    for (int from = match, to = op; to < stop; ) {
      out[to++] = out[from++];
    }
  }

  private static ImageException damaged(int origin, int at, String why) {
    return new ImageException(
        "damaged lz4 data at payload byte 0x%x: %s".formatted(at - origin, why));
  }
}
