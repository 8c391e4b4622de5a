package org.hypergraft.vmm.mmu;

/**
 * Thrown by an access that reaches a device while the engine's clock is not exact; the run loop
 * re-executes that one instruction with an exact clock (the MMU's exact mode set).
 */
public final class MmioRestart extends RuntimeException {
  private static final long serialVersionUID = 1L;
  public static final MmioRestart INSTANCE = new MmioRestart();

  private MmioRestart() {
    super(null, null, false, false);
  }
}
