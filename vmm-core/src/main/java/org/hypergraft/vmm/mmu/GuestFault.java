package org.hypergraft.vmm.mmu;

/**
 * An exception of the guest processor, thrown by semantics and memory accesses and caught by the
 * run loop, which knows the instruction. Immutable, and without stack trace: faults are part of
 * normal guest execution, and making one costs little beside the throw.
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

  public final int vector;
  public final int errorCode;

  /** Faulting linear address, for {@link #PF}. */
  public final long address;

  /**
   * Set with {@link #GP} for a linear address that is not canonical: through SS the same access
   * raises {@link #SS} instead.
   */
  public final boolean nonCanonical;

  private GuestFault(int vector, int errorCode, long address, boolean nonCanonical) {
    super(null, null, false, false);
    this.vector = vector;
    this.errorCode = errorCode;
    this.address = address;
    this.nonCanonical = nonCanonical;
  }

  /** An exception without an error code. */
  public static GuestFault of(int vector) {
    return of(vector, NO_ERROR_CODE);
  }

  public static GuestFault of(int vector, int errorCode) {
    return new GuestFault(vector, errorCode, 0, false);
  }

  /** General protection for a linear address that is not canonical. */
  public static GuestFault nonCanonical() {
    return new GuestFault(GP, 0, 0, true);
  }

  /** A page fault at a linear address. */
  public static GuestFault page(long address, int errorCode) {
    return new GuestFault(PF, errorCode, address, false);
  }

  @Override
  public String getMessage() {
    return "guest exception "
        + vector
        + (errorCode == NO_ERROR_CODE ? "" : " error code " + errorCode);
  }
}
