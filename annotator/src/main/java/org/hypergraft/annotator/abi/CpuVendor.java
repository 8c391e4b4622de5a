package org.hypergraft.annotator.abi;

import java.util.Locale;

/** Who made the CPU: decides which of the two hypercall instructions exists. */
public enum CpuVendor {
  /** VMCALL, Intel SDM volume 3, "VMX instruction reference". */
  INTEL(0x0f, 0x01, 0xc1),
  /** VMMCALL, AMD APM volume 3, "System instructions". */
  AMD(0x0f, 0x01, 0xd9);

  private final byte[] hypercall;

  CpuVendor(int... bytes) {
    hypercall = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      hypercall[i] = (byte) bytes[i];
    }
  }

  /** Encoding of this vendor's hypercall instruction, three bytes. */
  public byte[] hypercall() {
    return hypercall.clone();
  }

  /** Lower-case name, as on the command line. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
