package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.hypergraft.patcher.validate.ConsoleComparison;
import org.hypergraft.patcher.validate.Finding;
import org.hypergraft.patcher.validate.OracleResult;
import org.hypergraft.patcher.validate.Validation;
import org.hypergraft.vmm.machine.RunReport;

/** What a validation found, for people and as data. */
public final class ValidationReport implements Document {
  /** Residual console lines that the text shows. */
  private static final int LINES = 40;

  private final Validation v;

  public ValidationReport(Validation validation) {
    v = validation;
  }

  @Override
  public void text(PrintWriter out) {
    out.println("image        " + v.plan().image().name());
    v.plan().image().banner().ifPresent(b -> out.println("kernel       " + b));
    new PlanReport(v.plan()).text(out);
    out.println();
    int checks = v.verification().checked().size();
    out.printf(
        "verify       %s: %s%n",
        Text.count(checks, "check"),
        v.verification().passed()
            ? "passed"
            : Text.count(v.verification().findings().size(), "finding"));
    out.println("oracle       " + oracle(v.oracle()));
    out.println();
    boots(out);
    out.println();
    console(out);
    out.println();
    if (v.passed()) {
      out.println("result       passed");
    } else {
      out.println("result       " + Text.count(v.findings().size(), "finding"));
      for (Finding f : v.findings()) {
        out.println("  " + Text.name(f.kind()) + ": " + f.sentence());
      }
      death(out, "original", v.original());
      death(out, "patched", v.patched());
    }
  }

  private static void death(PrintWriter out, String which, RunReport run) {
    if (!run.death().isEmpty()) {
      out.println();
      out.println("death of the " + which + " guest:");
      out.println(run.death().stripTrailing());
    }
  }

  private static String oracle(OracleResult o) {
    if (!o.reached()) {
      return o.failure();
    }
    return "%s, %s compared with what the kernel wrote there itself (%s): %s"
        .formatted(
            Text.count(o.sites(), "site"),
            Text.count(o.bytes(), "byte"),
            Text.count(o.cpus(), "CPU"),
            o.differences().isEmpty()
                ? "0 differ"
                : "%s in %s differ"
                    .formatted(
                        Text.count(o.differingBytes(), "byte"),
                        Text.count(o.differences().size(), "site")));
  }

  private void boots(PrintWriter out) {
    RunReport a = v.original();
    RunReport b = v.patched();
    TextTable table = new TextTable("on " + v.hypervisor(), ">original", ">patched", ">change");
    table.row("outcome", Text.name(a.outcome()), Text.name(b.outcome()), null);
    row(table, "instructions", a.retired(), b.retired());
    row(table, "  to userspace", a.retiredToUserspace(), b.retiredToUserspace());
    a.exits()
        .forEach(
            (cause, n) -> {
              long other = b.exits().getOrDefault(cause, 0L);
              if (n > 0 || other > 0) {
                row(table, cause.label() + " exits", n, other);
              }
            });
    row(table, "interrupts", a.interrupts(), b.interrupts());
    row(table, "exceptions", a.exceptions(), b.exceptions());
    row(table, "stores to text", a.textWrites().all(), b.textWrites().all());
    row(table, "  that change a byte", a.textWrites().changing(), b.textWrites().changing());
    Map<String, Long> writesA = a.textWrites().changingBy(v.originalOwners()::of);
    Map<String, Long> writesB = b.textWrites().changingBy(v.patchedOwners()::of);
    TreeSet<String> tables = new TreeSet<>(writesA.keySet());
    tables.addAll(writesB.keySet());
    for (String name : tables) {
      row(table, "    " + name, writesA.getOrDefault(name, 0L), writesB.getOrDefault(name, 0L));
    }
    table.print(out, "  ");
  }

  private static void row(TextTable table, String name, long a, long b) {
    String change = a == b ? "" : String.format(Locale.ROOT, "%+,d", b - a);
    table.row(name, a, b, change);
  }

  private void console(PrintWriter out) {
    ConsoleComparison c = v.console();
    int allowed = c.allowed().values().stream().mapToInt(Integer::intValue).sum();
    out.printf(
        "console      %s, %s differ by a stated rule, %s otherwise%n",
        Text.count(c.lines(), "line"), Text.number(allowed), Text.number(c.residual().size()));
    c.allowed().forEach((rule, n) -> out.println("  " + rule + ": " + Text.count(n, "line")));
    c.residual().stream().limit(LINES).forEach(line -> out.println("  " + line));
    if (c.residual().size() > LINES) {
      out.println("  and " + Text.number(c.residual().size() - LINES) + " more");
    }
  }

  @Override
  public Json json() {
    OracleResult o = v.oracle();
    Json rules = new Json();
    new TreeMap<>(v.console().allowed()).forEach(rules::put);
    return new Json()
        .put("image", v.plan().image().name())
        .put("kernel", v.plan().image().banner().orElse(null))
        .put("hypervisor", v.hypervisor())
        .put("passed", v.passed())
        .list(
            "findings",
            v.findings(),
            f -> new Json().put("kind", f.kind()).put("sentence", f.sentence()))
        .put("plan", new PlanReport(v.plan()).json())
        .put("verification", new VerifyReport(v.output().name(), v.verification()).json())
        .put(
            "oracle",
            new Json()
                .put("reached", o.reached())
                .put("failure", o.failure())
                .put("cpus", o.cpus())
                .put("sites", o.sites())
                .put("bytes", o.bytes())
                .put("lockBytes", o.lockBytes())
                .put("kept", o.kept())
                .put("keptChanged", o.keptChanged())
                .put("differingBytes", o.differingBytes())
                .list(
                    "differences",
                    o.differences(),
                    d ->
                        new Json()
                            .address("address", d.site().address())
                            .put("table", d.site().table())
                            .put("operation", d.site().operation())
                            .put("symbol", d.symbol())
                            .put("file", Text.bytes(d.file()))
                            .put("kernel", Text.bytes(d.kernel()))))
        .put("original", BootReport.figures(v.original(), v.originalOwners()))
        .put("patched", BootReport.figures(v.patched(), v.patchedOwners()))
        .put(
            "console",
            new Json()
                .put("lines", v.console().lines())
                .put("allowed", rules)
                .put("residual", v.console().residual()));
  }
}
