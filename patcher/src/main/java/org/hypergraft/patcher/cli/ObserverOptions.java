package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.report.Text;
import org.hypergraft.vmm.gdb.GdbStub;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.observe.HotFunctions;
import org.hypergraft.vmm.observe.LockStep;
import org.hypergraft.vmm.observe.StopAt;
import org.hypergraft.vmm.observe.Trace;
import org.hypergraft.vmm.observe.Waypoint;
import picocli.CommandLine.Option;

/** Ways to see inside a boot. */
final class ObserverOptions {
  @Option(
      names = "--gdb",
      paramLabel = "[HOST:]PORT",
      converter = SocketAddressConverter.class,
      description =
          "Wait for gdb before the first instruction, as in 'gdb -ex \"target remote :1234\"'; port"
              + " 0 for any that is free. gdb gets symbols and backtraces from the kernel's own tables."
              + " 'monitor help' shows more.")
  private InetSocketAddress gdb;

  @Option(names = "--gdb-no-wait", description = "Run, and let gdb attach at any time.")
  private boolean gdbNoWait;

  @Option(
      names = "--break",
      paramLabel = "PLACE",
      converter = WaypointConverter.class,
      description =
          "End the run at SYMBOL, SYMBOL+OFFSET or 0xADDRESS, with :N the N-th time, and print"
              + " instruction, registers and stack, as in '--break start_kernel'. Status 0, or 5"
              + " when the run ends before.")
  private Waypoint stopAt;

  @Option(
      names = "--trace",
      paramLabel = "FILE",
      description =
          "Write a line per retired instruction to FILE ('-': standard error): count, CPU, address,"
              + " symbol, bytes, assembly.")
  private String trace;

  @Option(
      names = "--trace-events",
      description = "Trace exceptions and interrupts instead of instructions.")
  private boolean traceEvents;

  @Option(
      names = "--trace-from",
      paramLabel = "PLACE|N",
      description =
          "Begin the trace at a place as for --break, or after N instructions (default: 0).")
  private String traceFrom;

  @Option(
      names = "--trace-limit",
      paramLabel = "N",
      converter = HexOrDecimal.class,
      defaultValue = "" + Trace.DEFAULT_LIMIT,
      description = "Lines after which the trace ends and the run goes on (default: 100000).")
  private long traceLimit;

  @Option(
      names = "--hot",
      paramLabel = "N",
      description =
          "Show the N functions in which most instructions retired, from a sample every "
              + HotFunctions.INTERVAL
              + " instructions.")
  private Integer hot;

  @Option(
      names = "--lockstep",
      description =
          "Run two machines side by side, one interpreting and one compiling everything, and"
              + " compare processors and memory. Status 4 and the first differing instruction when"
              + " they differ.")
  private boolean lockStep;

  @Option(
      names = "--lockstep-interval",
      paramLabel = "N",
      converter = HexOrDecimal.class,
      defaultValue = "" + LockStep.DEFAULT_INTERVAL,
      description = "Instructions between two comparisons (default: 5000000).")
  private long lockStepInterval;

  private GdbStub stub;
  private Trace tracing;
  private PrintWriter traceFile;
  private HotFunctions functions;
  private StopAt stopping;

  /** Refuses what cannot be, before an image is read. */
  void check() {
    if (hot != null && hot < 1) {
      throw CommandFailure.usage("--hot %d: expected at least one function".formatted(hot));
    }
    if (lockStep && (gdb != null || stopAt != null || trace != null || hot != null)) {
      throw CommandFailure.usage(
          "--lockstep runs two machines and takes no other way to see inside");
    }
    if (lockStepInterval < 1) {
      throw CommandFailure.usage("--lockstep-interval: expected at least one instruction");
    }
    if (traceLimit < 1) {
      throw CommandFailure.usage("--trace-limit: expected at least one line");
    }
    if (trace == null && (traceEvents || traceFrom != null)) {
      throw CommandFailure.usage("--trace-events and --trace-from need --trace FILE");
    }
    if (gdb == null && gdbNoWait) {
      throw CommandFailure.usage("--gdb-no-wait needs --gdb PORT");
    }
    traceCount();
  }

