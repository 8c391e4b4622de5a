package org.hypergraft.vmm.mmu;

/**
 * An exception of the guest processor, thrown by semantics and memory accesses and caught by the
 * run loop, which knows the instruction. Preallocated and without stack trace: faults are part of
 * normal guest execution.
 */
public final class GuestFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Vector numbers, Intel SDM vol. 3 table 6-1. */
  public static final int DE = 0;

  public static final int DB = 1;
  public static final int NMI = 2;
  public static final int BP = 3;
  public static final int OF = 4;
  public static final int BR = 5;
  public static final int UD = 6;
  public static final int NM = 7;
  public static final int DF = 8;
  public static final int TS = 10;
  public static final int NP = 11;
  public static final int SS = 12;
  public static final int GP = 13;
  public static final int PF = 14;
  public static final int MF = 16;
  public static final int AC = 17;
  public static final int MC = 18;
  public static final int XM = 19;
  public static final int CP = 21;

  /** {@link #errorCode} of an exception that pushes none. */
  public static final int NO_ERROR_CODE = -1;

  private static final GuestFault INSTANCE = new GuestFault();

  public int vector;
  public int errorCode;

  /** Faulting linear address, for {@link #PF}. */
  public long address;

  /**
   * Set with {@link #GP} for a linear address that is not canonical: through SS the same access
   * raises {@link #SS} instead.
   */
  public boolean nonCanonical;

  private GuestFault() {
    super(null, null, false, false);
  }

  public static GuestFault of(int vector) {
    return of(vector, NO_ERROR_CODE);
  }

  /** The shared instance, filled in. The machine runs its vCPUs on one thread. */
  public static GuestFault of(int vector, int errorCode) {
    INSTANCE.vector = vector;
    INSTANCE.errorCode = errorCode;
    INSTANCE.address = 0;
    INSTANCE.nonCanonical = false;
    return INSTANCE;
  }

  /** General protection for a linear address that is not canonical. */
  public static GuestFault nonCanonical() {
    GuestFault f = of(GP, 0);
    f.nonCanonical = true;
    return f;
  }

  /** A page fault at a linear address. */
  public static GuestFault page(long address, int errorCode) {
    INSTANCE.vector = PF;
    INSTANCE.errorCode = errorCode;
    INSTANCE.address = address;
    INSTANCE.nonCanonical = false;
    return INSTANCE;
  }

  @Override
  public String getMessage() {
    return "guest exception "
        + vector
        + (errorCode == NO_ERROR_CODE ? "" : " error code " + errorCode);
  }
}
