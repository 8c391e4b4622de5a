package org.hypergraft.annotator.image;

import java.util.zip.Adler32;
import java.util.zip.CRC32;
import java.util.zip.Checksum;

/**
 * Decoder for the lzop container and its LZO1X blocks. The stream coding is the one of the kernel's
 * Documentation/staging/lzo.rst; the container's fields are those lib/decompress_unlzo.c reads.
 */
final class Lzo {
  /** Header flags: checksums over expanded (D) and compressed (C) data, a filter, CRC header. */
  private static final int ADLER32_D = 0x1;

  private static final int ADLER32_C = 0x2;
  private static final int CRC32_D = 0x100;
  private static final int CRC32_C = 0x200;
  private static final int HAS_FILTER = 0x800;

  /** Container version from which level, high time word and needed version are present. */
  private static final int VERSION_0940 = 0x0940;

  /** lzop's own upper bound for one block. */
  private static final int MAX_BLOCK = 64 << 20;

  private final byte[] in;
  private final int origin;
  private final int end;
  private int ip;

  private Lzo(byte[] in, int from, int to) {
    this.in = in;
    this.origin = from;
    this.end = to;
    this.ip = from;
  }

  static void decode(byte[] in, int from, int to, Output out) {
    new Lzo(in, from, to).container(out);
  }

  private void container(Output out) {
    ip += 9; // magic, already recognized
    int version = be16();
    be16(); // library version
    boolean modern = version >= VERSION_0940;
    if (modern) {
      be16(); // version needed to extract
    }
    u8(); // method: every one of them is LZO1X
    if (modern) {
      u8(); // level
    }
    int flags = be32();
    if ((flags & HAS_FILTER) != 0) {
      throw damaged("a filtered lzop stream, which no kernel build writes");
    }
    be32(); // file mode
    be32(); // time
    if (modern) {
      be32();
    }
    skip(u8()); // file name
    be32(); // header checksum
    while (true) {
      int expanded = be32();
      if (expanded == 0) {
        return;
      }
      int packed = be32();
      if (expanded < 0 || expanded > MAX_BLOCK || packed <= 0 || packed > expanded) {
        throw damaged(
            "a block claims %d bytes packed, %d expanded"
                .formatted(packed & 0xffff_ffffL, expanded & 0xffff_ffffL));
      }
      int adlerD = (flags & ADLER32_D) != 0 ? be32() : 0;
      int crcD = (flags & CRC32_D) != 0 ? be32() : 0;
      if (packed < expanded) {
        skip(((flags & ADLER32_C) != 0 ? 4 : 0) + ((flags & CRC32_C) != 0 ? 4 : 0));
      }
      need(packed);
      if (out.reserve(expanded) < expanded) {
        throw damaged("the output grows past %d bytes".formatted(out.limit()));
      }
      int start = out.position;
      if (packed == expanded) {
        System.arraycopy(in, ip, out.buffer, start, packed);
      } else {
        block(ip + packed, out.buffer, start, expanded);
      }
      ip += packed;
      check(flags, ADLER32_D, adlerD, new Adler32(), out.buffer, start, expanded);
      check(flags, CRC32_D, crcD, new CRC32(), out.buffer, start, expanded);
      out.position = start + expanded;
    }
  }

  private void check(int flags, int flag, int stored, Checksum sum, byte[] b, int at, int n) {
    if ((flags & flag) != 0) {
      sum.update(b, at, n);
      if ((int) sum.getValue() != stored) {
        throw damaged(
            "a block's checksum is 0x%08x, its header says 0x%08x"
                .formatted((int) sum.getValue(), stored));
      }
    }
  }

  /** One LZO1X block from the current position to {@code stop}; must fill exactly {@code size}. */
  private void block(int stop, byte[] out, int start, int size) {
    int begin = ip;
    int limit = start + size;
    int p = ip;
    int op = start;
    // Literals the last instruction copied: 0-3, or 4 for a long run.
    int state = 0;
    int first = in[p] & 0xff;
    if (first > 17) {
      p++;
      int n = first - 17;
      room(n, stop - p, limit - op);
      System.arraycopy(in, p, out, op, n);
      p += n;
      op += n;
      state = Math.min(n, 4);
    }
    while (true) {
      if (p >= stop) {
        throw damaged("an LZO block has no end marker");
      }
      int t = in[p++] & 0xff;
      int length;
      int distance;
      int next;
      if (t < 16 && state == 0) {
        int n = t;
        if (n == 0) {
          long run = run(p, stop);
          p = (int) run;
          n = 15 + (int) (run >>> 32);
        }
        n += 3;
        room(n, stop - p, limit - op);
        System.arraycopy(in, p, out, op, n);
        p += n;
        op += n;
        state = 4;
        continue;
      }
      if (t < 16 || t >= 64) {
        room(1, stop - p, 1);
        int high = in[p++] & 0xff;
        next = t & 3;
        if (t >= 64) {
          length = (t >> 5) + 1;
          distance = (high << 3) + ((t >> 2) & 7) + 1;
        } else if (state == 4) {
          length = 3;
          distance = (high << 2) + (t >> 2) + 0x801;
        } else {
          length = 2;
          distance = (high << 2) + (t >> 2) + 1;
        }
      } else {
        int mask = t >= 32 ? 31 : 7;
        length = t & mask;
        if (length == 0) {
          long run = run(p, stop);
          p = (int) run;
          length = mask + (int) (run >>> 32);
        }
        length += 2;
        room(2, stop - p, 2);
        int word = LittleEndian.u16(in, p);
        p += 2;
        next = word & 3;
        if (t >= 32) {
          distance = (word >> 2) + 1;
        } else {
          distance = ((t & 8) << 11) + (word >> 2);
          if (distance == 0) {
            if (op != limit || p != stop) {
              throw damaged("an LZO block ends after %d of %d bytes".formatted(op - start, size));
            }
            return;
          }
          distance += 0x4000;
        }
      }
      if (distance > op - start) {
        throw damaged(
            "an LZO match in the block at 0x%x reaches before it".formatted(begin - origin));
      }
      room(0, 0, limit - op - length);
      for (int from = op - distance, to = op + length; op < to; ) {
        out[op++] = out[from++];
      }
      room(next, stop - p, limit - op);
      for (int k = 0; k < next; k++) {
        out[op++] = in[p++];
      }
      state = next;
    }
  }

  /** A zero-extended length: returns value in the high half, new position in the low half. */
  private long run(int from, int stop) {
    int p = from;
    long n = 0;
    while (p < stop && in[p] == 0) {
      n += 255;
      p++;
    }
    if (p >= stop || n > MAX_BLOCK) {
      throw damaged("an LZO length runs past its block");
    }
    n += in[p++] & 0xff;
    return (n << 32) | p;
  }

  private void room(int n, int inputLeft, int outputLeft) {
    if (n > inputLeft || n > outputLeft || outputLeft < 0) {
      throw damaged("an LZO copy leaves its block");
    }
  }

  private void need(int n) {
    if (n > end - ip) {
      throw damaged("%d more bytes expected, %d left".formatted(n, end - ip));
    }
  }

  private void skip(int n) {
    need(n);
    ip += n;
  }

  private int u8() {
    need(1);
    return in[ip++] & 0xff;
  }

  private int be16() {
    return (u8() << 8) | u8();
  }

  private int be32() {
    return (be16() << 16) | be16();
  }

  private ImageException damaged(String why) {
    return new ImageException(
        "damaged lzo data at payload byte 0x%x: %s".formatted(ip - origin, why));
  }
}
