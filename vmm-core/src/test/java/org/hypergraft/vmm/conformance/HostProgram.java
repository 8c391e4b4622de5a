package org.hypergraft.vmm.conformance;

import static org.hypergraft.vmm.conformance.HostAssembler.R10;
import static org.hypergraft.vmm.conformance.HostAssembler.R8;
import static org.hypergraft.vmm.conformance.HostAssembler.R9;
import static org.hypergraft.vmm.conformance.HostAssembler.RAX;
import static org.hypergraft.vmm.conformance.HostAssembler.RCX;
import static org.hypergraft.vmm.conformance.HostAssembler.RDI;
import static org.hypergraft.vmm.conformance.HostAssembler.RDX;
import static org.hypergraft.vmm.conformance.HostAssembler.RSI;
import static org.hypergraft.vmm.conformance.HostAssembler.RSP;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The host process as a static ELF executable: reads {@link MachineState} records from standard
 * input, runs each one's code on the real processor and writes the resulting state to standard
 * output. Exceptions come back as signals; the handler takes the state from the signal frame.
 *
 * <p>System call numbers and structures: Linux x86-64 (asm/unistd_64.h, asm/sigcontext.h).
 */
final class HostProgram {
  /** Far from the addresses that random small registers make. */
  private static final long BASE = 0x3a5b0000L;

  private static final long TEXT = BASE + 0x1000;
  private static final long DATA = BASE + 0x4000;
  private static final long RECORD = DATA;
  private static final long STACK_TOP = DATA + 0x5000;
  private static final long SIGNAL_STACK = DATA + 0x6000;
  private static final int SIGNAL_STACK_SIZE = 0x10000;
  private static final long SCRATCH = DATA + 0x5800;
  private static final long FAR_POINTER = SCRATCH + 128;
  private static final long MEMORY_END = SIGNAL_STACK + SIGNAL_STACK_SIZE;

  private static final int READ = 0;
  private static final int WRITE = 1;
  private static final int MMAP = 9;
  private static final int RT_SIGACTION = 13;
  private static final int EXIT = 60;
  private static final int SIGALTSTACK = 131;
  private static final int ARCH_PRCTL = 158;
  private static final int ARCH_SET_GS = 0x1001;
  private static final int ARCH_SET_FS = 0x1002;

  /** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV. */
  private static final int[] SIGNALS = {4, 5, 7, 8, 11};

  /** SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER. */
  private static final int SIGNAL_FLAGS = 0x4 | 0x04000000 | 0x08000000 | 0x40000000;

  /** Byte offset of general register i in struct ucontext. */
  private static final int[] UCONTEXT = {
    // rax rcx rdx rbx rsp rbp rsi rdi, then r8-r15, from gregs at offset 40
    40 + 8 * 13,
    40 + 8 * 14,
    40 + 8 * 12,
    40 + 8 * 11,
    40 + 8 * 15,
    40 + 8 * 10,
    40 + 8 * 9,
    40 + 8 * 8,
    40,
    40 + 8,
    40 + 16,
    40 + 24,
    40 + 32,
    40 + 40,
    40 + 48,
    40 + 56
  };

  private static final int UCONTEXT_RIP = 40 + 8 * 16;
  private static final int UCONTEXT_FLAGS = 40 + 8 * 17;
  private static final int UCONTEXT_ERROR = 40 + 8 * 19;
  private static final int UCONTEXT_TRAP = 40 + 8 * 20;
  private static final int UCONTEXT_CR2 = 40 + 8 * 22;
  private static final int UCONTEXT_FPSTATE = 40 + 8 * 23;

  private final HostAssembler a = new HostAssembler(TEXT);

  /** XSAVE components the host offers: 7 with AVX, else 3. */
  private final int components;

  private HostProgram(int components) {
    this.components = components;
  }

  static byte[] elf(boolean avx) {
    return new HostProgram(avx ? 7 : 3).build();
  }

  private byte[] build() {
    prologue();
    a.label("loop");
    readRecord();
    placeCode();
    enter();
    a.label("exit");
    leave();
    a.label("finish");
    writeRecord();
    a.jump("loop");
    a.label("handler");
    handler();
    a.label("done");
    a.set(RDI, 0);
    a.syscall(EXIT);
    byte[] text = a.assemble();
    patch(text);
    return image(text);
  }

  private void map(long address, int length, int protection) {
    a.set(RDI, address);
    a.set(RSI, length);
    a.set(RDX, protection);
    a.set(R10, 0x32); // MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS
    a.set(R8, -1);
    a.set(R9, 0);
    a.syscall(MMAP);
  }

  private int handlerImmediate;
  private int exitImmediate;
  private int exitImmediate32;

