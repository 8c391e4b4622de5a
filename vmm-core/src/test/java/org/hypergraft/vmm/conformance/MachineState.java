package org.hypergraft.vmm.conformance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What an instruction sequence starts from and ends in: the record that travels to the host process
 * and back. All of it is one byte array, at the offsets below.
 */
final class MachineState {
  static final int GPRS = 0;
  static final int RFLAGS = 128;

  /** Exception vector, or {@link #NO_EXCEPTION}. */
  static final int VECTOR = 136;

  static final int ERROR_CODE = 144;

  /** Faulting address of a page fault. */
  static final int CR2 = 152;

  /** RIP of a fault, relative to the first byte of the code. */
  static final int RIP = 160;

  static final int CODE_LENGTH = 168;

  /** Code size in bits: 64, or 32 for compatibility mode. */
  static final int MODE = 176;

  static final int CODE = 192;
  static final int CODE_CAPACITY = 320;

  /** An XSAVE area in standard format: legacy region, header, upper YMM halves. */
  static final int XSAVE = 512;

  static final int XSAVE_SIZE = 512 + 64 + 256;
  static final int FCW = XSAVE;
  static final int FSW = XSAVE + 2;
  static final int TAGS = XSAVE + 4;
  static final int MXCSR = XSAVE + 24;
  static final int ST = XSAVE + 32;
  static final int XMM = XSAVE + 160;
  static final int XSTATE_BV = XSAVE + 512;
  static final int YMM_HIGH = XSAVE + 576;

  /** Contents of the memory window. */
  static final int WINDOW = XSAVE + XSAVE_SIZE;

  static final int WINDOW_SIZE = 1024;
  static final int SIZE = WINDOW + WINDOW_SIZE;

  static final int NO_EXCEPTION = 256;

  /** Linear address of the page around the memory window; its neighbours are not mapped. */
  static final long DATA_PAGE = 0x1000_0000L;

  /** Linear address of the window. */
  static final long WINDOW_ADDRESS = DATA_PAGE + 0x700;

  /** Linear address of the first code byte. */
  static final long CODE_ADDRESS = 0x2000_0100L;

  /** Base of FS and of GS. */
  static final long FS_BASE = DATA_PAGE + 0x100;

  static final long GS_BASE = DATA_PAGE + 0x280;

  /** Selectors of a Linux process: 64-bit and 32-bit code, data (asm/segment.h). */
  static final int CODE64 = 0x33;

  static final int CODE32 = 0x23;
  static final int DATA = 0x2b;

  final byte[] bytes = new byte[SIZE];
  private final ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);

  MachineState() {
    put64(RFLAGS, 2);
    put64(VECTOR, NO_EXCEPTION);
    put64(MODE, 64);
    put16(FCW, 0x37f);
    put32(MXCSR, 0x1f80);
    put64(XSTATE_BV, 7);
  }

  MachineState copy() {
    MachineState s = new MachineState();
    System.arraycopy(bytes, 0, s.bytes, 0, SIZE);
    return s;
  }

  int u8(int at) {
    return view.get(at) & 0xff;
  }

  int u16(int at) {
    return view.getShort(at) & 0xffff;
  }

  int u32(int at) {
    return view.getInt(at);
  }

  long u64(int at) {
    return view.getLong(at);
  }

  void put8(int at, int v) {
    view.put(at, (byte) v);
  }

  void put16(int at, int v) {
    view.putShort(at, (short) v);
  }

  void put32(int at, int v) {
    view.putInt(at, v);
  }

  void put64(int at, long v) {
    view.putLong(at, v);
  }

  boolean compatibility() {
    return u64(MODE) == 32;
  }

  long gpr(int i) {
    return u64(GPRS + 8 * i);
  }

  void gpr(int i, long v) {
    put64(GPRS + 8 * i, v);
  }

  /** One of the four 64-bit lanes of YMM register {@code i}. */
  long ymm(int i, int lane) {
    return u64(ymmAt(i, lane));
  }

  void ymm(int i, int lane, long v) {
    put64(ymmAt(i, lane), v);
  }

  static int ymmAt(int i, int lane) {
    return (lane < 2 ? XMM : YMM_HIGH - 16) + 16 * i + 8 * lane;
  }

  void code(byte[] code) {
    if (code.length > CODE_CAPACITY) {
      throw new IllegalArgumentException(code.length + " bytes of code, at most " + CODE_CAPACITY);
    }
    put64(CODE_LENGTH, code.length);
    System.arraycopy(code, 0, bytes, CODE, code.length);
  }

  byte[] code() {
    byte[] code = new byte[(int) u64(CODE_LENGTH)];
    System.arraycopy(bytes, CODE, code, 0, code.length);
    return code;
  }
}
