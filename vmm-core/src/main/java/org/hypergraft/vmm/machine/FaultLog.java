package org.hypergraft.vmm.machine;

import java.util.ArrayDeque;
import java.util.List;
import java.util.function.LongFunction;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.mmu.GuestFault;

/** Remembers the last exceptions on their way to the guest. */
final class FaultLog implements ExceptionDelivery {
  private static final int REMEMBERED = 8;

  private record Fault(int vector, int errorCode, long address, long rip, long retired) {}

  private final ExceptionDelivery delivery;
  private final ArrayDeque<Fault> recent = new ArrayDeque<>();
  private long count;

  FaultLog(ExceptionDelivery delivery) {
    this.delivery = delivery;
  }

  @Override
  public boolean exception(Cpu c, int vector, int errorCode, long address) {
    count++;
    if (recent.size() == REMEMBERED) {
      recent.removeFirst();
    }
    recent.addLast(new Fault(vector, errorCode, address, c.rip, c.retired()));
    return delivery.exception(c, vector, errorCode, address);
  }

  @Override
  public boolean interrupt(Cpu c, int vector) {
    return delivery.interrupt(c, vector);
  }

  long count() {
    return count;
  }

  /** The last exceptions, oldest first, one line each. */
  List<String> last(LongFunction<String> describe) {
    return recent.stream()
        .map(
            f ->
                name(f.vector)
                    + (f.errorCode == GuestFault.NO_ERROR_CODE
                        ? ""
                        : " error 0x" + Integer.toHexString(f.errorCode))
                    + (f.vector == GuestFault.PF ? " address 0x" + Long.toHexString(f.address) : "")
                    + " at "
                    + describe.apply(f.rip)
                    + ", instruction "
                    + f.retired)
        .toList();
  }

  private static String name(int vector) {
    String[] names = {
      "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS", "#NP", "#SS", "#GP",
      "#PF", "", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"
    };
    return vector < names.length && !names[vector].isEmpty() ? names[vector] : "vector " + vector;
  }
}