  private void prologue() {
    a.set(RSP, STACK_TOP);
    map(MachineState.DATA_PAGE, 0x1000, 3);
    map(MachineState.CODE_ADDRESS & -0x1000, 0x1000, 7);
    // stack_t: ss_sp, ss_flags, ss_size
    a.storeImmediate(SCRATCH, (int) SIGNAL_STACK);
    a.storeImmediate(SCRATCH + 8, 0);
    a.storeImmediate(SCRATCH + 16, SIGNAL_STACK_SIZE);
    a.set(RDI, SCRATCH);
    a.set(RSI, 0);
    a.syscall(SIGALTSTACK);
    // struct kernel_sigaction: handler, flags, restorer, mask
    a.storeImmediate(SCRATCH, 0x11111111);
    handlerImmediate = a.size() - 4;
    a.storeImmediate(SCRATCH + 8, SIGNAL_FLAGS);
    a.storeImmediate(SCRATCH + 16, 0x11111111);
    a.storeImmediate(SCRATCH + 24, 0);
    for (int signal : SIGNALS) {
      a.set(RDI, signal);
      a.set(RSI, SCRATCH);
      a.set(RDX, 0);
      a.set(R10, 8);
      a.syscall(RT_SIGACTION);
    }
    a.set(RDI, ARCH_SET_FS);
    a.set(RSI, MachineState.FS_BASE);
    a.syscall(ARCH_PRCTL);
    a.set(RDI, ARCH_SET_GS);
    a.set(RSI, MachineState.GS_BASE);
    a.syscall(ARCH_PRCTL);
    // 32-bit code needs data segments that are not null
    a.set(RAX, MachineState.DATA);
    a.bytes(0x8e, 0xd8, 0x8e, 0xc0); // mov ds, eax; mov es, eax
    a.storeImmediate(FAR_POINTER, (int) MachineState.CODE_ADDRESS);
    a.storeImmediate(FAR_POINTER + 4, MachineState.CODE32);
  }

  /** Reads SIZE bytes; the end of the input ends the process. */
  private void readRecord() {
    transfer(READ, 0, "read");
  }

  private void writeRecord() {
    copy(MachineState.WINDOW_ADDRESS, RECORD + MachineState.WINDOW, MachineState.WINDOW_SIZE);
    transfer(WRITE, 1, "write");
  }

  private void transfer(int call, int descriptor, String name) {
    a.storeImmediate(SCRATCH + 64, 0);
    a.label(name);
    a.load(RSI, SCRATCH + 64);
    a.set(RDX, MachineState.SIZE);
    a.bytes(0x48, 0x29, 0xf2); // sub rdx, rsi
    a.bytes(0x48, 0x81, 0xc6, b(RECORD, 0), b(RECORD, 1), b(RECORD, 2), b(RECORD, 3));
    a.set(RDI, descriptor);
    a.syscall(call);
    a.bytes(0x48, 0x85, 0xc0); // test rax, rax
    a.jumpIf(0xe, "done"); // jle
    a.load(RSI, SCRATCH + 64);
    a.bytes(0x48, 0x01, 0xc6); // add rsi, rax
    a.store(SCRATCH + 64, RSI);
    a.bytes(0x48, 0x81, 0xfe); // cmp rsi, SIZE
    a.bytes(
        b(MachineState.SIZE, 0),
        b(MachineState.SIZE, 1),
        b(MachineState.SIZE, 2),
        b(MachineState.SIZE, 3));
    a.jumpIf(0x5, name); // jne
  }

  private static int b(long v, int i) {
    return (int) (v >> 8 * i) & 0xff;
  }

  private void copy(long from, long to, int length) {
    a.set(RSI, from);
    a.set(RDI, to);
    a.set(RCX, length);
    a.bytes(0xf3, 0xa4); // rep movsb
  }

  /** Clears the data page, fills the window, and puts the code and a jump to "exit" in place. */
  private void placeCode() {
    a.set(RDI, MachineState.DATA_PAGE);
    a.set(RCX, 0x1000 / 8);
    a.bytes(0x31, 0xc0, 0xf3, 0x48, 0xab); // xor eax, eax; rep stosq
    copy(RECORD + MachineState.WINDOW, MachineState.WINDOW_ADDRESS, MachineState.WINDOW_SIZE);
    a.set(RSI, RECORD + MachineState.CODE);
    a.set(RDI, MachineState.CODE_ADDRESS);
    a.load(RCX, RECORD + MachineState.CODE_LENGTH);
    a.bytes(0xf3, 0xa4);
    jumpIfCompatibility("stub32");
    // jmp exit, which reads no memory whose alignment might be checked
    a.bytes(0xb0, 0xe9, 0xaa); // mov al, 0xe9; stosb
    a.set(RAX, 0x11111111);
    exitImmediate = a.size() - 4;
    a.bytes(0x29, 0xf8, 0x83, 0xe8, 0x04, 0xab); // sub eax, edi; sub eax, 4; stosd
    a.jump("enter");
    a.label("stub32");
    a.bytes(0xc6, 0x07, 0xea, 0xc7, 0x47, 0x01); // jmp 33:exit
    exitImmediate32 = a.size();
    a.bytes(0, 0, 0, 0, 0x66, 0xc7, 0x47, 0x05, MachineState.CODE64, 0);
  }

