package org.hypergraft.patcher.plan;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.hypergraft.annotator.abi.Operation;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.ParavirtTable;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;
import org.hypergraft.annotator.site.StaticCallTable;

/**
 * Decides every site of an image. Sites that overlap are decided together, in the order in which
 * this kernel applies its tables; replacement bodies that are sites themselves come first, as the
 * kernel patches them before it copies them.
 */
public final class Planner {
  // A site key: payload offset, then step, then first entry; sorts into processing order.
  private static final int OFFSET_SHIFT = 32;
  private static final int STAGE_SHIFT = 28;
  private static final int ENTRY_MASK = (1 << STAGE_SHIFT) - 1;

  /** {@code ud1 %esp,%ecx} behind a trampoline's branch: its signature, arch/x86 static_call.h. */
  private static final byte[] TRAMPOLINE = {0x0f, (byte) 0xb9, (byte) 0xcc};

  private final SiteMap sites;
  private final GuestImage image;
  private final PlanOptions options;
  private final Facts facts;

  /** What this kernel applies, first to last. */
  private final List<Stage> order;

  private long[] keys = new long[4096];
  private int count;

  /** Stages that are left to the guest after all, and why. */
  private final Map<Stage, String> left = new EnumMap<>(Stage.class);

  /** Sites that are not decided, the reason of the first, and sites that change. */
  private final Map<Stage, Integer> undecided = new EnumMap<>(Stage.class);

  private final Map<Stage, String> firstReason = new EnumMap<>(Stage.class);
  private final Map<Stage, Integer> changing = new EnumMap<>(Stage.class);

  private Planner(SiteMap sites, PlanOptions options) {
    this.sites = sites;
    this.options = options;
    image = sites.image();
    options.profile().ifPresent(p -> ProfileCheck.check(sites, p));
    facts =
        options
            .profile()
            .<Facts>map(
                p ->
                    new ProfileFacts(
                        sites, p, options.target(), () -> left.containsKey(Stage.RETURNS)))
            .orElseGet(() -> new TargetFacts(sites, options));
    order = PatchOrder.of(sites).stages();
  }

  /**
   * Plans an image.
   *
   * @throws ImageException when the image has no annotation tables, or the profile is of another
   *     kernel
   */
  public static Plan plan(SiteMap sites, PlanOptions options) {
    Planner p = new Planner(sites, options);
    Plan plan = p.run();
    if (p.facts instanceof TargetFacts t) {
      String broken = p.brokenLock(plan);
      if (broken != null) {
        t.undecideLocks(broken);
        plan = p.run();
      }
    } else if (p.leavePartialTables()) {
      plan = p.run();
    }
    return plan;
  }

  private Plan run() {
    count = 0;
    undecided.clear();
    firstReason.clear();
    changing.clear();
    collect();
    return decide();
  }

  /**
   * The kernel warns about a return or an indirect branch that it finds rewritten, so their tables
   * are emptied when the sites are; then every site of the table must be rewritten, or none. And
   * CPU alternatives only go with the returns.
   *
   * @return whether anything must be left that was not
   */
  private boolean leavePartialTables() {
    boolean changed = false;
    for (Stage s : List.of(Stage.RETPOLINES, Stage.RETURNS)) {
      if (undecided.containsKey(s) && !left.containsKey(s)) {
        left.put(
            s,
            "the kernel accepts all of its sites rewritten or none, and %s: %s"
                .formatted(cannot(undecided.get(s)), firstReason.get(s)));
        changed = true;
      }
    }
    return changed;
  }

  private static String cannot(int n) {
    return n == 1 ? "1 cannot be decided" : n + " cannot be decided";
  }

  /** Why the lock slots must stay as they are although the facts decide them, or null. */
  private String brokenLock(Plan plan) {
    for (int i = 0; i < plan.size(); i++) {
      if (plan.action(i) == Action.REFUSE
          && Operation.named(plan.operation(i)).filter(Operation::isQueuedLock).isPresent()) {
        return "the lock operations change together, and the site at 0x%x cannot: %s"
            .formatted(plan.address(i), plan.entry(i).reason());
      }
    }
    return null;
  }

  private void collect() {
    if (sites.paravirt().isEmpty() && sites.alternatives().isEmpty()) {
      throw new ImageException(
          image.name()
              + ": no .parainstructions and no .altinstructions; nothing tells what may be patched");
    }
    sites.paravirt().ifPresent(t -> addAll(Stage.PARAVIRT, t));
    if (facts.knowsMitigations()) {
      collect(Stage.RETPOLINES, AddressTable.Kind.RETPOLINE_SITES);
      collect(Stage.RETURNS, AddressTable.Kind.RETURN_SITES);
      collect(Stage.ENDBR, AddressTable.Kind.IBT_ENDBR_SEAL);
    }
    if (options.uniprocessor()) {
      sites.addresses(AddressTable.Kind.SMP_LOCKS).ifPresent(t -> addAll(Stage.LOCKS, t));
    }
    if (sites.alternatives().isPresent()) {
      AlternativeTable t = sites.alternatives().get();
      int step = step(Stage.ALTERNATIVES, t);
      for (int i = 0; i < t.entries(); i = t.groupEnd(i)) {
        add(step, t, i);
      }
    }
    Arrays.sort(keys, 0, count);
  }

