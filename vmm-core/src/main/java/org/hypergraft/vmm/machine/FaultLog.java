package org.hypergraft.vmm.machine;

import java.util.ArrayDeque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.mmu.GuestFault;

/** Remembers the last exceptions on their way to the guest. */
final class FaultLog implements ExceptionDelivery {
  private static final int REMEMBERED = 8;

  private final ExceptionDelivery delivery;
  private final ArrayDeque<Delivery> recent = new ArrayDeque<>();
  private final Consumer<Delivery> observer;
  private final LongSupplier retired;
  private long count;

  /**
   * @param delivery who delivers
   * @param observer told of each before it is delivered; null for nobody
   * @param retired instructions retired by all vCPUs
   */
  FaultLog(ExceptionDelivery delivery, Consumer<Delivery> observer, LongSupplier retired) {
    this.delivery = delivery;
    this.observer = observer;
    this.retired = retired;
  }

  @Override
  public boolean exception(Cpu c, int vector, int errorCode, long address) {
    count++;
    if (recent.size() == REMEMBERED) {
      recent.removeFirst();
    }
    Delivery event = event(c, vector, false, errorCode, address);
    recent.addLast(event);
    if (observer != null) {
      observer.accept(event);
    }
    return delivery.exception(c, vector, errorCode, address);
  }

  @Override
  public boolean interrupt(Cpu c, int vector) {
    if (observer != null) {
      observer.accept(event(c, vector, true, GuestFault.NO_ERROR_CODE, 0));
    }
    return delivery.interrupt(c, vector);
  }

  private Delivery event(Cpu c, int vector, boolean external, int errorCode, long address) {
    return new Delivery(c.index, vector, external, errorCode, address, c.rip, retired.getAsLong());
  }

  long count() {
    return count;
  }

  /** The last exceptions, oldest first, one line each. */
  List<String> last(LongFunction<String> describe) {
    return recent.stream()
        .map(e -> "%s, instruction %d".formatted(e.describe(describe), e.retired()))
        .toList();
  }
}
