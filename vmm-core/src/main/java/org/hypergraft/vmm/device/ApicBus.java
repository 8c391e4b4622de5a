package org.hypergraft.vmm.device;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.bus.MmioDevice;

/**
 * What connects local and I/O APICs: interrupt messages by destination, end-of-interrupt
 * broadcasts, and the page at which each processor sees its own local APIC.
 */
public final class ApicBus implements MmioDevice {
  /** Delivery modes, Intel SDM vol. 3 figure 11-12. */
  static final int FIXED = 0;

  static final int LOWEST_PRIORITY = 1;
  static final int SMI = 2;
  static final int NMI = 4;
  static final int INIT = 5;
  static final int START_UP = 6;
  static final int EXT_INT = 7;

  /** Physical destination of all processors (8-bit destinations). */
  private static final int BROADCAST = 0xff;

  private final List<LocalApic> apics = new ArrayList<>();
  private IoApic ioApic;
  private LocalApic current;

  void attach(LocalApic apic) {
    apics.add(apic);
    if (current == null) {
      current = apic;
    }
  }

  void attach(IoApic newIoApic) {
    ioApic = newIoApic;
  }

  /** Says which processor the next accesses to the APIC page come from. */
  public void select(LocalApic apic) {
    current = apic;
  }

  List<LocalApic> apics() {
    return apics;
  }

  /**
   * Sends an interrupt to one processor, as hypercalls do.
   *
   * @param icr low half of an interrupt command register: vector and delivery mode
   * @return false if no processor has that id
   */
  public boolean send(int apicId, int icr) {
    for (LocalApic apic : apics) {
      if (apic.id() == apicId) {
        apic.receive(icr >>> 8 & 7, icr & 0xff, false);
        return true;
      }
    }
    return false;
  }

  /** Delivers a message to every processor that the destination names. */
  void deliver(int destination, boolean logical, int mode, int vector, boolean level) {
    LocalApic lowest = null;
    for (LocalApic apic : apics) {
      boolean match =
          logical
              ? apic.matchesLogical(destination)
              : destination == BROADCAST || destination == -1 || destination == apic.id();
      if (!match) {
        continue;
      }
      if (mode != LOWEST_PRIORITY) {
        apic.receive(mode, vector, level);
      } else if (lowest == null || apic.priority() < lowest.priority()) {
        lowest = apic;
      }
    }
    if (lowest != null) {
      lowest.receive(FIXED, vector, level);
    }
  }

  void endOfInterrupt(int vector) {
    if (ioApic != null) {
      ioApic.endOfInterrupt(vector);
    }
  }

  @Override
  public long read(long offset, int size) {
    return current.read(offset, size);
  }

  @Override
  public void write(long offset, int size, long value) {
    current.write(offset, size, value);
  }
}
