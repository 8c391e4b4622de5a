package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;

/**
 * A segment, system or gate descriptor (Intel SDM vol. 3 sections 3.4.5, 3.5, 5.8.3, 6.11).
 *
 * @param low the 8 bytes of a legacy descriptor
 * @param high bytes 8-15 of a 16-byte system descriptor of IA-32e mode, else 0
 */
record Descriptor(long low, long high) {
  // System types, SDM vol. 3 table 3-2. Code and data types are told by bits, see below.
  static final int TSS16 = 1;
  static final int LDT = 2;
  static final int TSS16_BUSY = 3;
  static final int CALL_GATE16 = 4;
  static final int TASK_GATE = 5;
  static final int INTERRUPT_GATE16 = 6;
  static final int TRAP_GATE16 = 7;
  static final int TSS = 9;
  static final int TSS_BUSY = 11;
  static final int CALL_GATE = 12;
  static final int INTERRUPT_GATE = 14;
  static final int TRAP_GATE = 15;

  Descriptor(long low) {
    this(low, 0);
  }

  /** The form kept in {@link Cpu#segAttr}: bits 40-55 without the limit. */
  int attr() {
    return (int) (low >>> 40) & 0xf0ff;
  }

  int type() {
    return (int) (low >>> 40) & 0xf;
  }

  /** A code or data segment, not a system descriptor. */
  boolean segment() {
    return (low & 1L << 44) != 0;
  }

  boolean code() {
    return (low & 3L << 43) == 3L << 43;
  }

  boolean conforming() {
    return (low & 1L << 42) != 0;
  }

  boolean writableData() {
    return segment() && !code() && (low & 1L << 41) != 0;
  }

  boolean dataOrReadableCode() {
    return segment() && (!code() || (low & 1L << 41) != 0);
  }

  int dpl() {
    return (int) (low >>> 45) & 3;
  }

  boolean present() {
    return (low & 1L << 47) != 0;
  }

  /** 64-bit code. */
  boolean longCode() {
    return (low & 1L << 53) != 0;
  }

  /** D/B: 32-bit default size. */
  boolean big() {
    return (low & 1L << 54) != 0;
  }

  long base() {
    return low >>> 16 & 0xff_ffff | low >>> 32 & 0xff00_0000L | high << 32;
  }

  /** Byte-granular limit, unsigned 32 bits in an int. */
  int limit() {
    int raw = (int) (low & 0xffff | low >>> 32 & 0xf_0000);
    return (low & 1L << 55) != 0 ? raw << 12 | 0xfff : raw;
  }

  // Gates

  int gateSelector() {
    return (int) (low >>> 16) & 0xffff;
  }

  /** Target offset; the upper half is ignored for 16-bit gates. */
  long gateOffset() {
    long offset = low & 0xffff;
    return (type() & 8) == 0 ? offset : offset | low >>> 32 & 0xffff_0000L | high << 32;
  }

  /** Interrupt stack table index, 0 = none. */
  int ist() {
    return (int) (low >>> 32) & 7;
  }

  /** Words or doublewords a call gate copies. */
  int parameters() {
    return (int) (low >>> 32) & 0x1f;
  }
}
