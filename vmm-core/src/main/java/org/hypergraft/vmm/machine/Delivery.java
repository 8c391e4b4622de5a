package org.hypergraft.vmm.machine;

import java.util.function.LongFunction;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * An exception or interrupt on its way to the guest; the processor still stands where it happened.
 *
 * @param cpu index of the vCPU
 * @param vector number
 * @param external whether it is an interrupt or NMI, not an exception
 * @param errorCode what will be pushed, or {@link GuestFault#NO_ERROR_CODE}
 * @param address linear address of a page fault
 * @param rip address that will be pushed
 * @param retired instructions retired by all vCPUs
 */
public record Delivery(
    int cpu, int vector, boolean external, int errorCode, long address, long rip, long retired) {
  private static final String[] NAMES = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS", "#NP", "#SS", "#GP",
    "#PF", "", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"
  };

  /** Mnemonic of the vector (Intel SDM vol. 3 table 6-1), or its number. */
  public String name() {
    if (external && vector != GuestFault.NMI) {
      return "interrupt 0x%02x".formatted(vector);
    }
    return vector < NAMES.length && !NAMES[vector].isEmpty() ? NAMES[vector] : "vector " + vector;
  }

  /**
   * Name, error code, address of a page fault, and where it happened.
   *
   * @param place says what an address is called
   */
  public String describe(LongFunction<String> place) {
    StringBuilder text = new StringBuilder(name());
    if (errorCode != GuestFault.NO_ERROR_CODE) {
      text.append(" error 0x").append(Integer.toHexString(errorCode));
    }
    if (!external && vector == GuestFault.PF) {
      text.append(" address 0x").append(Long.toHexString(address));
    }
    return text.append(" at ").append(place.apply(rip)).toString();
  }
}
