package org.hypergraft.vmm.cpu.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Every descriptor type, privilege and presence against the rules of MOV to segment registers, far
 * jumps, LAR, LSL, VERR and VERW as the SDM's tables state them.
 */
class SegmentLoadTest {
  private static final int SELECTOR = SystemMachine.SCRATCH;

  private final SystemMachine m = new SystemMachine();
  private final Cpu c = m.cpu;

  @AfterEach
  void close() {
    m.close();
  }

  /** One descriptor and the privileges it is met with. */
  private record Case(int type, boolean segment, int dpl, boolean present, int rpl, int cpl) {
    int attr() {
      return type | (segment ? 0x10 : 0) | dpl << 5 | (present ? 0x80 : 0) | 0xc000;
    }

    int selector() {
      return SELECTOR | rpl;
    }

    boolean code() {
      return segment && (type & 8) != 0;
    }

    boolean conforming() {
      return code() && (type & 4) != 0;
    }

    boolean readable() {
      return segment && (!code() || (type & 2) != 0);
    }

    boolean writable() {
      return segment && !code() && (type & 2) != 0;
    }
  }

  private interface Rule {
    /** The fault as listed by the machine, or null. */
    String fault(Case k);
  }

  private void each(Rule rule, String code, boolean longMode) {
    if (longMode) {
      m.longMode();
    } else {
      m.protectedMode();
    }
    int checked = 0;
    for (int bits = 0; bits < 16 * 2 * 4 * 2 * 4 * 2; bits++) {
      Case k =
          new Case(
              bits & 15,
              (bits & 16) != 0,
              bits >> 5 & 3,
              (bits & 128) != 0,
              bits >> 8 & 3,
              (bits & 1024) != 0 ? 3 : 0);
      ring(k.cpl(), longMode);
      m.descriptor(SELECTOR, 0x12_3000, 0xfffff, k.attr());
      m.ram.put64(SystemMachine.GDT + SELECTOR + 8, 0);
      m.raised.clear();
      c.r[Cpu.RAX] = k.selector();
      m.run(code, 1);
      String expected = rule.fault(k);
      assertEquals(expected == null ? List.of() : List.of(expected), m.raised, k.toString());
      checked++;
    }
    assertEquals(2048, checked);
  }

  private void ring(int cpl, boolean longMode) {
    m.user();
    if (cpl == 0) {
      int attr = longMode ? 0xa09b : 0xc09b;
      c.sel[Cpu.CS] = SystemMachine.CODE0;
      c.segAttr[Cpu.CS] = attr;
      c.sel[Cpu.SS] = SystemMachine.DATA0;
      c.segAttr[Cpu.SS] = 0xc093;
      c.cpl = 0;
      c.r[Cpu.RSP] = SystemMachine.KERNEL_STACK - 0x1000;
      Segments.settle(c);
    }
  }

  private static String dataRule(Case k) {
    String gp = "#13(" + SELECTOR + ")";
    if (!k.readable()) {
      return gp;
    }
    if (!k.conforming() && (k.rpl() > k.dpl() || k.cpl() > k.dpl())) {
      return gp;
    }
    return k.present() ? null : "#11(" + SELECTOR + ")";
  }

  private static String stackRule(Case k) {
    if (k.rpl() != k.cpl() || !k.writable() || k.dpl() != k.cpl()) {
      return "#13(" + SELECTOR + ")";
    }
    return k.present() ? null : "#12(" + SELECTOR + ")";
  }

  @Test
  void dataSegments() {
    each(SegmentLoadTest::dataRule, "8ed8", false);
    each(SegmentLoadTest::dataRule, "8ed8", true);
    each(SegmentLoadTest::dataRule, "8ee0", true);
  }

  @Test
  void stackSegment() {
    each(SegmentLoadTest::stackRule, "8ed0", false);
    each(SegmentLoadTest::stackRule, "8ed0", true);
  }

