package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hypergraft.annotator.abi.Operation;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.Plan;

/** Sites by operation and action, with the reasons for what stays. */
public final class PlanReport implements Document {
  private static final Pattern FEATURE =
      Pattern.compile("CPU feature (\\S+) decides, which only a profile knows");

  /** Features that a summary names. */
  private static final int NAMED = 3;

  private final Plan plan;

  public PlanReport(Plan plan) {
    this.plan = plan;
  }

  @Override
  public void text(PrintWriter out) {
    out.println("target       " + plan.options().target().id());
    out.println("rests on     " + basis());
    Map<Action, Integer> counts = plan.counts();
    out.printf(
        "sites        %s: %s patched, %s kept, %s refused%n",
        Text.number(plan.size()),
        Text.number(patch(counts)),
        Text.number(keep(counts)),
        Text.number(refuse(counts)));
    Map<Action, Integer> calls = paravirtCalls();
    out.printf(
        "             paravirtual calls: %s patched, %s kept, %s refused%n",
        Text.number(patch(calls)), Text.number(keep(calls)), Text.number(refuse(calls)));
    out.println();
    TextTable table = new TextTable("operation", ">patch", ">keep", ">refuse");
    grouped().forEach((name, n) -> table.row(name, patch(n), keep(n), refuse(n)));
    table.print(out, "  ");
    Map<String, Integer> reasons = plan.reasons();
    if (!reasons.isEmpty()) {
      out.println();
      TextTable why = new TextTable(">sites", "kept or refused because");
      descending(summary(reasons)).forEach(e -> why.row(e.getValue(), e.getKey()));
      why.print(out, "  ");
    }
    if (!plan.untouched().isEmpty()) {
      out.println();
      TextTable left = new TextTable("table", ">entries", "left to the guest because");
      plan.untouched().forEach(u -> left.row(u.table(), u.entries(), u.reason()));
      left.print(out, "  ");
    }
  }

  /** The reasons, those that name a CPU feature as one. */
  private static Map<String, Integer> summary(Map<String, Integer> reasons) {
    Map<String, Integer> out = new LinkedHashMap<>();
    Map<String, Integer> features = new LinkedHashMap<>();
    int sum = 0;
    for (Map.Entry<String, Integer> e : descending(reasons)) {
      Matcher m = FEATURE.matcher(e.getKey());
      if (m.matches()) {
        features.put(m.group(1), e.getValue());
        sum += e.getValue();
      } else {
        out.put(e.getKey(), e.getValue());
      }
    }
    if (!features.isEmpty()) {
      List<String> named = new ArrayList<>();
      features.forEach((name, n) -> named.add(name + " " + n));
      String rest = named.size() > NAMED ? ", and %d more".formatted(named.size() - NAMED) : "";
      out.put(
          "CPU features decide, which only a profile knows: %s%s"
              .formatted(String.join(", ", named.subList(0, Math.min(NAMED, named.size()))), rest),
          sum);
    }
    return out;
  }

  private static List<Map.Entry<String, Integer>> descending(Map<String, Integer> counts) {
    return counts.entrySet().stream()
        .sorted(
            Map.Entry.<String, Integer>comparingByValue()
                .reversed()
                .thenComparing(Map.Entry.comparingByKey()))
        .toList();
  }

  /** Sites that call through a slot of pv_ops, by action. */
  private Map<Action, Integer> paravirtCalls() {
    Map<Action, Integer> sum = new EnumMap<>(Action.class);
    plan.countsByOperation()
        .forEach(
            (name, n) -> {
              if (Operation.named(name).filter(o -> o != Operation.HYPERCALL).isPresent()) {
                n.forEach((action, count) -> sum.merge(action, count, Integer::sum));
              }
            });
    return sum;
  }

  @Override
  public Json json() {
    return new Json()
        .put("target", plan.options().target().id())
        .put("options", plan.options().canonical())
        .put("sites", counts(plan.counts()))
        .put("paravirtCalls", counts(paravirtCalls()))
        .list(
            "byTable",
            plan.countsByTable().entrySet(),
            e -> counts(e.getValue()).put("table", e.getKey()))
        .list(
            "byOperation",
            plan.countsByOperation().entrySet(),
            e -> counts(e.getValue()).put("operation", e.getKey()))
        .list(
            "reasons",
            plan.reasons().entrySet(),
            e -> new Json().put("sites", e.getValue()).put("reason", e.getKey()))
        .list(
            "untouched",
            plan.untouched(),
            u ->
                new Json()
                    .put("table", u.table())
                    .put("entries", u.entries())
                    .put("reason", u.reason()));
  }

  /** The plan with every site in it, for review. */
  public Json review() {
    return json()
        .list(
            "plan",
            plan.entries(),
            e ->
                new Json()
                    .address("address", e.address())
                    .put("length", e.length())
                    .put("table", e.table())
                    .put("operation", e.operation())
                    .put("symbol", plan.image().symbols().describe(e.address()))
                    .put("action", e.action())
                    .put("reason", e.reason())
                    .put("bytes", Text.bytes(plan.image().bytes(e.address(), e.length())))
                    .put("replacement", Text.bytes(e.replacement())))
        .list(
            "edits",
            plan.edits(),
            e ->
                new Json()
                    .put("offset", e.offset())
                    .put("before", Text.bytes(e.before()))
                    .put("after", Text.bytes(e.after()))
                    .put("purpose", e.purpose()));
  }

  private String basis() {
    return plan.options()
        .profile()
        .map(PlanReport::describe)
        .orElseGet(() -> plan.options().assumptions().toString());
  }

  private static String describe(Profile p) {
    return "a profile: %s, hypervisor %s, %s"
        .formatted(
            p.cpuModel().orElse("processor unknown"),
            p.hypervisor().orElse("unknown"),
            Text.count(p.presentCpus(), "CPU"));
  }

  /** Operations by name; the hundreds of CPU features, alone or combined, as one. */
  private Map<String, Map<Action, Integer>> grouped() {
    Map<String, Map<Action, Integer>> out = new LinkedHashMap<>();
    plan.countsByOperation()
        .forEach(
            (name, n) -> {
              String group = Operation.named(name).isPresent() ? name : general(name);
              Map<Action, Integer> sum = out.computeIfAbsent(group, k -> new LinkedHashMap<>());
              n.forEach((action, count) -> sum.merge(action, count, Integer::sum));
            });
    return out;
  }

  private static String general(String operation) {
    return operation.startsWith("feature.") ? "CPU features" : operation;
  }

  private static Json counts(Map<Action, Integer> n) {
    return new Json().put("patch", patch(n)).put("keep", keep(n)).put("refuse", refuse(n));
  }

  private static int patch(Map<Action, Integer> n) {
    return n.getOrDefault(Action.PATCH, 0);
  }

  private static int keep(Map<Action, Integer> n) {
    return n.getOrDefault(Action.KEEP, 0);
  }

  private static int refuse(Map<Action, Integer> n) {
    return n.getOrDefault(Action.REFUSE, 0);
  }
}
