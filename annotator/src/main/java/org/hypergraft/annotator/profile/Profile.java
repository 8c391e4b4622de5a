package org.hypergraft.annotator.profile;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What one boot of a kernel decided by the time it had patched its own code. Addresses are link
 * addresses.
 *
 * @param kernel version line of the kernel it was recorded from
 * @param buildId GNU build id of that kernel
 * @param hypervisor what it ran on
 * @param cpuModel what it ran as
 * @param pvOps function by slot of {@code pv_ops}; 0 = null
 * @param pvOpsLock the same for {@code pv_ops_lock} (7.2)
 * @param cpuCapabilities words of {@code boot_cpu_data.x86_capability}, bug words included
 * @param presentCpus present CPUs
 * @param possibleCpus possible CPUs
 * @param uniprocessor the kernel removed its lock prefixes
 * @param returnThunk {@code x86_return_thunk}
 * @param idealNops NOP table that a 5.10 kernel chose: its symbol, or its address as {@code 0x...}
 * @param pvOpsWrites writes to the slots, in order, where an observer of a guest noted them: on Xen
 *     PV slots hold one function after the other. Empty where each slot is written once at most, as
 *     on the hypervisors that the bundled machine offers
 */
public record Profile(
    Optional<String> kernel,
    Optional<String> buildId,
    Optional<String> hypervisor,
    Optional<String> cpuModel,
    List<Long> pvOps,
    List<Long> pvOpsLock,
    List<Integer> cpuCapabilities,
    int presentCpus,
    OptionalInt possibleCpus,
    Optional<Boolean> uniprocessor,
    OptionalLong returnThunk,
    Optional<String> idealNops,
    List<SlotWrite> pvOpsWrites) {

  /** Version of the format. */
  public static final int VERSION = 1;

  /**
   * One write to a slot.
   *
   * @param slot number, those of {@code pv_ops_lock} following those of {@code pv_ops}
   * @param value function stored
   * @param instruction link address of the storing instruction
   * @param symbol function it belongs to
   */
  public record SlotWrite(int slot, long value, long instruction, String symbol) {}

  public Profile {
    pvOps = List.copyOf(pvOps);
    pvOpsLock = List.copyOf(pvOpsLock);
    cpuCapabilities = List.copyOf(cpuCapabilities);
    pvOpsWrites = List.copyOf(pvOpsWrites);
  }

  /** A profile of the required parts only. */
  public static Profile of(List<Long> pvOps, List<Integer> cpuCapabilities, int presentCpus) {
    return new Profile(
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        pvOps,
        List.of(),
        cpuCapabilities,
        presentCpus,
        OptionalInt.empty(),
        Optional.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        List.of());
  }

  /** Whether {@code boot_cpu_has(feature)} held: word * 32 + bit; absent words hold nothing. */
  public boolean has(int feature) {
    int word = feature >> 5;
    return word < cpuCapabilities.size() && (cpuCapabilities.get(word) >>> (feature & 31) & 1) != 0;
  }

  /** Short hash of the canonical JSON: the same for profiles that decide the same. */
  public String fingerprint() {
    return ProfileJson.fingerprint(this);
  }
}
