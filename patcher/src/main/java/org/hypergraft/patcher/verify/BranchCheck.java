package org.hypergraft.patcher.verify;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.JumpTable;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.StaticCallTable;

/**
 * Nothing enters a changed site but at the start of an instruction: no direct branch of the whole
 * text, no table that names code.
 */
final class BranchCheck {
  private static final String BRANCHES = "branches";
  private static final String POINTERS = "code pointers";

  /** {@code struct exception_table_entry} since 4.6: instruction, fixup, handler; relative. */
  private static final int EX_ENTRY = 12;

  /**
   * What follows UD2 where the hypervisor is to emulate the next instruction: text, not code (Linux
   * {@code arch/x86/include/asm/emulate_prefix.h}).
   */
  private static final byte[][] EMULATE = {{0x78, 0x65, 0x6e}, {0x6b, 0x76, 0x6d}};

  private final GuestImage image;
  private final SiteMap sites;
  private final ChangedCode changed;
  private final Findings findings;

  BranchCheck(GuestImage image, SiteMap sites, ChangedCode changed, Findings findings) {
    this.image = image;
    this.sites = sites;
    this.changed = changed;
    this.findings = findings;
  }

  void run() {
    int branches = 0;
    for (Section s : sites.code().sections()) {
      if (!s.writable()) {
        branches += sweep(s);
      }
    }
    findings.looked(BRANCHES, branches);
    findings.looked(POINTERS, pointers());
  }

  /**
   * Linear decoding, as objdump does it; the kernel's text holds no data, and where it does the
   * decoder falls back into step within a few bytes.
   */
  private int sweep(Section s) {
    byte[] b = image.payload();
    int mode = image.elf().bits();
    Insn in = new Insn();
    int at = s.offset();
    int end = (int) (s.offset() + s.size());
    long delta = s.address() - s.offset();
    int branches = 0;
    while (at < end) {
      int n = Decoder.decode(b, at, end, at + delta, mode, in);
      if (n == 0) {
        at++;
        continue;
      }
      if (in.operands > 0 && in.kind[0] == Insn.REL) {
        branches++;
        int target = sites.code().offsetOf(in.imm, 1);
        if (target >= 0 && changed.isInside(target)) {
          findings.add(
              BRANCHES,
              in.ip,
              "branches to 0x%x, the middle of a rewritten instruction".formatted(in.imm));
        }
      }
      at += n + (isUd2(b, at) ? emulationPrefix(b, at + n, end) : 0);
    }
    return branches;
  }

  private static boolean isUd2(byte[] b, int at) {
    return b[at] == 0x0f && at + 1 < b.length && b[at + 1] == 0x0b;
  }

  /** Length of the text after an UD2, 0 when it is followed by code. */
  private static int emulationPrefix(byte[] b, int at, int end) {
    for (byte[] name : EMULATE) {
      if (at + name.length <= end && Arrays.equals(b, at, at + name.length, name, 0, name.length)) {
        return name.length;
      }
    }
    return 0;
  }

  private int pointers() {
    int count = 0;
    Optional<JumpTable> jumps = sites.jumps();
    if (jumps.isPresent()) {
      JumpTable t = jumps.get();
      for (int i = 0; i < t.entries(); i++) {
        count += pointer(JumpTable.NAME, t.address(i)) + pointer(JumpTable.NAME, t.target(i));
      }
    }
    Optional<StaticCallTable> calls = sites.staticCalls();
    if (calls.isPresent()) {
      StaticCallTable t = calls.get();
      for (int i = 0; i < t.entries(); i++) {
        count += pointer(StaticCallTable.NAME, t.address(i));
      }
    }
    Optional<AddressTable> trace = sites.addresses(AddressTable.Kind.MCOUNT_LOC);
    if (trace.isPresent()) {
      for (int i = 0; i < trace.get().entries(); i++) {
        count += pointer(trace.get().name(), trace.get().address(i));
      }
    }
    return count + exceptionTable();
  }

  private int exceptionTable() {
    Optional<Section> table = image.section("__ex_table");
    if (table.isEmpty() || !table.get().hasBytes() || table.get().size() % EX_ENTRY != 0) {
      return 0;
    }
    Section s = table.get();
    ByteBuffer b = ByteBuffer.wrap(image.payload()).order(ByteOrder.LITTLE_ENDIAN);
    int count = 0;
    for (int i = 0; i < s.size(); i += EX_ENTRY) {
      for (int field = 0; field < 8; field += 4) {
        long address = s.address() + i + field;
        long target = address + b.getInt(s.offset() + i + field);
        count += pointer(s.name(), image.is64Bit() ? target : target & 0xffff_ffffL);
      }
    }
    return count;
  }

  private int pointer(String table, long target) {
    int at = sites.code().offsetOf(target, 1);
    if (at >= 0 && changed.isInside(at)) {
      findings.add(
          POINTERS,
          target,
          "table %s names the middle of a rewritten instruction".formatted(table));
    }
    return 1;
  }
}