  @Test
  void verifyForReadingAndWriting() {
    each(k -> null, "0f00e0", false);
    for (boolean write : new boolean[] {false, true}) {
      for (int type = 0; type < 16; type++) {
        for (int dpl = 0; dpl < 4; dpl++) {
          for (int rpl = 0; rpl < 4; rpl++) {
            Case k = new Case(type, true, dpl, true, rpl, 0);
            ring(0, false);
            m.descriptor(SELECTOR, 0, 0xfffff, k.attr());
            c.r[Cpu.RAX] = k.selector();
            m.run(write ? "0f00e8" : "0f00e0", 1);
            boolean privileged = k.conforming() || rpl <= dpl;
            boolean expected = privileged && (write ? k.writable() : k.readable());
            assertEquals(expected, Flags.zero(c), k + " write " + write);
          }
        }
      }
    }
  }

  @Test
  void loadAccessRightsAndLimit() {
    // Valid system types by mode, SDM vol. 2 tables 3-53 and 3-57.
    List<Integer> rights = List.of(1, 2, 3, 4, 5, 9, 11, 12);
    List<Integer> limits = List.of(1, 2, 3, 9, 11);
    List<Integer> rights64 = List.of(2, 9, 11, 12);
    List<Integer> limits64 = List.of(2, 9, 11);
    for (boolean longMode : new boolean[] {false, true}) {
      if (longMode) {
        m.longMode();
      } else {
        m.protectedMode();
      }
      for (int type = 0; type < 16; type++) {
        Case k = new Case(type, false, 0, true, 0, 0);
        ring(0, longMode);
        m.descriptor(SELECTOR, 0, 0x12345, k.attr() & 0xff);
        m.ram.put64(SystemMachine.GDT + SELECTOR + 8, 0);
        c.r[Cpu.RAX] = SELECTOR;
        c.r[Cpu.RBX] = 0x77;
        m.run("0f02d8", 1); // lar ebx, eax
        boolean ok = (longMode ? rights64 : rights).contains(type);
        assertEquals(ok, Flags.zero(c), "LAR " + k);
        assertEquals(
            ok ? 0x0001_8000 | type << 8 : 0x77, c.r[Cpu.RBX] & ~0xf_0000L | (ok ? 0x1_0000 : 0));
        c.r[Cpu.RBX] = 0x77;
        m.run("0f03d8", 1); // lsl ebx, eax
        ok = (longMode ? limits64 : limits).contains(type);
        assertEquals(ok, Flags.zero(c), "LSL " + k);
        assertEquals(ok ? 0x12345 : 0x77, c.r[Cpu.RBX]);
      }
    }
    m.protectedMode();
    m.descriptor(SELECTOR, 0, 0x12345, 0xc093);
    c.r[Cpu.RAX] = SELECTOR;
    m.run("0f03d8", 1);
    assertEquals(0x1234_5fffL, c.r[Cpu.RBX], "page-granular limits are scaled");
  }

  @Test
  void farJumpsToCode() {
    Rule rule =
        k -> {
          String gp = "#13(" + SELECTOR + ")";
          if (!k.segment()) {
            return null; // gates and tasks have tests of their own
          }
          if (!k.code()) {
            return gp;
          }
          boolean allowed =
              k.conforming() ? k.dpl() <= k.cpl() : k.rpl() <= k.cpl() && k.dpl() == k.cpl();
          if (!allowed) {
            return gp;
          }
          return k.present() ? null : "#11(" + SELECTOR + ")";
        };
    m.protectedMode();
    for (int bits = 0; bits < 16 * 4 * 2 * 4 * 2; bits++) {
      Case k =
          new Case(
              bits & 15,
              true,
              bits >> 4 & 3,
              (bits & 64) != 0,
              bits >> 7 & 3,
              (bits & 512) != 0 ? 3 : 0);
      ring(k.cpl(), false);
      m.descriptor(SELECTOR, 0, 0xfffff, k.attr());
      m.raised.clear();
      c.halted = false;
      m.run("ea00900000" + String.format("%02x00", k.selector()), 1);
      String expected = rule.fault(k);
      assertEquals(expected == null ? List.of() : List.of(expected), m.raised, k.toString());
      if (expected == null) {
        assertEquals(0x9000, c.rip);
        assertEquals(SELECTOR | k.cpl(), c.sel[Cpu.CS]);
        assertEquals(k.cpl(), c.cpl);
      }
    }
  }

