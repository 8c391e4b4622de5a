package org.hypergraft.vmm.gdb;

import java.util.HexFormat;
import java.util.Locale;
import java.util.OptionalLong;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.machine.GuestControl;

/** The commands behind gdb's {@code monitor}. */
final class Monitor {
  private static final String HELP =
      """
      count                  instructions retired so far
      info                   the kernel, where it is, and the vCPUs
      regs                   code, registers and stack of the current vCPU
      stack                  what looks like return addresses on its stack
      symbol NAME|0xADDRESS  the address of a symbol, or the symbol at an address
      translate 0xADDRESS    the physical address of a virtual one
      xp 0xADDRESS [BYTES]   physical memory
      """;

  /** Bytes shown by xp at most. */
  private static final int MAX_BYTES = 4096;

  private final GuestControl guest;

  Monitor(GuestControl guest) {
    this.guest = guest;
  }

  /** Carries out a command line; the answer ends with a line end. */
  String run(String line, Cpu cpu) {
    String[] words = line.strip().split("\\s+");
    try {
      return switch (words[0].toLowerCase(Locale.ROOT)) {
        case "", "help" -> HELP;
        case "count" -> guest.retired() + "\n";
        case "info" -> info();
        case "regs" -> guest.dump(cpu);
        case "stack" -> guest.stack(cpu);
        case "symbol" -> symbol(argument(words));
        case "translate" -> translate(cpu, number(argument(words)));
        case "xp" -> physical(words);
        default -> "no command '" + words[0] + "'; there are\n" + HELP;
      };
    } catch (IllegalArgumentException e) {
      return e.getMessage() + "\n";
    }
  }

  private static String argument(String[] words) {
    if (words.length < 2) {
      throw new IllegalArgumentException(words[0] + " needs an argument; see 'monitor help'");
    }
    return words[1];
  }

  private static long number(String text) {
    try {
      return text.startsWith("0x")
          ? Long.parseUnsignedLong(text.substring(2), 16)
          : Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is not a number such as 0x1000");
    }
  }

  private String info() {
    StringBuilder out = new StringBuilder();
    out.append("kernel ").append(guest.image().banner().orElse(guest.image().name()).strip());
    out.append("\nmoved up by 0x").append(Long.toHexString(guest.kaslrOffset()));
    for (int i = 0; i < guest.cpus(); i++) {
      Cpu c = guest.cpu(i);
      String rest = guest.rest(i).map(r -> ", " + r).orElse("");
      out.append(
          "\ncpu %d at %s%s, %d instructions"
              .formatted(i, guest.describe(c.rip), rest, c.retired()));
    }
    return out.append('\n').toString();
  }

  private String symbol(String name) {
    if (name.startsWith("0x")) {
      return guest.describe(number(name)) + "\n";
    }
    OptionalLong address = guest.address(name);
    return address.isPresent()
        ? "0x%x %s\n".formatted(address.getAsLong(), name)
        : "no symbol '" + name + "'\n";
  }

  private String translate(Cpu cpu, long address) {
    long gpa = cpu.mmu.translate(address);
    return gpa == -1 ? "not mapped\n" : "0x%x\n".formatted(gpa);
  }

  private String physical(String[] words) {
    long at = number(argument(words));
    long wanted = words.length > 2 ? number(words[2]) : 64;
    if (wanted < 1 || wanted > MAX_BYTES) {
      throw new IllegalArgumentException("xp shows 1 to " + MAX_BYTES + " bytes");
    }
    byte[] bytes = guest.readPhysical(at, (int) wanted);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < bytes.length; i += 16) {
      out.append(
          "0x%x: %s\n"
              .formatted(
                  at + i,
                  HexFormat.ofDelimiter(" ").formatHex(bytes, i, Math.min(bytes.length, i + 16))));
    }
    return bytes.length < wanted ? out + "no RAM there\n" : out.toString();
  }
}
