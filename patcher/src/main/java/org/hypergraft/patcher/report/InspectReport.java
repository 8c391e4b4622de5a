package org.hypergraft.patcher.report;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.hypergraft.annotator.image.Compression;
import org.hypergraft.annotator.image.Container;
import org.hypergraft.annotator.image.Elf;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.rewrite.HypergraftNote;

/** What {@code inspect} says about an image. */
public final class InspectReport implements Document {
  private final GuestImage image;
  private final SiteMap sites;
  private final boolean slots;

  /**
   * A report on an image and its tables.
   *
   * @param slots whether the text lists the paravirtual slots too; JSON always does
   */
  public InspectReport(SiteMap sites, boolean slots) {
    this.image = sites.image();
    this.sites = sites;
    this.slots = slots;
  }

  @Override
  public void text(PrintWriter out) {
    Elf elf = image.elf();
    field(out, "image", image.name());
    field(out, "format", format());
    field(out, "sha256", image.sha256());
    field(out, "kernel", image.banner().orElse("no Linux banner found"));
    image.buildId().ifPresent(id -> field(out, "build id", id));
    field(
        out,
        "ELF",
        "%d-bit, %s, %s, %s"
            .formatted(
                elf.bits(),
                Text.size(image.relocations().offset()),
                Text.count(
                    elf.segments().stream().filter(s -> s.loaded()).count(), "loaded segment"),
                Text.count(Math.max(0, elf.sections().size() - 1), "section")));
    field(out, "entry", entries());
    field(out, "relocations", relocations());
    field(out, "symbols", symbols());
    List<String> hypervisors = HypervisorSupport.of(image);
    field(
        out,
        "hypervisors",
        hypervisors.isEmpty() ? "none recognized" : String.join(", ", hypervisors));
    sites.pvOps().ifPresent(ops -> field(out, "pv_ops", pvOps(ops)));
    HypergraftNote.of(image).ifPresent(note -> patched(out, note));
    out.println();
    TextTable tables = new TextTable("table", ">entries", ">entry size", "address");
    for (SiteTable t : sites.tables()) {
      tables.row(t.name(), t.entries(), t.entrySize(), "0x%x".formatted(t.extent().address()));
    }
    if (tables.isEmpty()) {
      out.println("no annotation tables");
    } else {
      tables.print(out, "");
    }
    if (slots && sites.pvOps().isPresent()) {
      out.println();
      TextTable rows = new TextTable(">slot", "operation", "initial function");
      for (PvOps.Slot slot : sites.pvOps().get().slots()) {
        rows.row(slot.index(), slot.operation(), function(slot.initial()));
      }
      rows.print(out, "");
    }
  }

  @Override
  public Json json() {
    Json json =
        new Json()
            .put("image", image.name())
            .put("sha256", image.sha256())
            .put("container", image.container().label())
            .put("compression", compression(image.container()).label())
            .put("kernel", image.banner().orElse(null))
            .put("buildId", image.buildId().orElse(null))
            .put("bits", image.elf().bits())
            .put("size", image.original().length)
            .put("elfSize", image.relocations().offset())
            .address("entry", image.elf().entry());
    OptionalLong pvh = image.notes().pvhEntry();
    json.put("pvhEntry", pvh.isPresent() ? Json.hex(pvh.getAsLong()) : null);
    Json relocations = new Json().put("layout", image.relocations().layout());
    for (Relocations.Kind kind : image.relocations().layout().runs()) {
      relocations.put(Text.name(kind), image.relocations().count(kind));
    }
    json.put("relocations", relocations)
        .put("symbols", image.symbols().size())
        .put("symbolsFrom", image.symbols().origin())
        .put("hypervisors", HypervisorSupport.of(image))
        .list(
            "tables",
            sites.tables(),
            t ->
                new Json()
                    .put("name", t.name())
                    .put("entries", t.entries())
                    .put("entrySize", t.entrySize())
                    .address("address", t.extent().address()));
    Json ops = null;
    if (sites.pvOps().isPresent()) {
      ops =
          new Json()
              .address("address", sites.pvOps().get().address())
              .put("callSites", callSites())
              .put("provenCallSites", sites.provenParavirtCalls())
              .list("slots", sites.pvOps().get().slots(), this::slot);
    }
    return json.put("pvOps", ops)
        .put("patched", HypergraftNote.of(image).map(HypergraftNote::members).orElse(null));
  }

