package org.hypergraft.vmm.gdb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;
import org.hypergraft.annotator.isa.RegisterNames;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;

/**
 * The registers that gdb is shown, in the order of their numbers. Names and feature names are those
 * of the GDB manual, G.5.6 "i386 Features"; the features of another name are extras that gdb shows
 * as they are described.
 */
final class RegisterFile {
  /** Part of the target description that a register belongs to. */
  enum Feature {
    CORE("org.gnu.gdb.i386.core"),
    SSE("org.gnu.gdb.i386.sse"),
    AVX("org.gnu.gdb.i386.avx"),
    SEGMENTS("org.gnu.gdb.i386.segments"),
    SYSTEM("org.hypergraft.system");

    final String id;

    Feature(String id) {
      this.id = id;
    }
  }

  /** Puts a register's bytes. */
  private interface Get {
    void read(Cpu c, ByteBuffer to);
  }

  /** Takes a register's bytes. */
  private interface Set {
    void write(Cpu c, ByteBuffer from);
  }

  /**
   * A register.
   *
   * @param bits size
   * @param type type in the target description
   */
  record Register(String name, int bits, String type, Feature feature, Get get, Set set) {
    int bytes() {
      return bits / 8;
    }

    boolean writable() {
      return set != null;
    }
  }

  /** Order of general registers in the core feature, as encoded numbers. */
  private static final int[] GENERAL_64 = {
    Cpu.RAX, Cpu.RBX, Cpu.RCX, Cpu.RDX, Cpu.RSI, Cpu.RDI, Cpu.RBP, Cpu.RSP, 8, 9, 10, 11, 12, 13,
    14, 15
  };

  private static final int[] GENERAL_32 = {
    Cpu.RAX, Cpu.RCX, Cpu.RDX, Cpu.RBX, Cpu.RSP, Cpu.RBP, Cpu.RSI, Cpu.RDI
  };

  /** Order of segment registers in the core feature, as encoded numbers. */
  private static final int[] SEGMENTS = {Cpu.CS, Cpu.SS, Cpu.DS, Cpu.ES, Cpu.FS, Cpu.GS};

  /**
   * Flags that a debugger may change; the others decide how the processor runs and change with
   * privilege only.
   */
  private static final int CHANGEABLE =
      Flags.STATUS | Flags.TF | Flags.IF | Flags.DF | Flags.NT | Flags.RF | Flags.ID;

  private final boolean wide;
  private final List<Register> all = new ArrayList<>();

  /**
   * @param wide whether for a 64-bit kernel
   * @param avx whether the processor has AVX
   */
  RegisterFile(boolean wide, boolean avx) {
    this.wide = wide;
    core();
    x87();
    sse();
    if (wide) {
      segmentBases();
    }
    if (avx) {
      avx();
    }
    system();
  }

  boolean wide() {
    return wide;
  }

  List<Register> all() {
    return all;
  }

  private void core() {
    int word = wide ? 64 : 32;
    for (int n : wide ? GENERAL_64 : GENERAL_32) {
      String full = RegisterNames.GENERAL.get(n);
      String name = wide ? full : "e" + full.substring(1);
      String type = n == Cpu.RSP || n == Cpu.RBP ? "data_ptr" : "int" + word;
      number(name, word, type, Feature.CORE, c -> c.r[n], (c, v) -> c.r[n] = v);
    }
    String ip = wide ? "rip" : "eip";
    number(ip, word, "code_ptr", Feature.CORE, c -> c.rip, (c, v) -> c.rip = v);
    number(
        "eflags",
        32,
        "i386_eflags",
        Feature.CORE,
        Flags::get,
        (c, v) -> Flags.set(c, (int) (v & CHANGEABLE | c.sysFlags & ~CHANGEABLE)));
    for (int s : SEGMENTS) {
      number(RegisterNames.SEGMENTS.get(s), 32, "int32", Feature.CORE, c -> c.sel[s], null);
    }
  }

  private void x87() {
    for (int i = 0; i < 8; i++) {
      int st = i;
      all.add(
          new Register(
              "st" + i,
              80,
              "i387_ext",
              Feature.CORE,
              (c, to) -> {
                int r = c.x87.top + st & 7;
                to.putLong(c.x87.significand[r]).putShort((short) c.x87.signExponent[r]);
              },
              (c, from) -> {
                int r = c.x87.top + st & 7;
                c.x87.significand[r] = from.getLong();
                c.x87.signExponent[r] = from.getShort() & 0xffff;
              }));
    }
    String[] names = {"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"};
    List<ToLongFunction<Cpu>> values =
        List.of(
            c -> c.x87.control,
            c -> c.x87.status | c.x87.top << 11,
            RegisterFile::tags,
            c -> c.x87.instructionSelector,
            c -> c.x87.instruction,
            c -> c.x87.dataSelector,
            c -> c.x87.data,
            c -> c.x87.opcode);
    for (int i = 0; i < names.length; i++) {
      number(names[i], 32, "int", Feature.CORE, values.get(i), null);
    }
  }

