package org.hypergraft.vmm.machine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Engine;

/** Who waits for which instruction pointer. */
final class Breakpoints {
  /** What to do at an address; those armed at a function's entry arm another at its return. */
  private record Waiting(Moment moment, boolean atReturn, long stackPointer) {}

  private final Engine engine;
  private final GuestView view;
  private final Map<Long, List<Waiting>> byAddress = new HashMap<>();

  Breakpoints(Engine engine, GuestView view) {
    this.engine = engine;
    this.view = view;
  }

  /** Calls {@code moment} each time the instruction at an address is next. */
  void at(long address, Moment moment) {
    arm(address, new Waiting(moment, false, 0));
  }

  /** Calls {@code moment} whenever the function at an address has returned. */
  void atReturn(long address, Moment moment) {
    arm(address, new Waiting(moment, true, 0));
  }

  /** Ends what {@link #at} began. */
  void remove(long address, Moment moment) {
    disarm(address, new Waiting(moment, false, 0));
  }

  boolean contains(long address) {
    return byAddress.containsKey(address);
  }

  /**
   * A vCPU is at a breakpoint.
   *
   * @return whether all who waited for it want to go on
   */
  boolean reached(Cpu cpu) {
    long at = cpu.rip;
    boolean goOn = true;
    // several processors, or a recursive function, may wait for a return to the same address
    for (Waiting w : List.copyOf(byAddress.getOrDefault(at, List.of()))) {
      if (w.atReturn) {
        armReturn(cpu, w.moment);
      } else if (w.stackPointer == 0 || w.stackPointer == cpu.r[Cpu.RSP]) {
        if (w.stackPointer != 0) {
          disarm(at, w);
        }
        goOn &= w.moment.reached(view);
      }
    }
    return goOn;
  }

  private void armReturn(Cpu cpu, Moment moment) {
    long stack = cpu.r[Cpu.RSP];
    int size = cpu.code64() ? Long.BYTES : Integer.BYTES;
    OptionalLong returnAddress = view.word(stack, size);
    if (returnAddress.isPresent()) {
      arm(returnAddress.getAsLong(), new Waiting(moment, false, stack + size));
    }
  }

  private void arm(long address, Waiting w) {
    List<Waiting> here = byAddress.computeIfAbsent(address, k -> new ArrayList<>());
    if (!here.contains(w)) {
      here.add(w);
    }
    engine.addBreakpoint(address);
  }

  private void disarm(long address, Waiting w) {
    List<Waiting> here = byAddress.get(address);
    if (here != null && here.remove(w) && here.isEmpty()) {
      byAddress.remove(address);
      engine.removeBreakpoint(address);
    }
  }
}
