package org.hypergraft.vmm.machine;

import java.util.Optional;
import java.util.OptionalLong;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Segment;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.mmu.DataWatch;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * What an {@link Observer} can do with the guest: look at it, change it, say where to stop. To be
 * used only while the machine calls the observer. Addresses are linear and at run time unless
 * stated otherwise.
 */
public final class GuestControl {
  /** Largest watched range, bytes. */
  public static final long MAX_WATCH = 1 << 16;

  private final Observer observer;
  private final GuestImage image;
  private final CpuModel model;
  private final KernelPlace place;
  private final Processors processors;
  private final GuestRam ram;
  private final Breakpoints breakpoints;
  private final GuestView view;
  private final boolean unpacks;
  private final Moment onBreakpoint;
  private final DataWatch.Listener onAccess;

  /** The count its observer asked for last. */
  private long next = Long.MAX_VALUE;

  private Stop requested;

  /**
   * @param observer on whose behalf
   * @param unpacks whether the guest itself brings the kernel to its place
   */
  GuestControl(
      Observer observer,
      GuestImage image,
      CpuModel model,
      KernelPlace place,
      boolean unpacks,
      Processors processors,
      GuestRam ram,
      Breakpoints breakpoints,
      GuestView view) {
    this.observer = observer;
    this.image = image;
    this.model = model;
    this.place = place;
    this.unpacks = unpacks;
    this.processors = processors;
    this.ram = ram;
    this.breakpoints = breakpoints;
    this.view = view;
    onBreakpoint = v -> observer.stopped(new Stop.Breakpoint(v.rip()));
    onAccess = (range, address, write) -> request(new Stop.Accessed(range, address, write));
  }

  Observer observer() {
    return observer;
  }

  // ---- The guest ------------------------------------------------------------------------------

  public GuestImage image() {
    return image;
  }

  /** The processor model that the guest finds. */
  public CpuModel model() {
    return model;
  }

  public int cpus() {
    return processors.all().size();
  }

  public Cpu cpu(int index) {
    return processors.get(index).cpu;
  }

  /** What a vCPU does instead of running, "not started" or "halted"; empty while it runs. */
  public Optional<String> rest(int index) {
    Vcpu v = processors.get(index);
    return Optional.ofNullable(!v.started() ? "not started" : v.cpu.halted ? "halted" : null);
  }

  /** The vCPU whose turn it is. */
  public Cpu current() {
    return processors.current();
  }

  /** Instructions retired by all vCPUs. */
  public long retired() {
    return processors.retired();
  }

  /** Bytes that the kernel was moved up by from its link addresses. */
  public long kaslrOffset() {
    return place.offset();
  }

  // ---- Names ----------------------------------------------------------------------------------

  /** Where a symbol is; of several, the one with the lowest address. */
  public OptionalLong address(String symbol) {
    return place.address(symbol);
  }

  /** Function around an address; empty outside the kernel. */
  public Optional<String> function(long address) {
    return place.function(address);
  }

  /** Function and distance, or null outside the kernel. */
  public String name(long address) {
    return place.name(address);
  }

  /** Address, with function and distance where known. */
  public String describe(long address) {
    return place.describe(address);
  }

  /** Code, registers and stack of a vCPU as text of several lines. */
  public String dump(Cpu cpu) {
    GuestDump dump = dumpOf(cpu);
    return dump.state() + GuestDump.section("stack", dump.stack());
  }

  /** Words on a vCPU's stack that look like return addresses, innermost first, a line each. */
  public String stack(Cpu cpu) {
    return String.join("\n", dumpOf(cpu).stack()) + "\n";
  }

  private GuestDump dumpOf(Cpu cpu) {
    return new GuestDump(cpu, new GuestView(() -> cpu, this::retired, ram, place), place);
  }

  // ---- Memory ---------------------------------------------------------------------------------

