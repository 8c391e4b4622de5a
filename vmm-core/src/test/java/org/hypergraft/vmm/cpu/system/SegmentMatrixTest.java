package org.hypergraft.vmm.cpu.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Loads of segment registers and accesses through them, every combination against the rules of the
 * manual written down a second time: Intel SDM vol. 2, MOV; vol. 3, 5.3 to 5.6.
 */
class SegmentMatrixTest {
  private static final int SELECTOR = SystemMachine.SCRATCH;
  private static final int LIMIT = 0xfff;
  private static final long BASE = 0x4_0000;
  private static final String NONE = "";
  private static final String GP0 = "#13(0)";

  private final SystemMachine m = new SystemMachine();
  private final Cpu c = m.cpu;

  @BeforeEach
  void protectedMode() {
    m.protectedMode();
  }

  @AfterEach
  void close() {
    m.close();
  }

  private String run(String code) {
    m.raised.clear();
    m.run(code, 1);
    return String.join(" ", m.raised);
  }

  // ---- Loads ------------------------------------------------------------------------------------

  /** Type, presence, DPL, RPL, CPL and register. */
  @Test
  void loadsOfSegmentRegisters() {
    List<String> wrong = new ArrayList<>();
    int cases = 0;
    for (boolean stack : new boolean[] {false, true}) {
      for (int cpl = 0; cpl <= 3; cpl += 3) {
        for (int system = 0; system < 2; system++) {
          for (int type = 0; type < 16; type++) {
            for (int present = 0; present < 2; present++) {
              for (int dpl = 0; dpl < 4; dpl++) {
                for (int rpl = 0; rpl < 4; rpl++) {
                  cases++;
                  boolean s = system == 0;
                  String expected = load(stack, cpl, s, type, present == 1, dpl, rpl);
                  m.protectedMode();
                  int attr = type | (s ? 1 << 4 : 0) | dpl << 5 | present << 7 | 0x4000;
                  m.descriptor(SELECTOR, BASE, LIMIT, attr);
                  if (cpl == 3) {
                    m.user();
                  }
                  c.r[Cpu.RAX] = SELECTOR | rpl;
                  String got = run(stack ? "8ed0" : "8ed8"); // mov ss, ax; mov ds, ax
                  if (!got.equals(expected)) {
                    wrong.add(
                        "%s type %x%s dpl %d rpl %d cpl %d present %d: expected %s, got %s"
                            .formatted(
                                stack ? "SS" : "DS",
                                type,
                                s ? "" : " (system)",
                                dpl,
                                rpl,
                                cpl,
                                present,
                                expected,
                                got));
                  }
                }
              }
            }
          }
        }
      }
    }
    assertEquals(List.of(), wrong);
    assertEquals(4096, cases);
  }

  private static String load(
      boolean stack, int cpl, boolean segment, int type, boolean present, int dpl, int rpl) {
    boolean code = type >= 8;
    if (stack) {
      boolean fits = segment && !code && (type & 2) != 0 && rpl == cpl && dpl == cpl;
      return !fits ? "#13(" + SELECTOR + ")" : present ? NONE : "#12(" + SELECTOR + ")";
    }
    boolean readable = segment && (!code || (type & 2) != 0);
    boolean conforming = code && (type & 4) != 0;
    boolean privileged = conforming || dpl >= rpl && dpl >= cpl;
    return !readable || !privileged
        ? "#13(" + SELECTOR + ")"
        : present ? NONE : "#11(" + SELECTOR + ")";
  }

  // ---- Accesses ---------------------------------------------------------------------------------

  /** What a memory operand does, through which register. */
  private enum Access {
    READ("8a", "668b", "8b", false),
    WRITE("88", "6689", "89", true),
    /** ADD to memory. */
    UPDATE("00", "6601", "01", true),
    /** CMP with memory first. */
    COMPARE("38", "6639", "39", false);

    final String[] opcodes;
    final boolean writes;

    Access(String one, String two, String four, boolean writes) {
      opcodes = new String[] {one, two, four};
      this.writes = writes;
    }
  }

