package org.hypergraft.annotator.isa;

import java.util.List;

/** Names of registers by their encoded numbers (Intel SDM vol. 2, 3.1.1.1 and 3.1.1.3). */
public final class RegisterNames {
  /** The 64-bit general registers, RAX to R15. */
  public static final List<String> GENERAL =
      List.of(
          "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
          "r13", "r14", "r15");

  /** The segment registers, ES to GS. */
  public static final List<String> SEGMENTS = List.of("es", "cs", "ss", "ds", "fs", "gs");

  private RegisterNames() {}
}
