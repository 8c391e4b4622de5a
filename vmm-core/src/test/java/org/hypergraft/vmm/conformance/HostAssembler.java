package org.hypergraft.vmm.conformance;

import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.Map;

/** The few x86-64 instructions that the host program is made of; all data below 2 GiB. */
final class HostAssembler {
  static final int RAX = 0;
  static final int RCX = 1;
  static final int RDX = 2;
  static final int RSP = 4;
  static final int RSI = 6;
  static final int RDI = 7;
  static final int R8 = 8;
  static final int R9 = 9;
  static final int R10 = 10;

  private final long base;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Map<String, Integer> labels = new HashMap<>();
  private final Map<Integer, String> fixups = new HashMap<>();

  HostAssembler(long base) {
    this.base = base;
  }

  HostAssembler bytes(int... b) {
    for (int v : b) {
      out.write(v);
    }
    return this;
  }

  private void int32(long v) {
    if (v != (int) v) {
      throw new IllegalArgumentException("0x" + Long.toHexString(v) + " does not fit 32 bits");
    }
    for (int i = 0; i < 32; i += 8) {
      out.write((int) (v >> i));
    }
  }

  int size() {
    return out.size();
  }

  void label(String name) {
    labels.put(name, out.size());
  }

  /** {@code mov r64, imm32} (sign-extended). */
  void set(int r, long v) {
    bytes(0x48 | r >> 3, 0xc7, 0xc0 | r & 7);
    int32(v);
  }

  private void absolute(int rex, int opcode, int reg, long address) {
    bytes(rex | (reg >> 3) << 2, opcode, 0x04 | (reg & 7) << 3, 0x25);
    int32(address);
  }

  /** {@code mov r64, [address]}. */
  void load(int r, long address) {
    absolute(0x48, 0x8b, r, address);
  }

  /** {@code mov [address], r64}. */
  void store(long address, int r) {
    absolute(0x48, 0x89, r, address);
  }

  /** {@code mov qword [address], imm32}. */
  void storeImmediate(long address, int v) {
    absolute(0x48, 0xc7, 0, address);
    int32(v);
  }

  /** {@code mov r64, [base + disp32]}, base not RSP or R12. */
  void loadAt(int r, int b, int disp) {
    bytes(0x48 | (r >> 3) << 2 | b >> 3, 0x8b, 0x80 | (r & 7) << 3 | b & 7);
    int32(disp);
  }

  /** {@code push qword [address]}. */
  void push(long address) {
    bytes(0xff, 0x34, 0x25);
    int32(address);
  }

  /** {@code pop qword [address]}. */
  void pop(long address) {
    bytes(0x8f, 0x04, 0x25);
    int32(address);
  }

  /** {@code xrstor [address]}, or xsave with {@code reg = 4}. */
  void xstate(int reg, long address) {
    bytes(0x0f, 0xae, 0x04 | reg << 3, 0x25);
    int32(address);
  }

  void syscall(int number) {
    set(RAX, number);
    bytes(0x0f, 0x05);
  }

  private void reference(String label) {
    fixups.put(out.size(), label);
    bytes(0, 0, 0, 0);
  }

  void jump(String label) {
    bytes(0xe9);
    reference(label);
  }

  /** {@code jcc label} with the condition's low opcode nibble. */
  void jumpIf(int condition, String label) {
    bytes(0x0f, 0x80 | condition);
    reference(label);
  }

  /** {@code jmp address}. */
  void jumpTo(long address) {
    bytes(0xe9);
    int32(address - (base + out.size() + 4));
  }

  long address(String label) {
    return base + labels.get(label);
  }

  byte[] assemble() {
    byte[] code = out.toByteArray();
    fixups.forEach(
        (at, label) -> {
          int v = labels.get(label) - (at + 4);
          for (int i = 0; i < 4; i++) {
            code[at + i] = (byte) (v >> 8 * i);
          }
        });
    return code;
  }
}
