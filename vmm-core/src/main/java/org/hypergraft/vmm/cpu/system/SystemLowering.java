package org.hypergraft.vmm.cpu.system;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Emitter;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.model.Feature;

/**
 * Lowers system instructions: segment, control, debug and model-specific registers, descriptor
 * tables, far transfers, interrupts, flags, port I/O, hypercalls. An instruction whose CPUID
 * feature the processor model lacks is #UD.
 */
public final class SystemLowering implements Lowering {
  /** How an op relates to its block. */
  private enum Shape {
    /** The next instruction follows. */
    CALL,
    /** The next instruction follows if the method says so. */
    CALL_OR_LEAVE,
    /** Ends the block. */
    LEAVE,
    /** Method names end in Register or Memory by operand form; the next instruction follows. */
    CALL_BY_FORM,
    LEAVE_BY_FORM
  }

  private record Row(Shape shape, Class<?> owner, String method, Feature feature) {}

  private static final Map<Mnemonic, Row> ROWS = rows();

  private final Predicate<Feature> features;

  /**
   * @param features what the processor model has
   */
  public SystemLowering(Predicate<Feature> features) {
    this.features = features;
  }

  private static Map<Mnemonic, Row> rows() {
    Map<Mnemonic, Row> m = new EnumMap<>(Mnemonic.class);
    add(m, Shape.CALL, TableRegisters.class, Mnemonic.SGDT, Mnemonic.SIDT);
    add(m, Shape.CALL, TableRegisters.class, Mnemonic.LGDT, Mnemonic.LIDT);
    add(m, Shape.CALL_BY_FORM, TableRegisters.class, Mnemonic.SLDT, Mnemonic.STR);
    add(m, Shape.CALL_BY_FORM, TableRegisters.class, Mnemonic.LLDT, Mnemonic.LTR);
    add(m, Shape.CALL_BY_FORM, SelectorChecks.class, Mnemonic.LAR, Mnemonic.LSL);
    add(m, Shape.CALL_BY_FORM, SelectorChecks.class, Mnemonic.VERR, Mnemonic.VERW, Mnemonic.ARPL);
    add(m, Shape.CALL_BY_FORM, ControlRegisters.class, Mnemonic.SMSW);
    add(m, Shape.LEAVE_BY_FORM, ControlRegisters.class, Mnemonic.LMSW);
    add(m, Shape.CALL, ControlRegisters.class, Mnemonic.CLTS, Mnemonic.XGETBV);
    add(m, Shape.LEAVE, ControlRegisters.class, Mnemonic.XSETBV);
    add(m, Shape.CALL, FlagControl.class, Mnemonic.CLI, Mnemonic.PUSHF);
    add(m, Shape.CALL_OR_LEAVE, FlagControl.class, Mnemonic.STI, Mnemonic.POPF);
    add(m, Shape.CALL_OR_LEAVE, Processor.class, Mnemonic.PAUSE);
    add(m, Shape.LEAVE, FastCalls.class, Mnemonic.SYSENTER, Mnemonic.SYSEXIT);
    add(m, Shape.LEAVE, ModelRegisters.class, Mnemonic.RDMSR, Mnemonic.WRMSR);
    add(m, Shape.LEAVE, ModelRegisters.class, Mnemonic.RDTSC, Mnemonic.RDPMC);
    add(m, Shape.LEAVE, Processor.class, Mnemonic.CPUID, Mnemonic.HLT, Mnemonic.INVLPG);
    add(m, Shape.LEAVE, Processor.class, Mnemonic.VMCALL, Mnemonic.VMMCALL);
    add(m, Shape.LEAVE, InterruptReturn.class, Mnemonic.IRET);
    m.put(Mnemonic.INVD, new Row(Shape.LEAVE, Processor.class, "cacheControl", null));
    m.put(Mnemonic.WBINVD, new Row(Shape.LEAVE, Processor.class, "cacheControl", null));
    m.put(Mnemonic.INT, new Row(Shape.LEAVE, Interrupts.class, "software", null));
    m.put(Mnemonic.INT3, new Row(Shape.LEAVE, Interrupts.class, "breakpoint", null));
    m.put(Mnemonic.INTO, new Row(Shape.LEAVE, Interrupts.class, "overflow", null));
    m.put(Mnemonic.INT1, new Row(Shape.LEAVE, Interrupts.class, "iceBreakpoint", null));
    m.put(Mnemonic.INS, new Row(Shape.LEAVE, PortIo.class, "ins", null));
    m.put(Mnemonic.OUTS, new Row(Shape.LEAVE, PortIo.class, "outs", null));

    // Instructions that exist only with a feature of their own.
    with(m, Feature.SYSCALL, Mnemonic.SYSCALL, Shape.LEAVE, FastCalls.class, "syscall");
    with(m, Feature.SYSCALL, Mnemonic.SYSRET, Shape.LEAVE, FastCalls.class, "sysret");
    with(m, Feature.LM, Mnemonic.SWAPGS, Shape.CALL, FastCalls.class, "swapgs");
    with(m, Feature.RDTSCP, Mnemonic.RDTSCP, Shape.LEAVE, ModelRegisters.class, "rdtscp");
    with(m, Feature.RDPID, Mnemonic.RDPID, Shape.CALL, ModelRegisters.class, "rdpid");
    with(m, Feature.INVPCID, Mnemonic.INVPCID, Shape.LEAVE, Processor.class, "invpcid");
    with(m, Feature.RDRAND, Mnemonic.RDRAND, Shape.CALL, RandomNumbers.class, "rdrand");
    with(m, Feature.RDSEED, Mnemonic.RDSEED, Shape.CALL, RandomNumbers.class, "rdseed");
    with(m, Feature.SMAP, Mnemonic.STAC, Shape.CALL, FlagControl.class, "stac");
    with(m, Feature.SMAP, Mnemonic.CLAC, Shape.CALL, FlagControl.class, "clac");
    return m;
  }

