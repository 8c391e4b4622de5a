package org.hypergraft.vmm.boot;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The first process of a validation boot: writes a marker to the console, waits until it has been
 * sent, and powers the machine off. A static ELF assembled here, for x86-64 or i386 kernels, so
 * that neither a compiler nor a binary is needed.
 */
public final class InitProgram {
  /** What the program prints, followed by a newline. */
  public static final String MARKER = "USERSPACE-OK";

  /** ioctl that with a non-zero argument waits for output to drain, asm-generic/ioctls.h. */
  private static final int TCSBRK = 0x5409;

  // include/uapi/linux/reboot.h
  private static final int REBOOT_MAGIC1 = 0xfee1dead;
  private static final int REBOOT_MAGIC2 = 672274793;
  private static final int REBOOT_POWER_OFF = 0x4321fedc;

  private static final int STDOUT = 1;
  private static final int LOAD_ADDRESS = 0x400000;

  /** What differs between the two kinds of kernel. */
  private enum Abi {
    /** Numbers from arch/x86/entry/syscalls/syscall_64.tbl; arguments in EDI, ESI, EDX. */
    X86_64(64, 62, 56, new int[] {1, 16, 162, 169, 231}, new int[] {0xbf, 0xbe, 0xba}, 0x050f),

    /** Numbers from arch/x86/entry/syscalls/syscall_32.tbl; arguments in EBX, ECX, EDX. */
    I386(52, 3, 32, new int[] {4, 54, 36, 88, 252}, new int[] {0xbb, 0xb9, 0xba}, 0x80cd);

    final int headerSize;
    final int machine;
    final int programHeaderSize;

    /** write, ioctl, sync, reboot, exit_group. */
    final int[] numbers;

    /** Opcodes of MOV r32, imm32 for the arguments. */
    final int[] arguments;

    /** SYSCALL or INT 0x80, little-endian. */
    final int trap;

    Abi(
        int headerSize,
        int machine,
        int programHeaderSize,
        int[] numbers,
        int[] arguments,
        int trap) {
      this.headerSize = headerSize;
      this.machine = machine;
      this.programHeaderSize = programHeaderSize;
      this.numbers = numbers;
      this.arguments = arguments;
      this.trap = trap;
    }

    int codeOffset() {
      return headerSize + programHeaderSize;
    }
  }

  private InitProgram() {}

  /**
   * The initramfs of a validation boot: this program as /init, and /dev/console.
   *
   * @param kernel64 whether the kernel is a 64-bit one
   */
  public static byte[] initramfs(boolean kernel64) {
    return new CpioArchive()
        .directory("dev", 0755)
        .characterDevice("dev/console", 0600, 5, 1)
        .file("init", 0755, elf(kernel64, MARKER + "\n"))
        .toBytes();
  }

  /** {@link #initramfs(boolean)} of a 64-bit kernel. */
  public static byte[] initramfs() {
    return initramfs(true);
  }

  /** The program as an ELF file that prints {@code message}. */
  public static byte[] elf(boolean kernel64, String message) {
    Abi abi = kernel64 ? Abi.X86_64 : Abi.I386;
    byte[] text = message.getBytes(StandardCharsets.UTF_8);
    // The code's length does not depend on the message's address: assemble once to measure.
    int length = code(abi, 0, text.length).length;
    int codeAddress = LOAD_ADDRESS + abi.codeOffset();
    byte[] code = code(abi, codeAddress + length, text.length);
    int size = abi.codeOffset() + code.length + text.length;
    ByteBuffer b = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    header(b, abi, codeAddress);
    b.position(abi.headerSize);
    segment(b, abi, size);
    b.position(abi.codeOffset());
    b.put(code).put(text);
    return b.array();
  }

  /** ELF header: little-endian, version 1, executable, one program header after it. */
  private static void header(ByteBuffer b, Abi abi, int entry) {
    boolean wide = abi == Abi.X86_64;
    b.put(new byte[] {0x7f, 'E', 'L', 'F', (byte) (wide ? 2 : 1), 1, 1}).position(16);
    b.putShort((short) 2).putShort((short) abi.machine).putInt(1);
    if (wide) {
      b.putLong(entry).putLong(abi.headerSize).putLong(0);
    } else {
      b.putInt(entry).putInt(abi.headerSize).putInt(0);
    }
    b.putInt(0).putShort((short) abi.headerSize);
    b.putShort((short) abi.programHeaderSize).putShort((short) 1);
  }

  /** One PT_LOAD segment, readable and executable: the whole file. */
  private static void segment(ByteBuffer b, Abi abi, int size) {
    if (abi == Abi.X86_64) {
      b.putInt(1).putInt(5).putLong(0).putLong(LOAD_ADDRESS).putLong(LOAD_ADDRESS);
      b.putLong(size).putLong(size).putLong(0x1000);
    } else {
      b.putInt(1).putInt(0).putInt(LOAD_ADDRESS).putInt(LOAD_ADDRESS);
      b.putInt(size).putInt(size).putInt(5).putInt(0x1000);
    }
  }

  private static byte[] code(Abi abi, int messageAddress, int messageLength) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int[] n = abi.numbers;
    systemCall(out, abi, n[0], STDOUT, messageAddress, messageLength);
    systemCall(out, abi, n[1], STDOUT, TCSBRK, 1);
    systemCall(out, abi, n[2], 0, 0, 0);
    systemCall(out, abi, n[3], REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF);
    // Not reached unless the kernel refuses: init's death is then a panic that says so.
    systemCall(out, abi, n[4], 1, 0, 0);
    return out.toByteArray();
  }

  private static void systemCall(ByteArrayOutputStream out, Abi abi, int number, int... arguments) {
    moveImmediate(out, 0xb8, number); // EAX
    for (int i = 0; i < arguments.length; i++) {
      moveImmediate(out, abi.arguments[i], arguments[i]);
    }
    out.write(abi.trap);
    out.write(abi.trap >>> 8);
  }

  /** MOV r32, imm32, which in 64-bit mode clears the register's upper half. */
  private static void moveImmediate(ByteArrayOutputStream out, int opcode, int value) {
    out.write(opcode);
    for (int shift = 0; shift < 32; shift += 8) {
      out.write(value >>> shift);
    }
  }
}
