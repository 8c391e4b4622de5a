package org.hypergraft.vmm.device;

import java.util.Arrays;

/** A set of interrupt vectors 0 to 255, which a local APIC shows as eight 32-bit registers. */
final class VectorSet {
  private final long[] bits = new long[4];

  void add(int vector) {
    bits[vector >>> 6] |= 1L << vector;
  }

  void remove(int vector) {
    bits[vector >>> 6] &= ~(1L << vector);
  }

  void clear() {
    Arrays.fill(bits, 0);
  }

  boolean contains(int vector) {
    return (bits[vector >>> 6] & 1L << vector) != 0;
  }

  /** The highest vector, or -1. */
  int highest() {
    for (int i = bits.length - 1; i >= 0; i--) {
      if (bits[i] != 0) {
        return i * 64 + 63 - Long.numberOfLeadingZeros(bits[i]);
      }
    }
    return -1;
  }

  /** One of the eight registers, vectors 32 * index up. */
  int word(int index) {
    return (int) (bits[index >>> 1] >>> 32 * (index & 1));
  }
}
