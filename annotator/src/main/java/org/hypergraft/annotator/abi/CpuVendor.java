package org.hypergraft.annotator.abi;

import java.util.Locale;

/** Who made the CPU: decides which of the two hypercall instructions exists. */
public enum CpuVendor {
  /** VMCALL, Intel SDM volume 3, "VMX instruction reference". */
  INTEL(0xc1),
  /** VMMCALL, AMD APM volume 3, "System instructions". */
  AMD(0xd9);

  private final int lastByte;

  CpuVendor(int lastByte) {
    this.lastByte = lastByte;
  }

  /** Encoding of this vendor's hypercall instruction, three bytes: both start with 0F 01. */
  public byte[] hypercall() {
    return new byte[] {0x0f, 0x01, (byte) lastByte};
  }

  /** Lower-case name, as on the command line. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
