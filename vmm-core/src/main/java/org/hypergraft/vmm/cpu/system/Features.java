package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.model.Feature;

/** What CPUID says, asked by semantics that depend on it. */
final class Features {
  /** EBX of leaf 0 in "AuthenticAMD" and "HygonGenuine". */
  private static final int AMD = 0x6874_7541;

  private static final int HYGON = 0x6f67_7948;

  private Features() {}

  static boolean has(Cpu c, Feature f) {
    int[] out = new int[4];
    c.platform.cpuid(c, f.leaf(), f.subleaf(), out);
    return (out[f.register()] & f.mask()) != 0;
  }

  /** An AMD processor or one built like it: SYSENTER and SYSCALL differ from Intel's. */
  static boolean amd(Cpu c) {
    int[] out = new int[4];
    c.platform.cpuid(c, 0, 0, out);
    return out[1] == AMD || out[1] == HYGON;
  }
}