  /** Rows whose method has the instruction's name. */
  private static void add(
      Map<Mnemonic, Row> m, Shape shape, Class<?> owner, Mnemonic... mnemonics) {
    for (Mnemonic each : mnemonics) {
      m.put(each, new Row(shape, owner, each.name().toLowerCase(Locale.ROOT), null));
    }
  }

  private static void with(
      Map<Mnemonic, Row> m, Feature f, Mnemonic each, Shape shape, Class<?> owner, String method) {
    m.put(each, new Row(shape, owner, method, f));
  }

  @Override
  public boolean lower(Insn in, Emitter out) {
    switch (in.mnemonic) {
      case MOV:
        return move(in, out);
      case PUSH:
        return push(in, out);
      case POP:
        return pop(in, out);
      case LDS:
        return loadFar(out, Cpu.DS);
      case LES:
        return loadFar(out, Cpu.ES);
      case LSS:
        return loadFar(out, Cpu.SS);
      case LFS:
        return loadFar(out, Cpu.FS);
      case LGS:
        return loadFar(out, Cpu.GS);
      case RDFSBASE:
        return base(out, "readBase", Cpu.FS);
      case RDGSBASE:
        return base(out, "readBase", Cpu.GS);
      case WRFSBASE:
        return base(out, "writeBase", Cpu.FS);
      case WRGSBASE:
        return base(out, "writeBase", Cpu.GS);
      case JMPF:
        return far(in, out, "jump");
      case CALLF:
        return far(in, out, "call");
      case RETF:
        out.leave(FarTransfer.class, "ret").size = (byte) operandSize(in);
        return true;
      case IN:
        port(in, out, "in", 1);
        return true;
      case OUT:
        port(in, out, "out", 0);
        return true;
      case WBNOINVD:
        // Without the feature its F3 prefix is ignored (AMD APM vol. 3, WBNOINVD).
        out.leave(Processor.class, "cacheControl");
        return true;
      default:
        return byRow(in, out);
    }
  }