  /**
   * Guest-physical address of a byte as a vCPU sees it. The page tables are read and not changed.
   * Kernel addresses that they do not map yet are taken for where the kernel was loaded.
   *
   * @return -1 when it is nowhere in RAM
   */
  public long physical(Cpu cpu, long address) {
    long gpa = cpu.mmu.translate(address);
    if (gpa == -1 && !unpacks && loaded(place.link(address))) {
      gpa = place.physical(place.link(address));
    }
    return gpa != -1 && ram.contains(gpa, 1) ? gpa : -1;
  }

  private boolean loaded(long link) {
    for (Segment s : image.elf().segments()) {
      if (s.loaded()
          && link - s.virtualAddress() >= 0
          && link - s.virtualAddress() < s.memorySize()) {
        return true;
      }
    }
    return false;
  }

  /** Bytes from an address on, as many of {@code length} as are in RAM. */
  public byte[] read(Cpu cpu, long address, int length) {
    return memory(cpu).read(address, length);
  }

  /**
   * Changes memory, whatever the page tables permit.
   *
   * @return false, with nothing changed, unless all of it is in RAM
   */
  public boolean write(Cpu cpu, long address, byte[] bytes) {
    return memory(cpu).write(address, bytes);
  }

  private PagedMemory memory(Cpu cpu) {
    return new PagedMemory(ram, address -> physical(cpu, address));
  }

  /** Bytes of RAM from a guest-physical address on, as many of {@code length} as there are. */
  public byte[] readPhysical(long gpa, int length) {
    int n = (int) Math.min(length, ram.available(gpa));
    return n == 0 ? new byte[0] : ram.bytes(gpa, n);
  }

  /** As {@link #write}, by guest-physical address. */
  public boolean writePhysical(long gpa, byte[] bytes) {
    if (!ram.contains(gpa, bytes.length)) {
      return false;
    }
    ram.write(gpa, bytes);
    return true;
  }

  /** Lowest guest-physical address at which the RAM of two machines differs; -1 if nowhere. */
  public long firstDifference(GuestControl other) {
    return ram.mismatch(other.ram);
  }

  // ---- Stops ----------------------------------------------------------------------------------

  /**
   * Stops whenever the instruction at this instruction pointer is next, on any vCPU. Guest memory
   * is not changed.
   */
  public void addBreakpoint(long address) {
    breakpoints.at(address, onBreakpoint);
  }

  public void removeBreakpoint(long address) {
    breakpoints.remove(address, onBreakpoint);
  }

  /**
   * Stops after each instruction that accesses a range, on any vCPU. Accesses by page walks do not
   * count.
   *
   * @return false if the range is empty, larger than {@link #MAX_WATCH} or wraps around
   */
  public boolean watch(DataWatch.Range range) {
    if (range.length() <= 0
        || range.length() > MAX_WATCH
        || Long.compareUnsigned(range.start() + range.length() - 1, range.start()) < 0) {
      return false;
    }
    processors.all().forEach(v -> v.cpu.mmu.watch(range, onAccess));
    return true;
  }

  /** Ends what {@link #watch} began. */
  public void unwatch(DataWatch.Range range) {
    processors.all().forEach(v -> v.cpu.mmu.unwatch(range, onAccess));
  }

  /** Has the observer called before the next instruction. */
  public void requestStop() {
    request(new Stop.Requested());
  }

  private void request(Stop stop) {
    // a watched access that comes first is the better reason
    if (!(requested instanceof Stop.Accessed)) {
      requested = stop;
    }
    processors.current().exitRequested = true;
  }

  /**
   * Calls the observer if it asked to be called or its count is reached.
   *
   * @return whether it wants to go on
   */
  boolean stopped(long retired) {
    Stop why = requested != null ? requested : next <= retired ? new Stop.Counted() : null;
    requested = null;
    return why == null || observer.stopped(why);
  }

  /** Asks the observer for its next count. */
  long askNext(int cpu) {
    next = observer.nextCount(cpu);
    return next;
  }
}
