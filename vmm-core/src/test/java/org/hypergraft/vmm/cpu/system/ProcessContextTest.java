package org.hypergraft.vmm.cpu.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.hypergraft.vmm.mmu.Mmu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Process-context identifiers: what CR3, CR4 and INVPCID must forget, and what they refuse (Intel
 * SDM vol. 3, 4.10; vol. 2, INVPCID, MOV). Nothing must be remembered, so only that is tested.
 */
class ProcessContextTest {
  private static final long ROOT = 0x11_0000;
  private static final long TABLES = 0x11_1000;

  /** A page of its own second-level entry, mapped to one of two frames. */
  private static final long PAGE = 0x80_0000_0000L;

  private static final long ENTRY = TABLES + 0x2000;
  private static final long FRAME = 0x20_0000;
  private static final long OTHER = 0x20_1000;
  private static final long NO_FLUSH = 1L << 63;
  private static final long GLOBAL = 0x100;
  private static final long DESCRIPTOR = 0x3_8000;

  private final SystemMachine m = new SystemMachine(CpuModels.find("skylake", null).orElseThrow());
  private final Cpu c = m.cpu;

  @BeforeEach
  void tables() {
    m.longMode();
    m.ram.put64(ROOT, m.ram.u64(0x10_0000)); // everything low as before
    m.ram.put64(ROOT + 8, TABLES | 7);
    m.ram.put64(TABLES, TABLES + 0x1000 | 7);
    m.ram.put64(TABLES + 0x1000, ENTRY | 7);
    m.ram.put64(FRAME, 1);
    m.ram.put64(OTHER, 2);
    map(FRAME);
    assertEquals("", control(3, ROOT));
    assertEquals("", control(4, Mmu.CR4_PAE | Mmu.CR4_PGE | Mmu.CR4_PCIDE));
  }

  @AfterEach
  void close() {
    m.close();
  }

  private void map(long frame) {
    m.ram.put64(ENTRY, frame | 7);
  }

  private String run(String code) {
    m.raised.clear();
    c.rip = SystemMachine.CODE;
    c.r[Cpu.RSP] = SystemMachine.KERNEL_STACK - 0x1000;
    m.run(code, 1);
    return String.join(" ", m.raised);
  }

  /** MOV CRn, RAX. */
  private String control(int n, long value) {
    c.r[Cpu.RAX] = value;
    return run("0f22" + Integer.toHexString(0xc0 | n << 3));
  }

  private long read() {
    c.r[Cpu.RBX] = PAGE;
    assertEquals("", run("488b03"));
    return c.r[Cpu.RAX];
  }

  private String invpcid(long type, long pcid, long address) {
    m.ram.put64(DESCRIPTOR, pcid);
    m.ram.put64(DESCRIPTOR + 8, address);
    c.r[Cpu.RAX] = type;
    c.r[Cpu.RBX] = DESCRIPTOR;
    return run("660f388203"); // invpcid rax, [rbx]
  }

  @Test
  void aNewContextForgetsItsOwnTranslations() {
    assertEquals(1, read());
    map(OTHER);
    assertEquals("", control(3, ROOT));
    assertEquals(2, read(), "the same context without the no-flush bit");
    assertEquals("", control(3, ROOT | 5));
    assertEquals(2, read());
    map(FRAME);
    assertEquals("", control(3, ROOT | 6));
    assertEquals(1, read(), "another context has translations of its own");
    assertEquals("", control(3, ROOT | 5));
    assertEquals(1, read(), "a context entered without the no-flush bit starts over");
    map(OTHER);
    assertEquals("", control(3, ROOT | 7 | NO_FLUSH));
    assertEquals(2, read(), "never used before: nothing to keep");
  }

