package org.hypergraft.vmm.gdb;

/** How the guest is to go on. */
sealed interface Resume {
  /** To the next breakpoint. */
  record Continue() implements Resume {}

  /**
   * One instruction of a vCPU; or more, while its instruction pointer stays in a range.
   *
   * @param from first address of the range; the range is empty for a single step
   * @param to address after the range
   */
  record Step(int cpu, long from, long to) implements Resume {
    boolean within(long ip) {
      return ip - from >= 0 && ip - to < 0;
    }
  }

  /** Without the debugger. */
  record Detach() implements Resume {}

  /** Not at all. */
  record Kill() implements Resume {}
}