  /** Segment type, size of the operand, place relative to the limit, direction, register. */
  @Test
  void accessesThroughSegments() {
    List<String> wrong = new ArrayList<>();
    int cases = 0;
    for (int seg : new int[] {Cpu.DS, Cpu.ES, Cpu.FS, Cpu.SS, Cpu.CS}) {
      for (int type = 0; type < 16; type++) {
        for (int big = 0; big < 2; big++) {
          for (int log = 0; log < 3; log++) {
            for (Access access : Access.values()) {
              for (long offset : offsets()) {
                cases++;
                String expected = access(seg, type, big, 1 << log, access.writes, offset);
                String got = execute(seg, type, big, access.opcodes[log], offset);
                if (!got.equals(expected)) {
                  wrong.add(
                      "segment %d type %x big %d %s of %d at %x: expected %s, got %s"
                          .formatted(seg, type, big, access, 1 << log, offset, expected, got));
                }
              }
            }
          }
        }
      }
    }
    assertEquals(List.of(), wrong.subList(0, Math.min(20, wrong.size())));
    assertEquals(5 * 16 * 2 * 3 * 4 * offsets().length, cases);
  }

  private static long[] offsets() {
    return new long[] {
      0, LIMIT - 3, LIMIT - 2, LIMIT - 1, LIMIT, LIMIT + 1, 0xfffd, 0xffff, 0x10000, 0xffff_ffffL
    };
  }

  /** The hidden part is set directly: not every type can be loaded into every register. */
  private String execute(int seg, int type, int big, String opcode, long offset) {
    m.protectedMode();
    c.r[Cpu.RSP] = 0x800;
    int attr = type | 0x90 | (big != 0 ? 0x4000 : 0);
    if (seg == Cpu.CS) {
      c.segBase[seg] = 0;
      c.segLimit[seg] = 0xffff;
      c.segAttr[seg] = attr | 0x4000;
    } else {
      c.segBase[seg] = BASE;
      c.segLimit[seg] = LIMIT;
      c.segAttr[seg] = attr;
    }
    c.updateMode();
    c.r[Cpu.RBX] = offset;
    c.r[Cpu.RAX] = 0;
    String prefix = new String[] {"26", "2e", "36", "", "64", "65"}[seg];
    return run(prefix + opcode + "03"); // op [ebx], eax or op eax, [ebx]
  }

  private static String access(int seg, int type, int big, int size, boolean write, long offset) {
    boolean code = type >= 8;
    boolean writable = !code && (type & 2) != 0;
    boolean readable = !code || (type & 2) != 0;
    if (write ? !writable : !readable) {
      return GP0;
    }
    long limit = seg == Cpu.CS ? 0xffff : LIMIT;
    boolean down = !code && (type & 4) != 0;
    long top = big != 0 || seg == Cpu.CS ? 0xffff_ffffL : 0xffff;
    boolean inside = down ? offset > limit && offset + size - 1 <= top : offset + size - 1 <= limit;
    if (inside) {
      // beyond the machine's RAM the bus answers
      return NONE;
    }
    return seg == Cpu.SS ? "#12(0)" : GP0;
  }

  /** String instructions have a segment for each side. */
  @Test
  void stringInstructionsCheckBothSides() {
    String[] codes = {
      "a4", "aa", "ac", "ae", "a6", "6c", "6e"
    }; // movs stos lods scas cmps ins outs
    boolean[] writesEs = {true, true, false, false, false, true, false};
    boolean[] usesEs = {true, true, false, true, true, true, false};
    boolean[] usesDs = {true, false, true, false, true, false, true};
    for (int i = 0; i < codes.length; i++) {
      for (int type : new int[] {1, 3, 9, 0xb}) {
        for (boolean es : new boolean[] {false, true}) {
          m.protectedMode();
          int seg = es ? Cpu.ES : Cpu.DS;
          c.segAttr[seg] = type | 0x4090;
          c.updateMode();
          c.r[Cpu.RSI] = BASE;
          c.r[Cpu.RDI] = BASE;
          c.r[Cpu.RDX] = 0x60;
          boolean used = es ? usesEs[i] : usesDs[i];
          boolean bad = es && writesEs[i] ? type != 3 : type == 9;
          String what = codes[i] + " type " + type + (es ? " ES" : " DS");
          assertEquals(used && bad ? GP0 : NONE, run(codes[i]), what);
        }
      }
    }
  }

  @Test
  void nullSelectorsFault() {
    for (String code : new String[] {"8b03", "8903", "268b03", "a4"}) {
      m.protectedMode();
      c.r[Cpu.RAX] = 0;
      m.run("8ed8 8ec0", 2); // mov ds, ax; mov es, ax
      c.rip = SystemMachine.CODE;
      assertEquals(GP0, run(code), code);
    }
  }
}
