package org.hypergraft.vmm.observe;

import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Formatter;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.machine.GuestControl;

/** The instruction a vCPU is about to execute: address, place in the kernel, bytes, AT&T text. */
final class InstructionText {
  /** Longest instruction, Intel SDM vol. 2, 2.3.11. */
  private static final int MAX_LENGTH = 15;

  private final GuestControl guest;
  private final long ip;
  private final int mode;
  private final byte[] bytes;

  private InstructionText(GuestControl guest, long ip, int mode, byte[] bytes) {
    this.guest = guest;
    this.ip = ip;
    this.mode = mode;
    this.bytes = bytes;
  }

  /** Takes the bytes as they are now; the text is made when it is asked for. */
  static InstructionText at(GuestControl guest, Cpu cpu) {
    long ip = cpu.codeAddress(cpu.rip);
    return new InstructionText(guest, ip, cpu.codeBits(), guest.read(cpu, ip, MAX_LENGTH));
  }

  @Override
  public String toString() {
    Insn insn = new Insn();
    int n = Decoder.decode(bytes, 0, bytes.length, ip, mode, insn);
    StringBuilder text = new StringBuilder("0x").append(Long.toHexString(ip)).append(' ');
    String name = guest.name(ip);
    text.append(name == null ? "-" : name).append(" ");
    for (int i = 0; i < n; i++) {
      text.append(' ').append(Character.forDigit(bytes[i] >> 4 & 15, 16));
      text.append(Character.forDigit(bytes[i] & 15, 16));
    }
    return text.append("  ")
        .append(n == 0 ? "(no instruction)" : Formatter.att(insn, guest::name))
        .toString();
  }
}
