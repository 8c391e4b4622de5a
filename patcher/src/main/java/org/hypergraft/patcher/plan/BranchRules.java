package org.hypergraft.patcher.plan;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.FunctionCode;

/**
 * Indirect branches, returns, ENDBRs and lock prefixes as {@code alternative_instructions()} leaves
 * them (Linux {@code arch/x86/kernel/alternative.c}, 5.10 point releases to 7.2).
 */
final class BranchRules {
  private static final int CALL = 0xe8;
  private static final int JMP = 0xe9;
  private static final int INT3 = 0xcc;
  private static final int RET = 0xc3;
  private static final byte CS_PREFIX = 0x2e;

  /** What {@code gen_endbr_poison()} has been: {@code nopw (%rax)}, {@code nopl -42(%rax)}. */
  private static final byte[][] ENDBR_POISONS = {
    HexFormat.of().parseHex("660f1f00"), HexFormat.of().parseHex("0f1f40d6")
  };

  private static final byte[] ENDBR64 = HexFormat.of().parseHex("f30f1efa");

  /** Bytes from one thunk of the array to the next. */
  private static final int THUNK_SIZE = 32;

  private final RuleContext c;
  private final NopOptimizer nops;
  private final long thunks;
  private final long returnThunk;
  private final long itsReturnThunk;
  private final long textStart;
  private final long textEnd;
  private final byte[] endbrPoison;

  /**
   * How the room behind an indirect branch is filled; null when the kernel's code does not tell.
   */
  private final Filling filling;

  private final byte[] scratch = new byte[16];

  /** {@code patch_retpoline()} and {@code emit_indirect()} in their three forms. */
  private enum Filling {
    /** 5.10: NOPs. */
    NOPS_ONLY,
    /** Up to 6.17: one INT3 after a jump, the rest NOPs. */
    NOPS,
    /** Later: CS prefixes before a call where at most three are needed; only INT3s after a jump. */
    PREFIXES
  }

  BranchRules(RuleContext c) {
    this.c = c;
    nops = new NopOptimizer(c);
    thunks = symbol("__x86_indirect_thunk_array");
    returnThunk = symbol("__x86_return_thunk");
    itsReturnThunk = symbol("its_return_thunk");
    textStart = symbol("_text");
    textEnd = symbol("_etext");
    endbrPoison = endbrPoison();
    filling = filling();
  }

  /**
   * The newer form stores CS prefixes in {@code apply_retpolines()} itself; the older one only in
   * {@code __emit_trampoline()}, if that is a function of its own.
   */
  private Filling filling() {
    if (c.sites().pvOps().flatMap(o -> o.slot("init.patch")).isPresent()) {
      return Filling.NOPS_ONLY;
    }
    if (c.sites()
        .alternatives()
        .filter(t -> t.layout() == AlternativeTable.Layout.FLAG_IN_FEATURE)
        .isPresent()) {
      return Filling.NOPS;
    }
    if (symbol("__emit_trampoline") == 0) {
      return null;
    }
    FunctionCode code = FunctionCode.of(c.image(), "apply_retpolines");
    for (Insn in = code.next(); in != null; in = code.next()) {
      if (in.mnemonic == Mnemonic.MOV
          && in.kind[0] == Insn.MEM
          && in.kind[1] == Insn.IMM
          && in.opSize == 1
          && in.imm == CS_PREFIX) {
        return Filling.PREFIXES;
      }
    }
    return code.isComplete() ? Filling.NOPS : null;
  }

  /** The one of the known encodings that the sealing code carries as an immediate; null if none. */
  private byte[] endbrPoison() {
    Optional<Symbol> s = c.image().symbols().find("apply_seal_endbr");
    if (s.isEmpty() || s.get().size() > 4096) {
      return null;
    }
    int from = c.sites().code().offsetOf(s.get().address(), (int) s.get().size());
    byte[] found = null;
    for (byte[] poison : ENDBR_POISONS) {
      for (int i = from; from >= 0 && i + 4 <= from + s.get().size(); i++) {
        if (Arrays.equals(c.image().payload(), i, i + 4, poison, 0, 4)) {
          if (found != null && found != poison) {
            return null;
          }
          found = poison;
        }
      }
    }
    return found;
  }

