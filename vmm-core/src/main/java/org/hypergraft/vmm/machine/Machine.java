package org.hypergraft.vmm.machine;

import java.util.Optional;
import org.hypergraft.vmm.boot.BootProtocol;
import org.hypergraft.vmm.boot.BootRequest;
import org.hypergraft.vmm.boot.BootState;
import org.hypergraft.vmm.boot.KernelLoader;
import org.hypergraft.vmm.boot.bios.Bios;
import org.hypergraft.vmm.bus.DeterministicClock;
import org.hypergraft.vmm.bus.VirtualClock;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Platform;
import org.hypergraft.vmm.cpu.interpret.Engine;
import org.hypergraft.vmm.cpu.jit.RegionJit;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuModels;
import org.hypergraft.vmm.cpu.model.Feature;
import org.hypergraft.vmm.cpu.system.Interrupts;
import org.hypergraft.vmm.device.Cmos;
import org.hypergraft.vmm.hypervisor.GuestPlatform;
import org.hypergraft.vmm.hypervisor.Hypervisor;
import org.hypergraft.vmm.hypervisor.HypervisorHost;
import org.hypergraft.vmm.hypervisor.HypervisorProvider;
import org.hypergraft.vmm.hypervisor.Hypervisors;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * A PC with a kernel loaded, run by {@link #run} until it powers off or dies. Deterministic: equal
 * configurations give equal consoles, counts and exits on every host.
 *
 * <p>Processors run in turns on one thread, see {@link Processors}; the first boots, the others
 * wait to be started by the guest.
 */
public final class Machine implements AutoCloseable {
  /** Idle virtual time without an interrupt after which nothing is expected to happen, ns. */
  private static final long MAX_IDLE_NS = 300_000_000_000L;

  /** Instructions between two looks at what a live peer types: a few ms of real time. */
  private static final long LISTEN_INTERVAL = 500_000;

  private final MachineConfig config;
  private final GuestRam ram;
  private final Processors processors;
  private final Engine engine;
  private final RegionJit tier1;
  private final DeterministicClock clock;
  private final Board board;
  private final Console console;
  private KernelPlace place;
  private final GuestView view;
  private final ExitLog exits;
  private final FaultLog faults;
  private final TextWrites textWrites;
  private final boolean unpacks;
  private final Breakpoints breakpoints;
  private final Observers observers;

  /** Count at which an observer wants to be called, {@link Long#MAX_VALUE} for never. */
  private long observedNext = Long.MAX_VALUE;

  /** Count at which {@link #advance} returns. */
  private long pauseAt = Long.MAX_VALUE;

  private boolean begun;
  private Moment userspace = v -> true;
  private long nextProgress = MachineConfig.PROGRESS_INTERVAL;
  private long retiredToUserspace = -1;
  private Outcome outcome;
  private String reason;

  /**
   * Builds the machine and loads the kernel.
   *
   * @throws org.hypergraft.vmm.boot.BootException when the kernel cannot be loaded as asked
   */
  public Machine(MachineConfig config) {
    this.config = config;
    place = KernelPlace.of(config.image(), config.kaslrOffset());
    CpuModel model = model(config);
    processors =
        new Processors(config.cpus(), i -> new Vcpu(new Cpu(i), model.signature(), this::reset));
    clock = new DeterministicClock(processors::retired);
    console = new Console(config.console(), () -> end(Outcome.GUEST_PANIC, "the kernel panicked"));
    board = new Board(clock, this::printed, this::powerOff, this::reset);
    ram = new GuestRam(config.memory());
    view = new GuestView(processors::current, processors::retired, ram, place);
    exits = new ExitLog(() -> processors.current().rip);
    board.ports.observe(exits);
    board.mmio.observe(exits);
    faults =
        new FaultLog(
            new Interrupts(),
            config.observers().isEmpty() ? null : this::delivered,
            processors::retired);
    Hypervisor hypervisor = hypervisor(model);
    processors.connect(board.apicBus, hypervisor);
    Platform platform = new CountingPlatform(platform(model, hypervisor), exits);
    processors.all().forEach(v -> connect(v, model, platform));
    engine = new Engine(ram, InstructionSet.of(model::has));
    breakpoints = new Breakpoints(engine, view);
    tier1 = config.tiers().compiler();
    if (tier1 != null) {
      engine.tier1(tier1);
    }
    clock.onChange(this::setStop);
    board.serial.receive(config.serialInput());
    listen();
    unpacks = load().unpacks();
    textWrites = new TextWrites(ram, place);
    ram.writeWatcher(textWrites);
    if (!unpacks) { // else nobody knows where the text will be, and unpacking it is no patching
      textWrites.watch(breakpoints);
    }
    observers = new Observers(config.observers().stream().map(o -> control(o, model)).toList());
  }

  private Platform platform(CpuModel model, Hypervisor hypervisor) {
    return new GuestPlatform(
        model,
        hypervisor,
        clock::now,
        DeterministicClock.TSC_HZ,
        config.cpus(),
        i -> processors.get(i).apic);
  }

  /** Wires a processor to memory, devices and platform. */
  private void connect(Vcpu v, CpuModel model, Platform platform) {
    Cpu cpu = v.cpu;
    cpu.mmu = new Mmu(ram, board.mmio, model.physicalBits(), model.has(Feature.PDPE1GB));
    v.apic = board.addProcessor(cpu.index, v, () -> cpu.tscAdjust);
    cpu.ports = board.ports;
    cpu.interrupts = v.apic;
    cpu.delivery = faults;
    cpu.platform = platform;
    if (cpu.index != 0) {
      v.park();
    }
  }

  /** Puts the kernel into memory and the first processor at its entry; returns by what protocol. */
  private BootProtocol load() {
    BootRequest request =
        new BootRequest(
            config.image(),
            config.initrd(),
            config.commandLine(),
            config.kaslrOffset(),
            config.protocol(),
            config.cpus());
    BootState entry = KernelLoader.load(request, ram);
    EntryState.apply(entry, processors.current());
    if (entry.protocol().mode() == BootProtocol.Mode.REAL) {
      Bios bios = new Bios(processors::current, ram, clock);
      board.ports.claim("bios", Bios.PORT, 1, 1, bios);
    }
    return entry.protocol();
  }

  private GuestControl control(Observer observer, CpuModel model) {
    return new GuestControl(
        observer, config.image(), model, place, unpacks, processors, ram, breakpoints, view);
  }

  private static CpuModel model(MachineConfig config) {
    return CpuModels.find(config.cpuModel(), config.cpuVendor())
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no CPU model '%s' of vendor %s"
                        .formatted(config.cpuModel(), config.cpuVendor())));
  }

  private Hypervisor hypervisor(CpuModel model) {
    HypervisorProvider provider =
        Hypervisors.named(config.hypervisor())
            .orElseThrow(
                () -> new IllegalArgumentException("no hypervisor '" + config.hypervisor() + "'"));
    HypervisorHost host =
        new HypervisorHost(
            model.vendor(),
            ram,
            clock,
            DeterministicClock.TSC_HZ,
            Cmos.POWER_ON.getEpochSecond(),
            processors.signals());
    return provider.create(host);
  }

  /**
   * Calls {@code moment} each time the function at a link address is about to be executed. A kernel
   * that unpacks itself must not move itself for that ({@code nokaslr}).
   */
  public void atEntry(long linkAddress, Moment moment) {
    breakpoints.at(linkAddress + config.kaslrOffset(), moment);
  }

  /** Calls {@code moment} whenever the function at a link address has returned. */
  public void atReturn(long linkAddress, Moment moment) {
    breakpoints.atReturn(linkAddress + config.kaslrOffset(), moment);
  }

  /** Calls {@code moment} before the first instruction at CPL 3. */
  public void atUserspace(Moment moment) {
    userspace = moment;
  }

  /** The guest's writes to its own text so far. */
  public TextWrites textWrites() {
    return textWrites;
  }

  /** Runs to the end. To be called once. */
  public RunReport run() {
    long cpuStart = HostUsage.cpuNs();
    long threadStart = HostUsage.threadNs();
    long wallStart = System.nanoTime();
    advance(Long.MAX_VALUE);
    return report(
        new RunReport.Host(
            (HostUsage.cpuNs() - cpuStart) / 1e9,
            (System.nanoTime() - wallStart) / 1e9,
            HostUsage.peakBytes(),
            engine.blocksBuilt(),
            tier1 == null ? 0 : tier1.regions(),
            new CpuSplit(
                cpuStart / 1e9,
                (HostUsage.threadNs() - threadStart) / 1e9,
                HostUsage.threadSeconds("region-compiler"),
                HostUsage.threadSeconds("C1 Compiler", "C2 Compiler"),
                HostUsage.threadSeconds("VM Thread", "GC Thread", "G1 "))));
  }

  /**
   * Runs until all vCPUs together have retired {@code count} instructions, or to the end.
   *
   * @return whether the run is not over
   */
  public boolean advance(long count) {
    pauseAt = count;
    if (!begun) {
      begun = true;
      engine.watchUser();
      stopUnless(observers.begin());
    }
    while (outcome == null && processors.retired() < pauseAt) {
      clock.runDue();
      if (outcome == null) {
        if (processors.turn()) {
          observedNext = observers.nextCount(processors.current().index);
          setStop();
          handle(engine.run(processors.current()));
          observed();
        } else {
          idle();
        }
      }
    }
    if (outcome != null) {
      observers.ended(outcome, reason);
    }
    return outcome == null;
  }

  private void observed() {
    if (outcome == null) {
      stopUnless(observers.stopped(processors.retired()));
    }
  }

  private void delivered(Delivery event) {
    observers.delivered(event);
  }

  private void setStop() {
    long stop = Math.min(clock.stopAt(), Math.min(config.instructionBudget(), pauseAt));
    stop = Math.min(stop, observedNext);
    if (config.peer().live()) {
      stop = Math.min(stop, processors.retired() + LISTEN_INTERVAL);
    }
    processors.setStop(Math.min(stop, nextProgress));
  }

  private void printed(int b) {
    console.put(b);
    config.peer().received(b);
    listen();
  }

  /**
   * Puts on the serial line what the peer types.
   *
   * @return whether it did or wants to
   */
  private boolean listen() {
    SerialPeer peer = config.peer();
    if (peer.hungUp()) {
      end(Outcome.STOPPED, "the session on the serial line is over");
      return true;
    }
    byte[] typed = peer.type();
    if (typed.length == 0) {
      return false;
    }
    board.serial.receive(typed);
    return true;
  }

  private void handle(Engine.Exit exit) {
    switch (exit) {
      case COUNT:
        checkBudget();
        reportProgress();
        if (config.peer().live()) {
          listen();
        }
        break;
      case HALTED:
        exits.note(ExitCause.HLT, 0, 0);
        break;
      case SHUTDOWN:
        end(Outcome.TRIPLE_FAULT, "triple fault");
        break;
      case BREAKPOINT:
        breakpoint();
        break;
      case USER:
        retiredToUserspace = processors.retired();
        stopUnless(userspace.reached(view));
        break;
      case REQUESTED:
        processors.requested();
        break;
    }
  }

  private void reportProgress() {
    if (processors.retired() >= nextProgress) {
      config.progress().accept(processors.retired());
      nextProgress += MachineConfig.PROGRESS_INTERVAL;
    }
  }

  private void checkBudget() {
    if (processors.retired() >= config.instructionBudget()) {
      end(
          Outcome.BUDGET,
          "the budget of %d instructions is spent".formatted(config.instructionBudget()));
    } else if (clock.now() >= config.virtualBudgetNs()) {
      end(
          Outcome.BUDGET,
          "the budget of %d s of virtual time is spent"
              .formatted(config.virtualBudgetNs() / VirtualClock.NS_PER_SECOND));
    }
  }

  /** All processors rest: time jumps from event to event until one of them has work. */
  private void idle() {
    if (processors.all().stream().filter(Vcpu::started).allMatch(Vcpu::deaf)) {
      end(Outcome.NO_PROGRESS, "halted with interrupts disabled");
      return;
    }
    long since = clock.now();
    while (outcome == null && !processors.anyRunnable()) {
      stopUnless(observers.idle());
      config.peer().await(Math.max(0, clock.nextDeadline() - clock.now()));
      if (config.peer().live() && listen()) {
        since = clock.now();
      } else if (!clock.skipToNext()) {
        end(Outcome.NO_PROGRESS, "halted, and no timer is armed that could wake it");
      } else if (clock.now() - since > MAX_IDLE_NS) {
        end(
            Outcome.NO_PROGRESS,
            "halted for %d s of virtual time without an interrupt"
                .formatted(MAX_IDLE_NS / VirtualClock.NS_PER_SECOND));
      }
    }
    if (outcome == null) {
      checkBudget();
    }
  }

  private void breakpoint() {
    Cpu cpu = processors.current();
    long at = cpu.rip;
    stopUnless(breakpoints.reached(cpu));
    // an observer may have moved it
    if (outcome == null && cpu.rip == at && breakpoints.contains(at)) {
      observedNext = observers.nextCount(cpu.index);
      engine.stepOver(cpu);
    }
  }

  private void stopUnless(boolean goOn) {
    if (!goOn) {
      end(Outcome.STOPPED, "stopped at a moment of interest");
    }
  }

  private void powerOff() {
    end(
        console.panicked() ? Outcome.GUEST_PANIC : Outcome.POWER_OFF,
        "the guest powered the machine off");
  }

  private void reset() {
    if (console.panicked()) {
      end(Outcome.GUEST_PANIC, "the kernel panicked and reset the machine");
    } else {
      end(Outcome.RESET, "the guest reset the machine");
    }
  }

  private void end(Outcome newOutcome, String newReason) {
    if (outcome == null) {
      outcome = newOutcome;
      reason = newReason;
    }
    processors.current().exitRequested = true;
  }

  private RunReport report(RunReport.Host host) {
    if (unpacks) {
      place = new KernelFinder(config.image(), ram, processors.current()).find(place);
      view.moved(place);
    }
    boolean died =
        outcome != Outcome.POWER_OFF && outcome != Outcome.STOPPED && outcome != Outcome.RESET;
    return new RunReport(
        outcome,
        reason,
        console.bytes(),
        processors.retired(),
        processors.retiredByCpu(),
        retiredToUserspace,
        clock.now(),
        clock.skipped(),
        exits.byCause(),
        exits.bySymbol(place::symbol),
        engine.interrupts(),
        faults.count(),
        textWrites,
        died ? GuestDeath.explain(reason, processors.current(), view, place, faults, exits) : "",
        host);
  }

  /** How the run ended; empty while it has not. */
  public Optional<Outcome> outcome() {
    return Optional.ofNullable(outcome);
  }

  /** The guest as it is now; after {@link #run}, as it was at the end. */
  public GuestView view() {
    return view;
  }

  /** Frees the guest's memory. */
  @Override
  public void close() {
    if (tier1 != null) {
      tier1.close();
    }
    processors.all().forEach(v -> v.cpu.mmu.close());
    ram.close();
  }
}