  private void collect(Stage stage, AddressTable.Kind kind) {
    if (!left.containsKey(stage)) {
      sites.addresses(kind).ifPresent(t -> addAll(stage, t));
    }
  }

  private void addAll(Stage stage, SiteTable t) {
    int step = step(stage, t);
    for (int i = 0; i < t.entries(); i++) {
      add(step, t, i);
    }
  }

  /** Position of a table's step in the kernel's order. */
  private int step(Stage stage, SiteTable t) {
    int step = order.indexOf(stage);
    if (step < 0) {
      throw new ImageException(
          "%s: there is a table %s, but the kernel's own patching is not known to apply it"
              .formatted(image.name(), t.name()));
    }
    return step;
  }

  private void add(int step, SiteTable t, int i) {
    if (count == keys.length) {
      keys = Arrays.copyOf(keys, count * 2);
    }
    long offset = sites.code().offsetOf(t.address(i), 1);
    keys[count++] = offset << OFFSET_SHIFT | (long) step << STAGE_SHIFT | i;
  }

  private static int offset(long key) {
    return (int) (key >>> OFFSET_SHIFT);
  }

  private Stage stage(long key) {
    return order.get((int) (key >>> STAGE_SHIFT) & 15);
  }

  private static int entry(long key) {
    return (int) key & ENTRY_MASK;
  }

  private Plan decide() {
    Plan.Builder out = new Plan.Builder(image, options);
    byte[] text = image.payload();
    Nops nops = Nops.of(image, facts.nopTable());
    RuleContext c = new RuleContext(sites, facts, text, nops, new Insn());
    Optional<Section> bodies = image.section(".altinstr_replacement");
    int from = bodies.map(Section::offset).orElse(0);
    int to = bodies.map(s -> (int) (s.offset() + s.size())).orElse(0);
    int first = lowerBound((long) from << OFFSET_SHIFT);
    int last = lowerBound((long) to << OFFSET_SHIFT);
    if (first < last) {
      text = text.clone();
      c = new RuleContext(sites, facts, text, nops, new Insn());
      Clusters inner = new Clusters(c, null, text);
      inner.run(first, last);
    }
    new Clusters(c, out, null).run(0, count);
    new UntouchedTables(sites, facts, options, left).report(out);
    emptyTables(c, out);
    TableEdits.returnThunk(c).ifPresent(out::edit);
    out.requires(Requirements.of(sites, facts, options));
    return out.build();
  }

  private void emptyTables(RuleContext c, Plan.Builder out) {
    if (!facts.knowsMitigations()) {
      return;
    }
    for (Stage s : order) {
      Optional<? extends SiteTable> table = s.table(sites);
      if (table.isEmpty() || s == Stage.LOCKS || s == Stage.CALLS) {
        continue;
      }
      boolean rewritten = (s == Stage.RETPOLINES || s == Stage.RETURNS) && changing.containsKey(s);
      if (!rewritten && !options.seal()) {
        continue;
      }
      if (options.seal() && (left.containsKey(s) || undecided.containsKey(s))) {
        out.sealObstacle(
            "table %s: %s"
                .formatted(
                    table.get().name(),
                    left.containsKey(s)
                        ? left.get(s)
                        : cannot(undecided.get(s)) + ": " + firstReason.get(s)));
        continue;
      }
      try {
        out.edit(TableEdits.empty(c, s, table.get().extent()));
      } catch (Refusal e) {
        out.sealObstacle(e.getMessage());
      }
    }
  }

  private int lowerBound(long key) {
    int i = Arrays.binarySearch(keys, 0, count, key);
    return i >= 0 ? i : -i - 1;
  }

  /** Runs the rules over the sorted keys, one group of overlapping sites after the other. */
  private final class Clusters {
    private final RuleContext c;
    private final Plan.Builder out;
    private final byte[] into;
    private final SiteBuffer buffer = new SiteBuffer();
    private final ParavirtRule paravirt;
    private final AlternativeRule alternatives;
    private final BranchRules branches;
    private final byte[] payload = image.payload();

    /**
     * @param out takes the entries; null for none
     * @param into takes the patched bytes; null for none
     */
    Clusters(RuleContext c, Plan.Builder out, byte[] into) {
      this.c = c;
      this.out = out;
      this.into = into;
      paravirt = sites.pvOps().map(o -> new ParavirtRule(c, o)).orElse(null);
      alternatives =
          sites.alternatives().map(t -> new AlternativeRule(c, t, paravirt)).orElse(null);
      branches = new BranchRules(c);
    }

