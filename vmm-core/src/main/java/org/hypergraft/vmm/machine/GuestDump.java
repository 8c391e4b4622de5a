package org.hypergraft.vmm.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Formatter;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.RegisterNames;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.mmu.Mmu;

/** The state of a stopped vCPU as lines of text. */
final class GuestDump {
  private static final int STACK_BYTES = 4096;
  private static final int STACK_ENTRIES = 24;
  private static final int CODE_BEFORE = 64;
  private static final int CODE_AFTER = 32;
  private static final int INSTRUCTIONS_BEFORE = 6;
  private static final int INSTRUCTIONS_AFTER = 3;

  private final Cpu cpu;
  private final GuestView view;
  private final KernelPlace place;

  /**
   * @param view memory as this vCPU sees it
   */
  GuestDump(Cpu cpu, GuestView view, KernelPlace place) {
    this.cpu = cpu;
    this.view = view;
    this.place = place;
  }

  /** A title and its lines, indented. */
  static String section(String title, List<String> lines) {
    return title + ":\n  " + (lines.isEmpty() ? "none" : String.join("\n  ", lines)) + "\n";
  }

  /** Where the vCPU is and after how many instructions of the machine, its code and registers. */
  String state() {
    return "cpu %d at %s, instruction %d\n"
            .formatted(cpu.index, place.describe(cpu.rip), view.retired())
        + section("code", code())
        + section("registers", registers());
  }

  /** Instructions around RIP, decoded from the best start before it that leads to it. */
  private List<String> code() {
    long ip = cpu.codeAddress(cpu.rip);
    List<String> lines = new ArrayList<>();
    int before = CODE_BEFORE;
    byte[] bytes = view.virtual(ip - before, before + CODE_AFTER);
    if (bytes == null) {
      before = 0;
      bytes = view.virtual(ip, 16);
    }
    if (bytes == null) {
      return List.of("not mapped: " + String.join("; ", walk(ip)));
    }
    int mode = cpu.codeBits();
    Insn insn = new Insn();
    for (int at : starts(bytes, before, ip, mode)) {
      int n = Decoder.decode(bytes, at, bytes.length, ip - before + at, mode, insn);
      StringBuilder hex = new StringBuilder();
      for (int i = 0; i < Math.max(n, 1); i++) {
        hex.append("%02x ".formatted(bytes[at + i]));
      }
      lines.add(
          "%s 0x%x: %-32s%s"
              .formatted(
                  at == before ? "->" : "  ",
                  ip - before + at,
                  hex,
                  n == 0 ? "(no instruction)" : Formatter.att(insn, place::name)));
    }
    return lines;
  }

  /** Offsets of the instructions to show. */
  private static List<Integer> starts(byte[] bytes, int rip, long ip, int mode) {
    Insn insn = new Insn();
    List<Integer> best = List.of();
    for (int from = 0; from < rip && best.isEmpty(); from++) {
      List<Integer> path = new ArrayList<>();
      int at = from;
      while (at < rip) {
        int n = Decoder.decode(bytes, at, bytes.length, ip - rip + at, mode, insn);
        if (n == 0) {
          break;
        }
        path.add(at);
        at += n;
      }
      if (at == rip) {
        best = path;
      }
    }
    List<Integer> all =
        new ArrayList<>(best.subList(Math.max(0, best.size() - INSTRUCTIONS_BEFORE), best.size()));
    int at = rip;
    for (int i = 0; i <= INSTRUCTIONS_AFTER && at < bytes.length; i++) {
      all.add(at);
      int n = Decoder.decode(bytes, at, bytes.length, ip - rip + at, mode, insn);
      if (n == 0) {
        break;
      }
      at += n;
    }
    return all;
  }

  private List<String> registers() {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < RegisterNames.GENERAL.size(); i += 4) {
      StringBuilder row = new StringBuilder();
      for (int j = i; j < i + 4; j++) {
        row.append("%-3s %016x  ".formatted(RegisterNames.GENERAL.get(j), cpu.r[j]));
      }
      lines.add(row.toString().stripTrailing());
    }
    lines.add("rip %016x  rflags %x  cpl %d".formatted(cpu.rip, Flags.get(cpu), cpu.cpl));
    lines.add(
        "cr0 %x  cr2 %x  cr3 %x  cr4 %x  cr8 %x  efer %x"
            .formatted(cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4, cpu.cr8, cpu.efer));
    StringBuilder segments = new StringBuilder();
    for (int i = 0; i < RegisterNames.SEGMENTS.size(); i++) {
      String name = RegisterNames.SEGMENTS.get(i);
      segments.append("%s %x base %x  ".formatted(name, cpu.sel[i], cpu.segBase[i]));
    }
    lines.add(segments.toString().stripTrailing());
    lines.add(
        "gdt %x/%x  idt %x/%x  tr %x base %x"
            .formatted(
                cpu.gdtBase, cpu.gdtLimit, cpu.idtBase, cpu.idtLimit, cpu.trSel, cpu.trBase));
    return lines;
  }

  /** The page walk of an address. */
  List<String> walk(long address) {
    if ((cpu.cr0 & Cpu.CR0_PG) == 0) {
      return List.of("paging is off");
    }
    List<String> lines = new ArrayList<>();
    for (Mmu.WalkStep step : cpu.mmu.explain(address)) {
      lines.add(
          "level %d entry at 0x%x = 0x%x"
              .formatted(step.level(), step.entryAddress(), step.entry()));
    }
    long gpa = cpu.mmu.translate(address);
    lines.add(gpa == -1 ? "not mapped" : "physical 0x%x".formatted(gpa));
    return lines;
  }

  /** Words on the stack that look like return addresses. */
  List<String> stack() {
    List<String> lines = new ArrayList<>();
    int size = cpu.code64() ? 8 : 4;
    long sp = cpu.r[Cpu.RSP] & -size;
    for (int i = 0; i < STACK_BYTES && lines.size() < STACK_ENTRIES; i += size) {
      OptionalLong word = view.word(sp + i, size);
      if (word.isEmpty()) {
        break;
      }
      if (place.isText(word.getAsLong())) {
        lines.add("rsp+0x%x: %s".formatted(i, place.describe(word.getAsLong())));
      }
    }
    return lines;
  }
}