  @Test
  void contextsDoNotSeeEachOther() {
    long second = 0x12_0000;
    m.ram.put64(second, m.ram.u64(ROOT));
    assertEquals("", control(3, ROOT | 1));
    assertEquals(1, read());
    // the second root does not map the page at all
    assertEquals("", control(3, second | 2));
    c.r[Cpu.RBX] = PAGE;
    assertEquals("#14(0)", run("488b03"));
    assertEquals("", control(3, ROOT | 1 | NO_FLUSH));
    assertEquals(1, read());
    assertEquals("", control(3, second | 2 | NO_FLUSH));
    c.r[Cpu.RBX] = PAGE;
    assertEquals("#14(0)", run("488b03"));
    assertEquals(second | 2, c.cr3, "bit 63 is not stored");
  }

  @Test
  void invpcidForgetsWhatItNames() {
    for (int type = 0; type < 4; type++) {
      for (long global : new long[] {0, GLOBAL}) {
        map(FRAME | global);
        assertEquals("", control(4, Mmu.CR4_PAE | Mmu.CR4_PCIDE));
        assertEquals("", control(4, Mmu.CR4_PAE | Mmu.CR4_PGE | Mmu.CR4_PCIDE));
        assertEquals("", control(3, ROOT | 9));
        assertEquals(1, read());
        map(OTHER | global);
        assertEquals("", invpcid(type, 9, PAGE + 0x123));
        // only type 2 must forget global translations
        if (global == 0 || type == 2) {
          assertEquals(2, read(), "type " + type);
        }
      }
    }
  }

  @Test
  void invlpgForgetsGlobalTranslationsToo() {
    map(FRAME | GLOBAL);
    assertEquals(1, read());
    map(OTHER | GLOBAL);
    c.r[Cpu.RBX] = PAGE;
    assertEquals("", run("0f013b"));
    assertEquals(2, read());
  }

  @Test
  void whatInvpcidRefuses() {
    String gp = "#13(0)";
    assertEquals(gp, invpcid(4, 0, 0));
    assertEquals(gp, invpcid(-1, 0, 0));
    assertEquals(gp, invpcid(0, 0x1000, PAGE), "reserved bits of the descriptor");
    assertEquals(gp, invpcid(1, 0x1000, 0));
    assertEquals(gp, invpcid(0, 1, 1L << 50), "not canonical");
    assertEquals("", invpcid(1, 1, 1L << 50), "not looked at");
    assertEquals("", control(4, Mmu.CR4_PAE));
    assertEquals(gp, invpcid(0, 1, PAGE), "a context while there are none");
    assertEquals(gp, invpcid(1, 1, PAGE));
    assertEquals("", invpcid(0, 0, PAGE));
    assertEquals("", invpcid(2, 0, 0));
    c.r[Cpu.RBX] = 0x40_0000_0000L;
    assertEquals("#14(0)", run("660f388203"));
    m.user();
    m.raised.clear();
    c.r[Cpu.RAX] = 2;
    c.r[Cpu.RBX] = DESCRIPTOR;
    m.run("660f388203", 1);
    assertEquals(List.of(gp), m.raised);
  }

  @Test
  void whatControlRegistersRefuse() {
    String gp = "#13(0)";
    assertEquals(gp, control(0, Cpu.CR0_PE), "paging off with contexts on");
    assertEquals(gp, control(3, ROOT | 1L << 62), "only bit 63 is an order");
    assertEquals("", control(4, Mmu.CR4_PAE));
    assertEquals(gp, control(3, ROOT | NO_FLUSH), "there is no such bit without contexts");
    assertEquals("", control(3, ROOT | 0x18), "PWT and PCD");
    assertEquals(gp, control(4, Mmu.CR4_PAE | Mmu.CR4_PCIDE), "CR3 names a context already");
    assertEquals("", control(3, ROOT));
    map(OTHER);
    assertEquals("", control(4, Mmu.CR4_PAE | Mmu.CR4_PCIDE));
    assertEquals(2, read());
    assertTrue((c.cr4 & Mmu.CR4_PCIDE) != 0);
  }
}