  private static void patched(PrintWriter out, HypergraftNote note) {
    field(out, "patched", "for %s by version %s".formatted(note.target(), note.toolVersion()));
    field(out, "  options", note.options());
    field(out, "  from", "the file with sha256 " + note.sourceSha256());
    List<String> counts = new ArrayList<>();
    for (Action action : Action.values()) {
      counts.add(Text.number(note.counts().getOrDefault(action, 0)) + " " + action.id());
    }
    field(out, "  sites", String.join(", ", counts));
    note.requires().forEach(r -> field(out, "  requires", r));
  }

  private Json slot(PvOps.Slot slot) {
    return new Json()
        .put("slot", slot.index())
        .put("operation", slot.operation())
        .address("address", slot.address())
        .address("initial", slot.initial())
        .put("function", function(slot.initial()));
  }

  private String function(long address) {
    return address == 0 ? "" : image.symbols().describe(address);
  }

  private String symbols() {
    int n = image.symbols().size();
    return n == 0 ? "none" : Text.number(n) + " from " + image.symbols().origin();
  }

  private int callSites() {
    if (sites.paravirt().isPresent()) {
      return sites.paravirt().get().entries();
    }
    int n = 0;
    if (sites.alternatives().isPresent()) {
      AlternativeTable t = sites.alternatives().get();
      for (int i = 0; i < t.entries(); i++) {
        n += t.directCall(i) ? 1 : 0;
      }
    }
    return n;
  }

  private String pvOps(PvOps ops) {
    long named = ops.slots().stream().filter(s -> !s.operation().startsWith("pv_ops[")).count();
    return "%s at 0x%x, %s; %s, %s proved to call through their slot"
        .formatted(
            Text.count(ops.slots().size(), "slot"),
            ops.address(),
            named == ops.slots().size() ? "all named" : Text.number(named) + " named",
            Text.count(callSites(), "call site"),
            Text.number(sites.provenParavirtCalls()));
  }

  private String format() {
    String size = Text.size(image.original().length);
    if (image.container() instanceof Container.BzImage bz) {
      int version = bz.header().version();
      return "bzImage, %s, boot protocol %d.%02d, %s payload"
          .formatted(size, version >> 8, version & 0xff, bz.compression().label());
    }
    Compression compression = compression(image.container());
    return image.container().label()
        + ", "
        + size
        + (compression == Compression.NONE ? "" : ", " + compression.label());
  }

  private static Compression compression(Container container) {
    if (container instanceof Container.BzImage bz) {
      return bz.compression();
    }
    return container instanceof Container.Compressed c ? c.compression() : Compression.NONE;
  }

  private String entries() {
    List<String> entries = new ArrayList<>();
    entries.add("0x%x".formatted(image.elf().entry()));
    image.notes().pvhEntry().ifPresent(a -> entries.add("PVH 0x%x".formatted(a)));
    return String.join(", ", entries);
  }

  private String relocations() {
    Relocations tail = image.relocations();
    if (tail.layout() == Relocations.Layout.NONE) {
      return "none";
    }
    List<String> counts = new ArrayList<>();
    for (Relocations.Kind kind : tail.layout().runs()) {
      counts.add(Text.number(tail.count(kind)) + " " + Text.name(kind));
    }
    return String.join(", ", counts);
  }

  private static void field(PrintWriter out, String name, String value) {
    out.printf("%-12s %s%n", name, value);
  }
}
