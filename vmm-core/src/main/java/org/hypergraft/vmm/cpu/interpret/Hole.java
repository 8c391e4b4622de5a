package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * Placeholders that templates call. {@link OpFactory} redirects each call to a real static method
 * of the same descriptor, so none of these ever runs.
 */
final class Hole {
  private Hole() {}

  private static AssertionError unfilled() {
    return new AssertionError("template executed without being filled in");
  }

  // what the instruction does

  static long unary(Cpu c, long a) {
    throw unfilled();
  }

  static long binary(Cpu c, long a, long b) {
    throw unfilled();
  }

  static long ternary(Cpu c, long a, long b, long n) {
    throw unfilled();
  }

  static void compare(Cpu c, long a, long b) {
    throw unfilled();
  }

  static void effect(Cpu c, long a) {
    throw unfilled();
  }

  static boolean test(Cpu c) {
    throw unfilled();
  }

  static void call(Cpu c, Op op) {
    throw unfilled();
  }

  static boolean decide(Cpu c, Op op) {
    throw unfilled();
  }

  // where operands come from and go to

  static long getS(long[] r, int n) {
    throw unfilled();
  }

  static long getT(long[] r, int n) {
    throw unfilled();
  }

  static void put(long[] r, int n, long v) {
    throw unfilled();
  }

  static long address(Cpu c, Op op) {
    throw unfilled();
  }

  static long load(Mmu m, long la) {
    throw unfilled();
  }

  static long loadForUpdate(Mmu m, long la) {
    throw unfilled();
  }

  static void store(Mmu m, long la, long v) {
    throw unfilled();
  }

  static void push(Cpu c, long v) {
    throw unfilled();
  }

  static long pop(Cpu c) {
    throw unfilled();
  }
}
