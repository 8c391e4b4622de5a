package org.hypergraft.patcher.plan;

import java.util.OptionalInt;
import java.util.OptionalLong;

/** What is known about the environment the image will run in. */
interface Facts {
  /**
   * What a paravirtual slot holds when the kernel patches its code.
   *
   * @param known whether that is decided
   * @param function link address; 0 is a null pointer
   * @param reason why it is not decided
   */
  record Function(boolean known, long function, String reason) {
    static Function of(long address) {
      return new Function(true, address, "");
    }

    static Function unknown(String reason) {
      return new Function(false, 0, reason);
    }
  }

  /** The function in slot {@code index}. */
  Function slot(int index);

  /** Whether {@code boot_cpu_has(feature)}. */
  Tri has(int feature);

  /**
   * Whether alternatives that depend on the CPU alone may be decided. They change together: some
   * stop the kernel unless all others, and all returns, have been changed as well (the return thunk
   * of 6.9 and later warns once alternatives are applied), so partial knowledge must leave them.
   */
  boolean decidesCpuAlternatives();

  /** Why {@link #has} is UNKNOWN, as the end of "depends on ...". */
  String whyUnknown(String featureName);

  /** Present CPUs. */
  OptionalInt presentCpus();

  /** Link address of the return thunk that mitigations chose. */
  OptionalLong returnThunk();

  /** The NOP table a 5.10 kernel chooses by CPU: {@code p6_nops} or {@code k8_nops}. */
  String nopTable();

  /**
   * Whether mitigations are known: without them returns and indirect branches are left alone as a
   * table.
   */
  boolean knowsMitigations();
}
