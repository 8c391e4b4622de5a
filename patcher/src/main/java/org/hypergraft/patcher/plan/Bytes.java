package org.hypergraft.patcher.plan;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian fields of instructions. */
final class Bytes {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private Bytes() {}

  static int s32(byte[] b, int at) {
    return (int) INT.get(b, at);
  }

  static void put32(byte[] b, int at, int value) {
    INT.set(b, at, value);
  }

  /**
   * Writes a 5-byte direct call (E8) or jump (E9).
   *
   * @throws Refusal when the target is out of reach
   */
  static void branch(byte[] b, int at, int opcode, long from, long target) throws Refusal {
    long rel = target - (from + 5);
    if (rel != (int) rel) {
      throw new Refusal("0x%x cannot reach 0x%x with a direct branch".formatted(from, target));
    }
    b[at] = (byte) opcode;
    put32(b, at + 1, (int) rel);
  }
}
