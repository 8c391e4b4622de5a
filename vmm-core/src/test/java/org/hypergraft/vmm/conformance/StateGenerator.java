package org.hypergraft.vmm.conformance;

import java.util.Random;

/** Random machine states, rich in edge values. The same seed gives the same state for ever. */
final class StateGenerator {
  private static final long[] INTEGERS = {
    0,
    1,
    2,
    3,
    -1,
    -2,
    7,
    8,
    15,
    16,
    31,
    32,
    63,
    64,
    0x7f,
    0x80,
    0x81,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x10000,
    0x7fffffffL,
    0x80000000L,
    0x80000001L,
    0xffffffffL,
    0x100000000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Long.MIN_VALUE + 1,
    0x5555555555555555L,
    0xaaaaaaaaaaaaaaaaL,
    -128,
    -32768,
    -2147483648L,
    -2147483649L
  };

  private static final float[] FLOATS = {
    0f,
    -0f,
    1f,
    -1f,
    0.5f,
    2f,
    3f,
    1.5f,
    2.5f,
    -2.5f,
    1e10f,
    -1e10f,
    3.4e38f,
    1.2e-38f,
    1e-45f,
    -1e-40f,
    2147483648f,
    -2147483648f,
    2147483520f,
    65504f,
    6e-8f,
    0.1f,
    1.0000001f,
    16777216f
  };

  private static final int[] SPECIAL_FLOATS = {
    0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0xffbfffff, 0x7fffffff
  };

  private static final double[] DOUBLES = {
    0d,
    -0d,
    1d,
    -1d,
    0.5,
    2,
    3,
    1.5,
    2.5,
    -2.5,
    1e10,
    -1e300,
    1.7e308,
    2.3e-308,
    4.9e-324,
    -1e-310,
    2147483648d,
    -2147483648d,
    2147483647d,
    2147483647.5,
    9223372036854775808d,
    -9223372036854775808d,
    0.1,
    1e-40,
    3.5e38,
    1.0000000000000002,
    9007199254740993d
  };

  private static final long[] SPECIAL_DOUBLES = {
    0x7ff0000000000000L,
    0xfff0000000000000L,
    0x7ff8000000000000L,
    0xfff8000000000001L,
    0x7ff0000000000001L,
    0xfff7ffffffffffffL
  };

  private final Random random;

  private StateGenerator(Random random) {
    this.random = random;
  }

  static MachineState state(long seed, Style style) {
    return new StateGenerator(new Random(seed)).next(style);
  }

  /** What the vector registers and the memory window mostly hold. */
  enum Style {
    BITS,
    INTEGERS,
    SINGLES,
    DOUBLES,
    EXTENDED,
    HALVES
  }

  private MachineState next(Style style) {
    MachineState s = new MachineState();
    for (int i = 0; i < 16; i++) {
      s.gpr(i, integer());
    }
    s.put64(MachineState.RFLAGS, 2 | random.nextLong() & 0x8d5);
    for (int i = 0; i < 16; i++) {
      for (int lane = 0; lane < 4; lane++) {
        s.ymm(i, lane, lane(style));
      }
    }
    for (int i = 0; i < MachineState.WINDOW_SIZE; i += 8) {
      s.put64(MachineState.WINDOW + i, lane(style));
    }
    if (style == Style.EXTENDED) {
      extendedWindow(s);
    }
    int mxcsr = 0x1f80;
    if (random.nextInt(4) != 0) {
      mxcsr |= random.nextInt(4) << 13 | random.nextInt(64);
      if (random.nextInt(3) == 0) {
        mxcsr |= random.nextInt(2) << 15 | random.nextInt(2) << 6;
      }
      if (random.nextInt(8) == 0) {
        mxcsr &= ~(random.nextInt(64) << 7);
      }
    }
    s.put32(MachineState.MXCSR, mxcsr);
    x87(s);
    return s;
  }

  private long integer() {
    switch (random.nextInt(4)) {
      case 0:
        return INTEGERS[random.nextInt(INTEGERS.length)];
      case 1:
        return random.nextInt(512) - 256;
      default:
        return random.nextLong() >> random.nextInt(64);
    }
  }

  private long lane(Style style) {
    if (random.nextInt(8) == 0) {
      return random.nextLong();
    }
    switch (style) {
      case INTEGERS:
        return elements();
      case SINGLES:
        return single() & 0xffffffffL | (long) single() << 32;
      case DOUBLES:
        return real();
      case HALVES:
        return half() | half() << 16 | half() << 32 | half() << 48;
      default:
        return random.nextLong();
    }
  }

