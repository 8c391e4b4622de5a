package org.hypergraft.vmm.boot.bios;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * The program that called a service: its registers, and the flags that the stub's IRET will load.
 */
final class Caller {
  private static final int CARRY = 1;
  private static final int ZERO = 1 << 6;

  // The frame that INT left: IP, CS, FLAGS.
  private static final int FRAME_IP = 0;
  private static final int FRAME_CS = 2;
  private static final int FRAME_FLAGS = 4;

  private final Cpu cpu;
  private final GuestRam ram;

  Caller(Cpu cpu, GuestRam ram) {
    this.cpu = cpu;
    this.ram = ram;
  }

  int ax() {
    return word(Cpu.RAX);
  }

  void ax(int v) {
    word(Cpu.RAX, v);
  }

  int al() {
    return ax() & 0xff;
  }

  void al(int v) {
    ax(ax() & 0xff00 | v & 0xff);
  }

  int ah() {
    return ax() >> 8;
  }

  void ah(int v) {
    ax(ax() & 0xff | v << 8);
  }

  int bx() {
    return word(Cpu.RBX);
  }

  void bx(int v) {
    word(Cpu.RBX, v);
  }

  int cx() {
    return word(Cpu.RCX);
  }

  void cx(int v) {
    word(Cpu.RCX, v);
  }

  int dx() {
    return word(Cpu.RDX);
  }

  void dx(int v) {
    word(Cpu.RDX, v);
  }

  private int word(int register) {
    return (int) cpu.r[register] & 0xffff;
  }

  private void word(int register, int v) {
    cpu.r[register] = cpu.r[register] & ~0xffffL | v & 0xffff;
  }

  /** All 32 bits of a register. */
  int extended(int register) {
    return (int) cpu.r[register];
  }

  void extended(int register, int v) {
    cpu.r[register] = Integer.toUnsignedLong(v);
  }

  /** Guest-physical address of ES:DI. */
  long esDi() {
    return cpu.segBase[Cpu.ES] + word(Cpu.RDI);
  }

  void carry(boolean set) {
    flag(CARRY, set);
  }

  void zero(boolean set) {
    flag(ZERO, set);
  }

  private void flag(int mask, boolean set) {
    long at = frame(FRAME_FLAGS);
    int flags = ram.u16(at);
    ram.put16(at, set ? flags | mask : flags & ~mask);
  }

  /** Makes the stub return to an offset of the firmware's segment. */
  void returnTo(int offset) {
    ram.put16(frame(FRAME_IP), offset);
    ram.put16(frame(FRAME_CS), cpu.sel[Cpu.CS]);
  }

  private long frame(int field) {
    return cpu.segBase[Cpu.SS] + (cpu.r[Cpu.RSP] + field & 0xffff);
  }
}