  private boolean byRow(Insn in, Emitter out) {
    Row row = ROWS.get(in.mnemonic);
    if (row == null) {
      return false;
    }
    if (row.feature != null && !features.test(row.feature)) {
      out.undefined();
      return true;
    }
    String form = in.hasMemory() ? "Memory" : "Register";
    Op op =
        switch (row.shape) {
          case CALL -> out.call(row.owner, row.method);
          case CALL_OR_LEAVE -> out.callOrLeave(row.owner, row.method);
          case LEAVE -> out.leave(row.owner, row.method);
          case CALL_BY_FORM -> out.call(row.owner, row.method + form);
          case LEAVE_BY_FORM -> out.leave(row.owner, row.method + form);
        };
    switch (in.mnemonic) {
      case INS, OUTS -> {
        op.aux = (byte) (in.rep || in.repne ? 1 : 0);
        op.seg = (byte) in.segment;
      }
      case LGDT, LIDT -> op.aux = (byte) operandSize(in);
      default -> {}
    }
    return true;
  }

  /** The operand size in bytes, where {@link Insn#opSize} describes an operand instead. */
  private static int operandSize(Insn in) {
    if (in.mode == 64 && (in.rex & 8) != 0) {
      return 8;
    }
    boolean prefix = (in.prefixes & Insn.PREFIX_66) != 0;
    return prefix == (in.mode == 16) ? 4 : 2;
  }

  private static boolean move(Insn in, Emitter out) {
    int to = in.kind[0];
    int from = in.kind[1];
    if (to == Insn.SEG) {
      String method = from == Insn.MEM ? "loadMemory" : "loadRegister";
      segmentLoad(out, in.reg[0], method);
      return true;
    }
    if (from == Insn.SEG) {
      out.call(SegmentOps.class, to == Insn.MEM ? "storeMemory" : "storeRegister");
      return true;
    }
    if (to == Insn.CR) {
      out.leave(ControlRegisters.class, "write");
      return true;
    }
    if (from == Insn.CR) {
      out.call(ControlRegisters.class, "read");
      return true;
    }
    if (to == Insn.DR) {
      out.leave(DebugRegisters.class, "write");
      return true;
    }
    if (from == Insn.DR) {
      out.call(DebugRegisters.class, "read");
      return true;
    }
    return false;
  }

  /**
   * In 64-bit code a load of DS, ES, FS or GS changes nothing that decoding depends on; elsewhere
   * the block ends because segments may stop being flat. SS also holds interrupts back.
   */
  private static Op segmentLoad(Emitter out, int seg, String method) {
    boolean wide = (out.modeKey() & Cpu.MODE_SIZE) == 2;
    return wide && seg != Cpu.SS
        ? out.call(SegmentOps.class, method)
        : out.leave(SegmentOps.class, method);
  }

  private static boolean push(Insn in, Emitter out) {
    if (in.kind[0] != Insn.SEG) {
      return false;
    }
    out.call(SegmentOps.class, "push");
    return true;
  }

  private static boolean pop(Insn in, Emitter out) {
    if (in.kind[0] != Insn.SEG) {
      return false;
    }
    segmentLoad(out, in.reg[0], "pop");
    return true;
  }

  private static boolean loadFar(Emitter out, int seg) {
    segmentLoad(out, seg, "loadFar").aux = (byte) seg;
    return true;
  }

  private boolean base(Emitter out, String method, int seg) {
    if (!features.test(Feature.FSGSBASE)) {
      out.undefined();
    } else {
      out.call(FastCalls.class, method).aux = (byte) seg;
    }
    return true;
  }

  private static boolean far(Insn in, Emitter out, String method) {
    if (in.kind[0] == Insn.MEM) {
      out.leave(FarTransfer.class, method + "Memory");
    } else {
      Op op = out.leave(FarTransfer.class, method + "Pointer");
      op.imm = in.imm;
      op.disp = in.imm2;
    }
    return true;
  }

  private static void port(Insn in, Emitter out, String method, int portOperand) {
    boolean immediate = in.kind[portOperand] == Insn.IMM;
    out.leave(PortIo.class, method + (immediate ? "Immediate" : "Dx"));
  }
}