  private void jumpIfCompatibility(String label) {
    a.load(RAX, RECORD + MachineState.MODE);
    a.bytes(0x48, 0x83, 0xf8, 32); // cmp rax, 32
    a.jumpIf(0x4, label);
  }

  private void enter() {
    a.label("enter");
    a.set(RAX, components);
    a.set(RDX, 0);
    a.xstate(5, RECORD + MachineState.XSAVE);
    jumpIfCompatibility("enter32");
    registers();
    a.jumpTo(MachineState.CODE_ADDRESS);
    a.label("enter32");
    registers();
    a.bytes(0xff, 0x2c, 0x25); // jmp far [FAR_POINTER]
    a.bytes(b(FAR_POINTER, 0), b(FAR_POINTER, 1), b(FAR_POINTER, 2), b(FAR_POINTER, 3));
  }

  private void registers() {
    a.set(RSP, STACK_TOP);
    a.push(RECORD + MachineState.RFLAGS);
    a.bytes(0x9d); // popfq
    for (int r = 0; r < 16; r++) {
      a.load(r, RECORD + MachineState.GPRS + 8 * r);
    }
  }

  private void leave() {
    for (int r = 0; r < 16; r++) {
      a.store(RECORD + MachineState.GPRS + 8 * r, r);
    }
    a.set(RSP, STACK_TOP);
    a.bytes(0x9c); // pushfq
    a.pop(RECORD + MachineState.RFLAGS);
    plainFlags();
    a.set(RAX, components);
    a.set(RDX, 0);
    a.xstate(4, RECORD + MachineState.XSAVE);
    a.storeImmediate(RECORD + MachineState.VECTOR, MachineState.NO_EXCEPTION);
  }

  /** Ends alignment checks, and whatever else the case has set. */
  private void plainFlags() {
    a.bytes(0x6a, 0x02, 0x9d); // push 2; popfq
  }

  /** RDX = struct ucontext. */
  private void handler() {
    plainFlags();
    for (int r = 0; r < 16; r++) {
      a.loadAt(RAX, RDX, UCONTEXT[r]);
      a.store(RECORD + MachineState.GPRS + 8 * r, RAX);
    }
    field(UCONTEXT_FLAGS, MachineState.RFLAGS);
    field(UCONTEXT_TRAP, MachineState.VECTOR);
    field(UCONTEXT_ERROR, MachineState.ERROR_CODE);
    field(UCONTEXT_CR2, MachineState.CR2);
    field(UCONTEXT_RIP, MachineState.RIP);
    a.loadAt(RSI, RDX, UCONTEXT_FPSTATE);
    a.set(RDI, RECORD + MachineState.XSAVE);
    a.set(RCX, components == 7 ? MachineState.XSAVE_SIZE : 512 + 64);
    a.bytes(0xf3, 0xa4);
    a.set(RSP, STACK_TOP);
    a.jump("finish");
  }

  private void field(int from, int to) {
    a.loadAt(RAX, RDX, from);
    a.store(RECORD + to, RAX);
  }

  private void patch(byte[] text) {
    ByteBuffer b = ByteBuffer.wrap(text).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(handlerImmediate, (int) a.address("handler"));
    b.putInt(exitImmediate, (int) a.address("exit"));
    b.putInt(exitImmediate32, (int) a.address("exit"));
  }

  /** One loadable segment, readable, writable and executable. */
  private static byte[] image(byte[] text) {
    byte[] file = new byte[0x1000 + text.length];
    ByteBuffer f = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    f.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0}).position(16);
    f.putShort((short) 2).putShort((short) 62).putInt(1); // ET_EXEC, EM_X86_64
    f.putLong(TEXT).putLong(64).putLong(0).putInt(0);
    f.putShort((short) 64).putShort((short) 56).putShort((short) 1);
    f.putShort((short) 64).putShort((short) 0).putShort((short) 0);
    f.position(64);
    f.putInt(1).putInt(7).putLong(0).putLong(BASE).putLong(BASE); // PT_LOAD, RWX
    f.putLong(file.length).putLong(MEMORY_END - BASE).putLong(0x1000);
    System.arraycopy(text, 0, file, 0x1000, text.length);
    return file;
  }
}
