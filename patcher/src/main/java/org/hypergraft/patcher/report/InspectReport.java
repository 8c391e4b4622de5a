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

/** What {@code inspect} says about an image. */
public final class InspectReport implements Document {
  private final GuestImage image;

  private InspectReport(GuestImage image) {
    this.image = image;
  }

  public static InspectReport of(GuestImage image) {
    return new InspectReport(image);
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
    return json.put("relocations", relocations);
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
