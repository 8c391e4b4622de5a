package org.hypergraft.vmm.boot;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The first process of a validation boot: writes a marker to the console, waits until it has been
 * sent, and powers the machine off. A static x86-64 ELF assembled here, so that neither a compiler
 * nor a binary is needed.
 */
public final class InitProgram {
  /** What the program prints, followed by a newline. */
  public static final String MARKER = "USERSPACE-OK";

  // System call numbers, arch/x86/entry/syscalls/syscall_64.tbl.
  private static final int SYS_WRITE = 1;
  private static final int SYS_IOCTL = 16;
  private static final int SYS_EXIT_GROUP = 231;
  private static final int SYS_SYNC = 162;
  private static final int SYS_REBOOT = 169;

  /** ioctl that with a non-zero argument waits for output to drain, asm-generic/ioctls.h. */
  private static final int TCSBRK = 0x5409;

  // include/uapi/linux/reboot.h
  private static final int REBOOT_MAGIC1 = 0xfee1dead;
  private static final int REBOOT_MAGIC2 = 672274793;
  private static final int REBOOT_POWER_OFF = 0x4321fedc;

  private static final int STDOUT = 1;
  private static final long LOAD_ADDRESS = 0x400000;
  private static final int HEADER_SIZE = 64;
  private static final int PROGRAM_HEADER_SIZE = 56;
  private static final int CODE_OFFSET = HEADER_SIZE + PROGRAM_HEADER_SIZE;

  private InitProgram() {}

  /** The initramfs of a validation boot: this program as /init, and /dev/console. */
  public static byte[] initramfs() {
    return new CpioArchive()
        .directory("dev", 0755)
        .characterDevice("dev/console", 0600, 5, 1)
        .file("init", 0755, elf(MARKER + "\n"))
        .toBytes();
  }

  /** The program as an ELF file that prints {@code message}. */
  public static byte[] elf(String message) {
    byte[] text = message.getBytes(StandardCharsets.UTF_8);
    // The code's length does not depend on the message's address: assemble once to measure.
    int length = code(0, text.length).length;
    byte[] code = code(LOAD_ADDRESS + CODE_OFFSET + length, text.length);
    int size = CODE_OFFSET + code.length + text.length;
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    // ELF header: 64-bit, little-endian, version 1; executable for x86-64
    b.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    b.putShort((short) 2).putShort((short) 62).putInt(1);
    b.putLong(LOAD_ADDRESS + CODE_OFFSET).putLong(HEADER_SIZE).putLong(0).putInt(0);
    b.putShort((short) HEADER_SIZE).putShort((short) PROGRAM_HEADER_SIZE).putShort((short) 1);
    b.position(HEADER_SIZE);
    // one PT_LOAD segment, readable and executable: the whole file
    b.putInt(1).putInt(5).putLong(0).putLong(LOAD_ADDRESS).putLong(LOAD_ADDRESS);
    b.putLong(size).putLong(size).putLong(0x1000);
    b.put(code).put(text);
    return b.array();
  }

  private static byte[] code(long messageAddress, int messageLength) {
    Assembler a = new Assembler();
    a.systemCall(SYS_WRITE, STDOUT, (int) messageAddress, messageLength, 0);
    a.systemCall(SYS_IOCTL, STDOUT, TCSBRK, 1, 0);
    a.systemCall(SYS_SYNC, 0, 0, 0, 0);
    a.systemCall(SYS_REBOOT, REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF, 0);
    // Not reached unless the kernel refuses: init's death is then a panic that says so.
    a.systemCall(SYS_EXIT_GROUP, 1, 0, 0, 0);
    return a.bytes();
  }

  /** The two instruction forms that the program is made of. */
  private static final class Assembler {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void systemCall(int number, int rdi, int rsi, int rdx, int r10) {
      moveImmediate(0xb8, false, number); // EAX
      moveImmediate(0xbf, false, rdi); // EDI
      moveImmediate(0xbe, false, rsi); // ESI
      moveImmediate(0xba, false, rdx); // EDX
      moveImmediate(0xba, true, r10); // R10D
      out.write(0x0f); // SYSCALL
      out.write(0x05);
    }

    /** MOV r32, imm32, which clears the register's upper half. */
    private void moveImmediate(int opcode, boolean extended, int value) {
      if (extended) {
        out.write(0x41); // REX.B
      }
      out.write(opcode);
      for (int shift = 0; shift < 32; shift += 8) {
        out.write(value >>> shift);
      }
    }

    byte[] bytes() {
      return out.toByteArray();
    }
  }
}