    void run(int from, int to) {
      for (int i = from; i < to; ) {
        int start = offset(keys[i]);
        int end = start + length(keys[i]);
        int j = i + 1;
        while (j < to && offset(keys[j]) < end) {
          end = Math.max(end, offset(keys[j]) + length(keys[j]));
          j++;
        }
        one(i, j, start, end - start);
        i = j;
      }
    }

    private int length(long key) {
      int e = entry(key);
      return switch (stage(key)) {
        case ALTERNATIVES -> {
          AlternativeTable t = sites.alternatives().orElseThrow();
          int longest = 0;
          for (int k = e; k < t.groupEnd(e); k++) {
            longest = Math.max(longest, t.length(k));
          }
          yield longest;
        }
        case PARAVIRT, RETPOLINES, RETURNS, CALLS, ENDBR, LOCKS -> table(key).length(e);
      };
    }

    private void one(int from, int to, int at, int length) {
      long address = address(keys[from]);
      boolean mayRelocate = false;
      for (int i = from; i < to; i++) {
        Stage s = stage(keys[i]);
        mayRelocate |= s == Stage.PARAVIRT || s == Stage.ALTERNATIVES;
      }
      buffer.load(address, payload, at, length, mayRelocate ? image.relocations() : null);
      Action action = Action.PATCH;
      String reason = "";
      try {
        for (Stage s : to - from == 1 ? List.of(stage(keys[from])) : order) {
          for (int i = from; i < to; i++) {
            if (stage(keys[i]) == s) {
              apply(s, entry(keys[i]));
            }
          }
        }
        if (buffer.isOpen()) {
          action = Action.KEEP;
          reason = buffer.reason();
        }
      } catch (Refusal e) {
        action = Action.REFUSE;
        reason = e.getMessage();
      }
      if (into != null && action == Action.PATCH) {
        System.arraycopy(buffer.bytes(), 0, into, at, length);
      }
      if (out != null) {
        boolean changes = action == Action.PATCH && buffer.changed();
        for (int i = from; i < to; i++) {
          Stage s = stage(keys[i]);
          if (action != Action.PATCH) {
            undecided.merge(s, 1, Integer::sum);
            firstReason.putIfAbsent(s, reason);
          } else if (changes) {
            changing.merge(s, 1, Integer::sum);
          }
        }
        out.add(buffer, at, tableName(keys[from], at), operation(keys[from]), action, reason);
        if (action == Action.PATCH) {
          TableEdits.afterPatch(c, sites, out, firstAlternative(from, to));
        }
      }
    }

    /** First entry of the alternatives among the keys, or -1. */
    private int firstAlternative(int from, int to) {
      for (int i = from; i < to; i++) {
        if (stage(keys[i]) == Stage.ALTERNATIVES) {
          return entry(keys[i]);
        }
      }
      return -1;
    }

    private void apply(Stage s, int entry) throws Refusal {
      switch (s) {
        case PARAVIRT -> {
          ParavirtTable t = sites.paravirt().orElseThrow();
          if (paravirt == null) {
            throw new Refusal("the image has no pv_ops");
          }
          paravirt.apply(buffer, t, entry);
        }
        case RETPOLINES ->
            branches.retpoline(
                buffer, sites.addresses(AddressTable.Kind.RETPOLINE_SITES).orElseThrow(), entry);
        case RETURNS ->
            branches.ret(
                buffer, sites.addresses(AddressTable.Kind.RETURN_SITES).orElseThrow(), entry);
        case ALTERNATIVES -> {
          AlternativeTable t = sites.alternatives().orElseThrow();
          alternatives.apply(buffer, entry, t.groupEnd(entry));
        }
        case CALLS -> throw new IllegalStateException("call sites are not collected");
        case ENDBR ->
            branches.endbr(
                buffer, sites.addresses(AddressTable.Kind.IBT_ENDBR_SEAL).orElseThrow(), entry);
        case LOCKS ->
            branches.lock(
                buffer, sites.addresses(AddressTable.Kind.SMP_LOCKS).orElseThrow(), entry);
      }
    }

    private SiteTable table(long key) {
      return stage(key).table(sites).orElseThrow();
    }

    /**
     * The table that has the last word on a site. A return that is the branch of a static call's
     * trampoline is written again by whatever sets the call's target, early in the boot.
     */
    private String tableName(long key, int at) {
      return stage(key) == Stage.RETURNS && isTrampoline(at)
          ? StaticCallTable.NAME
          : table(key).name();
    }

    private boolean isTrampoline(int at) {
      return at + 8 <= payload.length
          && payload[at + 5] == TRAMPOLINE[0]
          && payload[at + 6] == TRAMPOLINE[1]
          && payload[at + 7] == TRAMPOLINE[2];
    }

    private long address(long key) {
      return table(key).address(entry(key));
    }

    private String operation(long key) {
      int e = entry(key);
      if (stage(key) == Stage.ALTERNATIVES) {
        AlternativeTable t = sites.alternatives().orElseThrow();
        return sites.operation(t, e, t.groupEnd(e));
      }
      return sites.operation(table(key), e);
    }
  }
}