  /** The full tag word (Intel SDM vol. 1, 8.1.7): 0 valid, 1 zero, 2 special, 3 empty. */
  private static long tags(Cpu c) {
    long word = 0;
    for (int r = 0; r < 8; r++) {
      int exponent = c.x87.signExponent[r] & 0x7fff;
      long significand = c.x87.significand[r];
      int tag;
      if ((c.x87.valid & 1 << r) == 0) {
        tag = 3;
      } else if (exponent == 0 && significand == 0) {
        tag = 1;
      } else {
        tag = exponent == 0 || exponent == 0x7fff || significand >= 0 ? 2 : 0;
      }
      word |= (long) tag << 2 * r;
    }
    return word;
  }

  private void sse() {
    for (int i = 0; i < vectors(); i++) {
      lanes("xmm" + i, "vec128", Feature.SSE, 4 * i);
    }
    number(
        "mxcsr",
        32,
        "i386_mxcsr",
        Feature.SSE,
        c -> c.mxcsr,
        (c, v) -> c.mxcsr = (int) (v & 0xffff));
  }

  private void avx() {
    for (int i = 0; i < vectors(); i++) {
      lanes("ymm%dh".formatted(i), "uint128", Feature.AVX, 4 * i + 2);
    }
  }

  private int vectors() {
    return wide ? 16 : 8;
  }

  private void lanes(String name, String type, Feature feature, int lane) {
    all.add(
        new Register(
            name,
            128,
            type,
            feature,
            (c, to) -> to.putLong(c.x[lane]).putLong(c.x[lane + 1]),
            (c, from) -> {
              c.x[lane] = from.getLong();
              c.x[lane + 1] = from.getLong();
            }));
  }

  private void segmentBases() {
    number("fs_base", 64, "int64", Feature.SEGMENTS, c -> c.segBase[Cpu.FS], base(Cpu.FS));
    number("gs_base", 64, "int64", Feature.SEGMENTS, c -> c.segBase[Cpu.GS], base(Cpu.GS));
  }

  private static BiConsumer<Cpu, Long> base(int segment) {
    return (c, v) -> {
      if (c.mmu.canonical(v)) {
        c.segBase[segment] = v;
      }
    };
  }

  private void system() {
    int word = wide ? 64 : 32;
    String type = "int" + word;
    if (wide) {
      number("k_gs_base", 64, type, Feature.SYSTEM, c -> c.kernelGsBase, null);
    }
    number("cr0", word, type, Feature.SYSTEM, c -> c.cr0, null);
    number("cr2", word, type, Feature.SYSTEM, c -> c.cr2, null);
    number("cr3", word, type, Feature.SYSTEM, c -> c.cr3, null);
    number("cr4", word, type, Feature.SYSTEM, c -> c.cr4, null);
    number("efer", 64, "int64", Feature.SYSTEM, c -> c.efer, null);
  }

  private void number(
      String name,
      int bits,
      String type,
      Feature feature,
      ToLongFunction<Cpu> get,
      BiConsumer<Cpu, Long> set) {
    Get read =
        bits == 64
            ? (c, to) -> to.putLong(get.applyAsLong(c))
            : (c, to) -> to.putInt((int) get.applyAsLong(c));
    Set write =
        set == null
            ? null
            : (c, from) ->
                set.accept(c, bits == 64 ? from.getLong() : from.getInt() & 0xffff_ffffL);
    all.add(new Register(name, bits, type, feature, read, write));
  }

  /** Bytes of one register, as in the target's memory. */
  byte[] read(Cpu c, Register r) {
    ByteBuffer to = ByteBuffer.allocate(r.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    r.get.read(c, to);
    return to.array();
  }

  /**
   * Changes a register.
   *
   * @return false, with nothing changed, if it cannot be changed or the bytes are not its size
   */
  boolean write(Cpu c, Register r, byte[] value) {
    if (r.set == null || value.length != r.bytes()) {
      return false;
    }
    r.set.write(c, ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN));
    return true;
  }

  /** Bytes of all registers one after the other. */
  byte[] readAll(Cpu c) {
    int size = all.stream().mapToInt(Register::bytes).sum();
    ByteBuffer to = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    all.forEach(r -> r.get.read(c, to));
    return to.array();
  }

  /**
   * Changes all registers that can be changed.
   *
   * @return false, with nothing changed, if there are not bytes for all registers
   */
  boolean writeAll(Cpu c, byte[] values) {
    ByteBuffer from = ByteBuffer.wrap(values).order(ByteOrder.LITTLE_ENDIAN);
    if (values.length != all.stream().mapToInt(Register::bytes).sum()) {
      return false;
    }
    for (Register r : all) {
      int next = from.position() + r.bytes();
      if (r.set != null) {
        r.set.write(c, from);
      }
      from.position(next);
    }
    return true;
  }
}