  private long symbol(String name) {
    return c.image().symbols().find(name).map(Symbol::address).orElse(0L);
  }

  /** {@code patch_retpoline()}: an indirect branch where the thunk is not needed. */
  void retpoline(SiteBuffer b, AddressTable t, int i) throws Refusal {
    long site = t.address(i);
    int at = (int) (site - b.start());
    byte[] code = b.bytes();
    int length = t.length(i);
    int opcodeAt = (code[at] & 0xff) == CS_PREFIX ? at + 1 : at;
    int opcode = code[opcodeAt] & 0xff;
    boolean conditional = opcode == 0x0f && (code[at + 1] & 0xf0) == 0x80 && opcodeAt == at;
    if (opcode != CALL && opcode != JMP && !conditional) {
      throw new Refusal("expected a call or jump to a thunk, found " + hex(code, at, length));
    }
    long target = site + length + Bytes.s32(code, at + length - 4);
    long index = (target - thunks) / THUNK_SIZE;
    if (thunks == 0
        || (target - thunks) % THUNK_SIZE != 0
        || index < 0
        || index > 15
        || index == 4) {
      throw new Refusal("0x%x is no indirect-branch thunk".formatted(target));
    }
    Tri retpoline = c.facts().has(CpuFeature.RETPOLINE);
    Tri lfence = c.facts().has(CpuFeature.RETPOLINE_LFENCE);
    if (retpoline == Tri.UNKNOWN || lfence == Tri.UNKNOWN) {
      b.leaveOpen(at, length, c.facts().whyUnknown("RETPOLINE"));
      return;
    }
    if (retpoline == Tri.YES && lfence == Tri.NO) {
      return;
    }
    if (filling == null) {
      throw new Refusal("this kernel's form of rewritten indirect branches is not known");
    }
    int n = 0;
    if (conditional) {
      // A jump over the indirect one, taken in the opposite case.
      scratch[n++] = (byte) (0x70 | ((code[at + 1] & 15) ^ 1));
      scratch[n++] = (byte) (length - 2);
    }
    if (lfence == Tri.YES) {
      scratch[n++] = 0x0f;
      scratch[n++] = (byte) 0xae;
      scratch[n++] = (byte) 0xe8;
    }
    int reg = (int) index;
    if (indirectTargetSelection(site + n, reg)) {
      throw new Refusal(
          "indirect target selection (INDIRECT_THUNK_ITS) needs a thunk in memory that the kernel"
              + " allocates at boot");
    }
    if (n + (reg >= 8 ? 3 : 2) > length) {
      if (filling == Filling.PREFIXES) {
        // emit_indirect() warns, and fills the negative rest of the site: over its stack (7.2)
        throw new Refusal(
            "LFENCE and branch need more than the %d bytes there; this kernel does not boot with"
                    .formatted(length)
                + " RETPOLINE_LFENCE");
      }
      return; // the kernel leaves a site alone that has no room
    }
    indirect(opcode != CALL, reg, n, length);
    nops.runs(scratch, 0, length, site);
    b.write(at, scratch, 0, length);
  }

