package org.hypergraft.annotator.image;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * Encoder for LZ4 legacy frames that spends time on size: a repacked payload has to fit where the
 * kernel build's {@code lz4 -9} output was. For every position the longest match within reach is
 * found by hash chains; the cheapest way through them is then chosen from the end backwards.
 */
final class Lz4Encoder {
  /** Matches start no later than this before the end, and the last bytes are literals. */
  private static final int MATCH_MARGIN = 12;

  private static final int LAST_LITERALS = 5;
  private static final int MIN_MATCH = 4;
  private static final int MAX_DISTANCE = 65535;

  private static final int HASH_BITS = 17;

  private final byte[] in;

  /** Chain steps per position. */
  private final int depth;

  /** From this length on a match is good enough to stop looking and to inherit. */
  private final int nice;

  private final int[] head = new int[1 << HASH_BITS];
  private final int[] chain = new int[MAX_DISTANCE + 1];
  private final int[] length;
  private final int[] distance;

  private Lz4Encoder(byte[] in, boolean small) {
    this.in = in;
    this.depth = small ? 4096 : 512;
    this.nice = small ? 512 : 96;
    int n = Math.min(in.length, Lz4Legacy.BLOCK);
    length = new int[n + 1];
    distance = new int[n + 1];
  }

  /**
   * Encodes everything.
   *
   * @param small look eight times as long for a few thousandths less
   */
  static byte[] encode(byte[] in, boolean small) {
    Lz4Encoder encoder = new Lz4Encoder(in, small);
    ByteArrayOutputStream out = new ByteArrayOutputStream(in.length / 3 + 64);
    word(out, Lz4Legacy.MAGIC);
    for (int from = 0; from < in.length; from += Lz4Legacy.BLOCK) {
      int to = Math.min(in.length, from + Lz4Legacy.BLOCK);
      encoder.findMatches(from, to);
      encoder.choose(to - from);
      byte[] block = encoder.write(from, to);
      word(out, block.length);
      out.writeBytes(block);
    }
    return out.toByteArray();
  }

  private static void word(ByteArrayOutputStream out, int v) {
    for (int i = 0; i < 4; i++) {
      out.write(v >>> (8 * i));
    }
  }

  /** Longest match for every position of the block, nearest first among equals. */
  private void findMatches(int from, int to) {
    Arrays.fill(head, -1);
    int n = to - from;
    Arrays.fill(length, 0, n + 1, 0);
    int lastMatch = n - MATCH_MARGIN;
    int lastByte = n - LAST_LITERALS;
    for (int i = 0; i <= lastMatch; i++) {
      int hash = (LittleEndian.s32(in, from + i) * 0x9e3779b1) >>> (32 - HASH_BITS);
      int candidate = head[hash];
      chain[i & MAX_DISTANCE] = candidate;
      head[hash] = i;
      if (i > 0 && length[i - 1] > nice) {
        length[i] = length[i - 1] - 1;
        distance[i] = distance[i - 1];
        continue;
      }
      int best = MIN_MATCH - 1;
      int bestDistance = 0;
      int limit = lastByte - i;
      for (int d = 0; d < depth && candidate >= 0 && i - candidate <= MAX_DISTANCE; d++) {
        if (in[from + candidate + best] == in[from + i + best]) {
          int len = common(from + candidate, from + i, limit);
          if (len > best) {
            best = len;
            bestDistance = i - candidate;
            if (best > nice || best >= limit) {
              break;
            }
          }
        }
        int next = chain[candidate & MAX_DISTANCE];
        if (next >= candidate) {
          break; // overwritten: out of the window
        }
        candidate = next;
      }
      if (bestDistance != 0) {
        length[i] = best;
        distance[i] = bestDistance;
      }
    }
  }

  private int common(int a, int b, int limit) {
    int n = Arrays.mismatch(in, a, a + limit, in, b, b + limit);
    return n < 0 ? limit : n;
  }

  /**
   * Shortens or drops matches so that the whole block becomes cheapest. A literal costs a byte, a
   * match three, and lengths a byte more for every 255 above what the token holds.
   */
  private void choose(int n) {
    int[] cost = new int[n + 1];
    int literals = 0; // in the run that starts after this position
    for (int i = n - 1; i >= 0; i--) {
      literals++;
      int extra = literals >= 15 && (literals - 15) % 255 == 0 ? 1 : 0;
      int best = cost[i + 1] + 1 + extra;
      int bestLength = 0;
      int longest = length[i];
      if (longest > 2 * nice) {
        // Very long ones: the whole is never worse than its parts by more than a byte.
        bestLength = longest;
        best = cost[i + longest] + price(longest);
      } else {
        for (int len = MIN_MATCH; len <= longest; len++) {
          int price = cost[i + len] + price(len);
          if (price <= best) {
            best = price;
            bestLength = len;
          }
        }
      }
      length[i] = bestLength;
      cost[i] = best;
      if (bestLength != 0) {
        literals = 0;
      }
    }
  }

  private static int price(int matchLength) {
    int above = matchLength - MIN_MATCH - 15;
    return above < 0 ? 3 : 4 + above / 255;
  }

  private byte[] write(int from, int to) {
    int n = to - from;
    byte[] out = new byte[n + n / 255 + 16];
    int op = 0;
    int anchor = 0;
    int i = 0;
    while (i < n) {
      if (length[i] == 0) {
        i++;
        continue;
      }
      int literals = i - anchor;
      int match = length[i] - MIN_MATCH;
      out[op++] = (byte) ((Math.min(literals, 15) << 4) | Math.min(match, 15));
      op = extend(out, op, literals);
      System.arraycopy(in, from + anchor, out, op, literals);
      op += literals;
      out[op++] = (byte) distance[i];
      out[op++] = (byte) (distance[i] >>> 8);
      op = extend(out, op, match);
      i += length[i];
      anchor = i;
    }
    int literals = n - anchor;
    out[op++] = (byte) (Math.min(literals, 15) << 4);
    op = extend(out, op, literals);
    System.arraycopy(in, from + anchor, out, op, literals);
    return Arrays.copyOf(out, op + literals);
  }

  private static int extend(byte[] out, int at, int value) {
    int op = at;
    if (value >= 15) {
      int rest = value - 15;
      for (; rest >= 255; rest -= 255) {
        out[op++] = (byte) 255;
      }
      out[op++] = (byte) rest;
    }
    return op;
  }
}
