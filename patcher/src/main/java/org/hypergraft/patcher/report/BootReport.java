package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.hypergraft.patcher.validate.TableOwners;
import org.hypergraft.vmm.machine.CpuSplit;
import org.hypergraft.vmm.machine.RunReport;
import org.hypergraft.vmm.observe.HotFunctions;

/** What a boot did and what it cost. The text form leaves the console out: it was shown already. */
public final class BootReport implements Document {
  private final String image;
  private final String hypervisor;
  private final RunReport run;
  private final TableOwners owners;
  private List<HotFunctions.Function> hot = List.of();
  private String stop = "";

  /**
   * A report on a run.
   *
   * @param owners tables of the image, for the writes to its text
   */
  public BootReport(String image, String hypervisor, RunReport run, TableOwners owners) {
    this.image = image;
    this.hypervisor = hypervisor;
    this.run = run;
    this.owners = owners;
  }

  /**
   * Adds what was seen inside.
   *
   * @param functions the hottest functions, may be empty
   * @param state of a vCPU where the run was to end, may be empty
   */
  public BootReport with(List<HotFunctions.Function> functions, String state) {
    hot = functions;
    stop = state;
    return this;
  }

  @Override
  public void text(PrintWriter out) {
    if (!stop.isEmpty()) {
      out.println(stop.stripTrailing());
    }
    if (!run.death().isEmpty()) {
      out.println(run.death().stripTrailing());
    }
    out.printf(
        "boot: %s; %s instructions%s, %s s of guest time (%s idle)%n",
        run.reason(),
        Text.number(run.retired()),
        run.retiredToUserspace() < 0
            ? ""
            : ", " + Text.number(run.retiredToUserspace()) + " to userspace",
        seconds(run.virtualNs()),
        seconds(run.idleNs()));
    out.printf(
        Locale.ROOT,
        "boot: %.0f million instructions per second, %.2f CPU s, %.2f s, peak memory %s%n",
        run.mips(),
        run.host().cpuSeconds(),
        run.host().wallSeconds(),
        run.host().peakBytes() < 0 ? "unknown" : Text.size(run.host().peakBytes()));
    CpuSplit split = run.host().split();
    out.printf(
        Locale.ROOT,
        "boot: CPU s: start %.2f, guest %.2f, regions %.2f, compilers %.2f, collector %.2f%n",
        split.start(),
        split.guest(),
        split.regions(),
        split.compilers(),
        split.collector());
    if (run.retiredByCpu().size() > 1) {
      out.println(
          "boot: instructions by CPU: "
              + run.retiredByCpu().stream().map(Text::number).collect(Collectors.joining(", ")));
    }
    List<String> exits = new ArrayList<>();
    run.exits()
        .forEach(
            (cause, n) -> {
              if (n > 0) {
                exits.add(cause.label() + " " + Text.number(n));
              }
            });
    out.println("boot: exits: " + (exits.isEmpty() ? "none" : String.join(", ", exits)));
    out.printf(
        "boot: %s to kernel text, %s change a byte%s%n",
        Text.count(run.textWrites().all(), "store"),
        Text.number(run.textWrites().changing()),
        byTable());
    if (!hot.isEmpty()) {
      out.println("boot: instructions by function, in samples of " + HotFunctions.INTERVAL + ":");
      for (HotFunctions.Function f : hot) {
        out.printf(Locale.ROOT, "%6.2f%% %,15d  %s%n", f.percent(), f.instructions(), f.name());
      }
    }
  }

  private String byTable() {
    List<String> parts = new ArrayList<>();
    run.textWrites()
        .changingBy(owners::of)
        .forEach((table, n) -> parts.add(table + " " + Text.number(n)));
    return parts.isEmpty() ? "" : ": " + String.join(", ", parts);
  }

  @Override
  public Json json() {
    Json json = figures(run, owners);
    if (!hot.isEmpty()) {
      json.put("hotSampleInterval", HotFunctions.INTERVAL);
      json.list(
          "hotFunctions",
          hot,
          f ->
              new Json()
                  .put("function", f.name())
                  .put("samples", f.samples())
                  .put("instructions", f.instructions())
                  .put("percent", f.percent()));
    }
    if (!stop.isEmpty()) {
      json.put("stop", stop);
    }
    return json.put("image", image)
        .put("hypervisor", hypervisor)
        .put("death", run.death())
        .put("console", new String(run.console(), StandardCharsets.UTF_8))
        .put(
            "host",
            new Json()
                .put("cpuSeconds", run.host().cpuSeconds())
                .put("wallSeconds", run.host().wallSeconds())
                .put("millionInstructionsPerSecond", run.mips())
                .put("peakBytes", run.host().peakBytes())
                .put("split", split()));
  }

  /** CPU seconds of the process by what they were spent on. */
  private Json split() {
    CpuSplit s = run.host().split();
    return new Json()
        .put("start", s.start())
        .put("guest", s.guest())
        .put("regions", s.regions())
        .put("compilers", s.compilers())
        .put("collector", s.collector());
  }

  /** The figures of a run that are the same on every host. */
  static Json figures(RunReport run, TableOwners owners) {
    Json exits = new Json();
    run.exits().forEach((cause, n) -> exits.put(cause.label(), n));
    Json symbols = new Json();
    run.exitsBySymbol().forEach((cause, counts) -> symbols.put(cause.label(), json(counts)));
    return new Json()
        .put("outcome", run.outcome())
        .put("reason", run.reason())
        .put("instructions", run.retired())
        .list("instructionsByCpu", run.retiredByCpu(), n -> n)
        .put("instructionsToUserspace", run.retiredToUserspace())
        .put("virtualNanoseconds", run.virtualNs())
        .put("idleNanoseconds", run.idleNs())
        .put("interrupts", run.interrupts())
        .put("exceptions", run.exceptions())
        .put("exits", exits)
        .put("exitsBySymbol", symbols)
        .put(
            "textWrites",
            new Json()
                .put("stores", run.textWrites().all())
                .put("changing", run.textWrites().changing())
                .put("changingByTable", json(run.textWrites().changingBy(owners::of))));
  }

  private static Json json(Map<String, Long> counts) {
    Json json = new Json();
    counts.forEach(json::put);
    return json;
  }

  private static String seconds(long ns) {
    return String.format(Locale.ROOT, "%.2f", ns / 1e9);
  }
}