  /**
   * {@code emit_indirect()} from position {@code from} of the scratch on, and what fills the rest.
   */
  private void indirect(boolean jump, int reg, int from, int length) {
    int n = from;
    int room = length - n - (reg >= 8 ? 3 : 2);
    if (filling == Filling.PREFIXES && !jump && room <= 3) {
      for (; room > 0; room--) {
        scratch[n++] = CS_PREFIX;
      }
    }
    if (reg >= 8) {
      scratch[n++] = 0x41;
    }
    scratch[n++] = (byte) 0xff;
    scratch[n++] = (byte) ((jump ? 0xe0 : 0xd0) | (reg & 7));
    int int3s =
        !jump || filling == Filling.NOPS_ONLY
            ? 0
            : filling == Filling.PREFIXES ? length - n : Math.min(1, length - n);
    for (; int3s > 0; int3s--) {
      scratch[n++] = (byte) INT3;
    }
    Arrays.fill(scratch, n, length, (byte) 0x90);
  }

  /**
   * {@code cpu_wants_indirect_its_thunk_at()}: the branch's last byte in the lower half of a cache
   * line. The mitigation is in force when its return thunk was chosen and retpolines were not.
   */
  private boolean indirectTargetSelection(long branch, int reg) {
    boolean its =
        itsReturnThunk != 0
            && c.facts().has(CpuFeature.RETPOLINE) == Tri.NO
            && c.facts().has(CpuFeature.RETHUNK) == Tri.YES
            && c.facts().returnThunk().orElse(itsReturnThunk) == itsReturnThunk;
    return its && ((branch + 1 + reg / 8) & 0x20) == 0;
  }

  /** {@code patch_return()}: a plain return, or a jump to the chosen thunk. */
  void ret(SiteBuffer b, AddressTable t, int i) throws Refusal {
    long site = t.address(i);
    int at = (int) (site - b.start());
    byte[] code = b.bytes();
    if ((code[at] & 0xff) != JMP || site + 5 + Bytes.s32(code, at + 1) != returnThunk) {
      throw new Refusal("expected a jump to the return thunk, found " + hex(code, at, 5));
    }
    Tri thunk = c.facts().has(CpuFeature.RETHUNK);
    if (thunk == Tri.UNKNOWN) {
      b.leaveOpen(at, 5, c.facts().whyUnknown("RETHUNK"));
      return;
    }
    boolean plain = thunk == Tri.NO;
    if (!plain) {
      if (c.facts().returnThunk().isEmpty()) {
        b.leaveOpen(at, 5, "the profile does not name the return thunk that mitigations chose");
        return;
      }
      long chosen = c.facts().returnThunk().getAsLong();
      // Indirect target selection: returns in the upper half of a cache line are safe as they are.
      plain = chosen != 0 && chosen == itsReturnThunk && (site & 0x20) != 0;
      if (!plain) {
        Bytes.branch(scratch, 0, JMP, site, chosen);
      }
    }
    if (plain) {
      scratch[0] = (byte) RET;
      for (int k = 1; k < 5; k++) {
        scratch[k] = (byte) INT3;
      }
    }
    b.write(at, scratch, 0, 5);
  }

  /** {@code poison_endbr()}. */
  void endbr(SiteBuffer b, AddressTable t, int i) throws Refusal {
    int at = (int) (t.address(i) - b.start());
    for (int k = 0; k < 4; k++) {
      if (b.bytes()[at + k] != ENDBR64[k]) {
        throw new Refusal("expected endbr64, found " + hex(b.bytes(), at, 4));
      }
    }
    if (endbrPoison == null) {
      throw new Refusal("this kernel's replacement for a sealed endbr64 is not known");
    }
    b.write(at, endbrPoison, 0, 4);
  }

  /** {@code alternatives_smp_unlock()}: only within the core text, and only a lock prefix. */
  void lock(SiteBuffer b, AddressTable t, int i) throws Refusal {
    long site = t.address(i);
    int at = (int) (site - b.start());
    if (site >= textStart && site < textEnd && (b.bytes()[at] & 0xff) == 0xf0) {
      scratch[0] = 0x3e;
      b.write(at, scratch, 0, 1);
    }
  }

  private static String hex(byte[] b, int at, int length) {
    return HexFormat.of().formatHex(b, at, at + length);
  }
}