  /** Where the trace begins if at a place. */
  private Waypoint traceStart() {
    if (traceFrom == null || traceFrom.chars().allMatch(Character::isDigit)) {
      return null;
    }
    try {
      return Waypoint.parse(traceFrom);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage("--trace-from " + e.getMessage());
    }
  }

  private long traceCount() {
    try {
      return traceFrom == null || traceStart() != null ? 0 : Long.parseLong(traceFrom);
    } catch (NumberFormatException e) {
      throw CommandFailure.usage("--trace-from " + traceFrom + ": too large");
    }
  }

  /** Whether two machines are to be compared. */
  boolean lockStep() {
    return lockStep;
  }

  long lockStepInterval() {
    return lockStepInterval;
  }

  /** Attaches what was asked for to a machine to be. To be followed by {@link #close}. */
  void attach(MachineConfig.Builder machine, GuestImage image, Terminal terminal) {
    if (stopAt != null) {
      requireSymbol(stopAt, image);
      stopping = new StopAt(stopAt);
      machine.observer(stopping);
    }
    if (hot != null) {
      functions = new HotFunctions();
      machine.observer(functions);
    }
    if (trace != null) {
      Waypoint from = traceStart();
      if (from != null) {
        requireSymbol(from, image);
      }
      Trace.Subject subject = traceEvents ? Trace.Subject.EVENTS : Trace.Subject.INSTRUCTIONS;
      tracing = new Trace(subject, traceWriter(terminal), from, traceCount(), traceLimit);
      machine.observer(tracing);
    }
    if (gdb != null) {
      listen(machine, terminal);
    }
  }

  private static void requireSymbol(Waypoint where, GuestImage image) {
    if (where.symbol() != null && !image.symbols().contains(where.symbol())) {
      throw CommandFailure.usage("%s has no symbol '%s'".formatted(image.name(), where.symbol()));
    }
  }

  private PrintWriter traceWriter(Terminal terminal) {
    if (trace.equals("-")) {
      return terminal.errWriter();
    }
    try {
      traceFile =
          new PrintWriter(Files.newBufferedWriter(Path.of(trace), StandardCharsets.UTF_8), false);
    } catch (IOException e) {
      throw new CommandFailure(ExitStatus.FILE, Failures.sentence("write", e));
    }
    return traceFile;
  }

  private void listen(MachineConfig.Builder machine, Terminal terminal) {
    try {
      stub = new GdbStub(gdb, !gdbNoWait);
      String where = gdb.getAddress().getHostAddress() + ":" + stub.address().getPort();
      terminal.note("gdb may attach with: gdb -ex 'target remote %s'".formatted(where));
    } catch (IOException e) {
      throw CommandFailure.usage(
          "--gdb %s:%d: %s".formatted(gdb.getHostString(), gdb.getPort(), e.getMessage()));
    }
    machine.observer(stub);
  }

  /** Ends what {@link #attach} began. */
  void close() throws IOException {
    if (stub != null) {
      stub.close();
    }
    if (traceFile != null) {
      boolean failed = traceFile.checkError();
      traceFile.close();
      if (failed) {
        throw new CommandFailure(ExitStatus.FILE, "cannot write " + trace);
      }
    }
  }

  /** The functions with most instructions; empty when not asked for. */
  List<HotFunctions.Function> hot() {
    return functions == null ? List.of() : functions.top(hot);
  }

  /** The state at the place where the run was to end; empty when it did not come there. */
  String stopState() {
    return stopping == null ? "" : stopping.state();
  }

  /** A sentence when the run did not come to the place where it was to end. */
  Optional<String> missed() {
    return stopping == null || !stopping.state().isEmpty()
        ? Optional.empty()
        : Optional.of(
            "the run ended before %s; that place was reached %s"
                .formatted(stopAt, Text.count(stopping.seen(), "time")));
  }
}