  private long elements() {
    long v = integer();
    switch (random.nextInt(4)) {
      case 0:
        return (v & 0xff) * 0x0101010101010101L ^ 1L << random.nextInt(64);
      case 1:
        return (v & 0xffff) * 0x0001000100010001L ^ random.nextLong() & 0x0001800100018001L;
      case 2:
        return v & 0xffffffffL | integer() << 32;
      default:
        return v;
    }
  }

  private int single() {
    switch (random.nextInt(6)) {
      case 0:
        return SPECIAL_FLOATS[random.nextInt(SPECIAL_FLOATS.length)];
      case 1:
        return random.nextInt();
      case 2:
        return Float.floatToRawIntBits((random.nextFloat() - 0.5f) * (1 << random.nextInt(20)));
      case 3:
        // exponents close to each other, so that sums cancel and products round
        return random.nextInt(1 << 23) | 120 + random.nextInt(12) << 23 | random.nextInt() << 31;
      default:
        return Float.floatToRawIntBits(FLOATS[random.nextInt(FLOATS.length)]);
    }
  }

  private long real() {
    switch (random.nextInt(6)) {
      case 0:
        return SPECIAL_DOUBLES[random.nextInt(SPECIAL_DOUBLES.length)];
      case 1:
        return random.nextLong();
      case 2:
        return Double.doubleToRawLongBits((random.nextDouble() - 0.5) * (1L << random.nextInt(60)));
      case 3:
        return random.nextLong() >>> 12
            | (long) (1015 + random.nextInt(16)) << 52
            | random.nextLong() << 63;
      default:
        return Double.doubleToRawLongBits(DOUBLES[random.nextInt(DOUBLES.length)]);
    }
  }

  private long half() {
    return random.nextInt(3) == 0 ? random.nextInt(32) << 10 : random.nextInt(0x10000);
  }

  private void x87(MachineState s) {
    int top = random.nextInt(8);
    int control = 0x37f;
    if (random.nextBoolean()) {
      int precision = new int[] {0, 2, 3, 3}[random.nextInt(4)];
      control = 0x7f | precision << 8 | random.nextInt(4) << 10;
      if (random.nextInt(8) == 0) {
        control &= ~random.nextInt(64);
      }
    }
    int status = random.nextBoolean() ? 0 : random.nextInt(0x8000) & 0x477f;
    status &= ~0x3f | control & 0x3f; // only masked exceptions are pending
    s.put16(MachineState.FCW, control);
    s.put16(MachineState.FSW, status | top << 11);
    int tags = 0xff;
    if (random.nextInt(3) == 0) {
      tags = random.nextInt(256);
    } else {
      tags &= ~(1 << (top + 7 & 7)); // room to push
    }
    s.put8(MachineState.TAGS, tags);
    for (int i = 0; i < 8; i++) {
      extended(s, MachineState.ST + 16 * i);
    }
  }

  private void extendedWindow(MachineState s) {
    // where x87 operands of 10 bytes are likely to be placed
    for (int i = 0; i + 16 <= MachineState.WINDOW_SIZE; i += 16) {
      extended(s, MachineState.WINDOW + i);
    }
  }

  private void extended(MachineState s, int at) {
    long m = random.nextLong() | 1L << 63;
    int e = 16383 + random.nextInt(8) - 4;
    switch (random.nextInt(12)) {
      case 0:
        m = 0;
        e = 0;
        break;
      case 1:
        m = 1L << 63;
        e = random.nextBoolean() ? 0x7fff : 16383;
        break;
      case 2: // NaNs and invalid patterns
        m = random.nextLong() | (random.nextBoolean() ? 1L << 63 : 0);
        e = 0x7fff;
        break;
      case 3: // denormals, pseudo-denormals
        m = random.nextLong() >>> random.nextInt(64);
        e = 0;
        break;
      case 4:
        m = random.nextLong();
        e = random.nextInt(0x8000);
        break;
      case 5: // small integers
        int n = 1 + random.nextInt(1000);
        int shift = Long.numberOfLeadingZeros(n);
        m = (long) n << shift;
        e = 16383 + 63 - shift;
        break;
      case 6: // the edges of the narrower formats
        e =
            new int[] {16383 - 127, 16383 + 127, 16383 - 1023, 16383 + 1023, 1, 0x7ffe}
                    [random.nextInt(6)]
                + random.nextInt(3)
                - 1;
        break;
      case 7: // significands that are about to carry
        m = -1L << random.nextInt(45);
        break;
      case 8:
        e = 16383 + random.nextInt(140) - 70;
        break;
      default:
    }
    s.put64(at, m);
    s.put16(at + 8, e & 0x7fff | random.nextInt(2) << 15);
  }
}