  @Test
  void hiddenPartComesFromTheDescriptor() {
    m.protectedMode().descriptor(SELECTOR, 0x8765_4321L, 0x54321, 0x4092);
    c.r[Cpu.RAX] = SELECTOR;
    m.run("8ee8", 1);
    assertEquals(0x8765_4321L, c.segBase[Cpu.GS]);
    assertEquals(0x54321, c.segLimit[Cpu.GS]);
    assertEquals(0x4093, c.segAttr[Cpu.GS], "accessed");
    assertEquals(1, m.ram.u8(SystemMachine.GDT + SELECTOR + 5) & 1);
  }

  @Test
  void nullSelectors() {
    m.protectedMode();
    for (String load : new String[] {"8ed8", "8ec0", "8ee0", "8ee8"}) {
      c.r[Cpu.RAX] = 3;
      m.run(load, 1);
    }
    assertTrue(m.raised.isEmpty());
    m.run("a100000000", 1); // mov eax, [0] through the null DS
    assertEquals(List.of("#13(0)"), m.raised);
    m.raised.clear();
    c.r[Cpu.RAX] = 0;
    m.protectedMode().run("8ed0", 1);
    assertEquals(List.of("#13(0)"), m.raised, "SS outside 64-bit code");
    m.raised.clear();
    m.longMode().run("8ed0", 1);
    assertTrue(m.raised.isEmpty(), "SS in 64-bit code of ring 0");
    c.r[Cpu.RAX] = 3;
    m.user().run("8ed0", 1);
    assertEquals(List.of("#13(0)"), m.raised, "never in ring 3");
  }

  @Test
  void selectorsOfTheLocalTable() {
    m.protectedMode().descriptor(SystemMachine.LDT_SELECTOR, SystemMachine.LDT, 0x17, 0x82);
    m.descriptor(0x14, 0x5000, 0xff, 0x93);
    c.r[Cpu.RAX] = 0x14;
    m.run("8ed8", 1);
    assertEquals(List.of("#13(20)"), m.raised, "no LDT");
    m.raised.clear();
    m.protectedMode();
    c.r[Cpu.RBX] = SystemMachine.LDT_SELECTOR;
    c.r[Cpu.RAX] = 0x14;
    m.run("0f00d38ed8", 2); // lldt bx; mov ds, ax
    assertEquals(0x5000, c.segBase[Cpu.DS]);
    assertTrue(m.raised.isEmpty());
    c.r[Cpu.RAX] = 0x1c;
    m.run("8ed8", 1);
    assertEquals(List.of("#13(28)"), m.raised, "beyond its limit");
  }

  @Test
  void realModeLoadsKeepTheLimit() {
    m.realMode();
    c.segLimit[Cpu.DS] = -1; // "unreal" mode
    c.r[Cpu.RAX] = 0x1234;
    m.run("8ed8", 1);
    assertEquals(0x1_2340, c.segBase[Cpu.DS]);
    assertEquals(-1, c.segLimit[Cpu.DS]);
  }

  @Test
  void pushAndPopOfSegments() {
    m.longMode();
    long sp = c.r[Cpu.RSP];
    m.run("0fa00fa9", 2); // push fs; pop gs
    assertEquals(sp, c.r[Cpu.RSP]);
    assertEquals(c.sel[Cpu.FS], c.sel[Cpu.GS]);
    m.protectedMode();
    m.ram.put32(c.r[Cpu.RSP] - 4, -1);
    m.run("06", 1); // push es writes only the selector
    assertEquals(0xffff_0000L | SystemMachine.DATA0, m.stack(0, 4));
    assertNotEquals(sp, c.r[Cpu.RSP]);
  }
}
