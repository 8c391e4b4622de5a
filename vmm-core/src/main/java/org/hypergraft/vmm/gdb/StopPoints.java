package org.hypergraft.vmm.gdb;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.mmu.DataWatch;

/**
 * Breakpoints and watchpoints set by gdb. Neither kind of breakpoint changes guest memory, so there
 * are as many "hardware" ones as wanted.
 */
final class StopPoints {
  /** Types of the Z packet: breakpoints in software and in hardware, then watchpoints. */
  static final int SOFTWARE = 0;

  static final int HARDWARE = 1;
  static final int WRITE = 2;
  static final int READ = 3;
  static final int ACCESS = 4;

  /** Breakpoints and watchpoints that can be set at a time: what a runaway client may cost. */
  private static final int LIMIT = 1024;

  private record Watch(int type, DataWatch.Range range) {}

  private final GuestControl guest;

  /** By address: bit per type of breakpoint. */
  private final Map<Long, Integer> breakpoints = new HashMap<>();

  private final Set<Watch> watches = new HashSet<>();

  StopPoints(GuestControl guest) {
    this.guest = guest;
  }

  /** Sets one; setting it again changes nothing. Returns whether it is set. */
  boolean insert(int type, long address, long length) {
    if (breakpoints.size() + watches.size() >= LIMIT) {
      return false;
    }
    if (type <= HARDWARE) {
      breakpoints.merge(address, 1 << type, (a, b) -> a | b);
      guest.addBreakpoint(address);
      return true;
    }
    Watch watch = watch(type, address, length);
    return watches.contains(watch) || guest.watch(watch.range) && watches.add(watch);
  }

  void remove(int type, long address, long length) {
    if (type <= HARDWARE) {
      int left = breakpoints.getOrDefault(address, 0) & ~(1 << type);
      if (left != 0) {
        breakpoints.put(address, left);
      } else if (breakpoints.remove(address) != null) {
        guest.removeBreakpoint(address);
      }
      return;
    }
    Watch watch = watch(type, address, length);
    if (watches.remove(watch)) {
      guest.unwatch(watch.range);
    }
  }

  void clear() {
    breakpoints.keySet().forEach(guest::removeBreakpoint);
    breakpoints.clear();
    watches.forEach(w -> guest.unwatch(w.range));
    watches.clear();
  }

  private static Watch watch(int type, long address, long length) {
    return new Watch(type, new DataWatch.Range(address, length, type != WRITE, type != READ));
  }

  /** What a stop reply says of a breakpoint. */
  String breakpointReason(long address) {
    return (breakpoints.getOrDefault(address, 0) & 1 << HARDWARE) != 0 ? "hwbreak:;" : "swbreak:;";
  }

  /** What a stop reply says of an access. */
  static String watchReason(DataWatch.Range range) {
    String name = !range.reads() ? "watch" : !range.writes() ? "rwatch" : "awatch";
    return name + ":" + Long.toHexString(range.start()) + ";";
  }
}
