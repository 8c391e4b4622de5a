package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.diff.ImageDiff;
import org.hypergraft.patcher.diff.SiteChange;
import org.hypergraft.patcher.report.DiffPage;
import org.hypergraft.patcher.report.DiffReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Two images of one kernel, site by site. */
@Command(
    name = "diff",
    description = {
      "Show where two images of the same kernel have different code: counts by operation and"
          + " function, with + for sites that only B changed, - for those that only A changed, and"
          + " ~ for those that both changed differently. Exit status 4 when they differ.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  hypergraft diff /boot/vmlinuz-$(uname -r) vmlinux-kvm",
      "  hypergraft diff vmlinux-native vmlinux-kvm --operation lock. --asm",
      "  hypergraft diff vmlinux-native vmlinux-kvm --site schedule+0x1f",
      "  hypergraft diff a b --html review.html"
    })
final class DiffCommand extends DataCommand {
  @Parameters(index = "0", paramLabel = "A", description = "One image.")
  private Path first;

  @Parameters(index = "1", paramLabel = "B", description = "Another image of the same kernel.")
  private Path second;

  @Option(
      names = "--original",
      paramLabel = "FILE",
      description =
          "The image that both were made from; needed when both are patched boot images, which"
              + " have no room for the log that leads back to it.")
  private Path original;

  @Mixin private SiteFilter filter;

  @Option(
      names = "--site",
      paramLabel = "WHERE",
      split = ",",
      description =
          "Only these sites, each by an address in it or as FUNCTION+OFFSET; implies --asm.")
  private List<String> places = List.of();

  @Option(
      names = "--asm",
      description = "Each site with bytes and instructions of both images side by side.")
  private boolean assembly;

  @Option(names = "--summary", description = "Only the counts by operation.")
  private boolean summary;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Also write a page to browse and search, complete in one file.")
  private Path html;

  @Override
  ExitStatus run() throws IOException {
    GuestImage a = ImageFile.read(first);
    GuestImage b = ImageFile.read(second);
    Optional<GuestImage> source =
        original == null ? Optional.empty() : Optional.of(ImageFile.read(original));
    ImageDiff all = ImageDiff.of(a, b, source);
    ImageDiff shown = all.only(this::wanted);
    for (String place : places) {
      if (shown.changes().stream().noneMatch(c -> lies(place, c))) {
        throw CommandFailure.usage("no site at " + place + " differs among those selected");
      }
    }
    if (html != null) {
      OutputFile.write(html, new DiffPage(shown).html());
    }
    DiffReport.Detail detail =
        assembly || !places.isEmpty()
            ? DiffReport.Detail.ASSEMBLY
            : summary ? DiffReport.Detail.OPERATIONS : DiffReport.Detail.FUNCTIONS;
    print(new DiffReport(shown, detail));
    return shown.isEmpty() ? ExitStatus.OK : ExitStatus.FINDINGS;
  }

  private boolean wanted(SiteChange c) {
    return filter.admits(c.table(), c.operation(), c.function())
        && (places.isEmpty() || places.stream().anyMatch(p -> lies(p, c)));
  }

  /** Whether a change covers a place: an address, with or without 0x, or FUNCTION[+OFFSET]. */
  private static boolean lies(String place, SiteChange c) {
    if (place.matches("(0x)?[0-9a-fA-F]{7,16}")) {
      long at = Long.parseUnsignedLong(place.replaceFirst("^0x", ""), 16);
      return at - c.address() >= 0 && at - c.address() < c.length();
    }
    int plus = place.lastIndexOf("+0x");
    if (plus > 0 && place.substring(plus + 3).matches("[0-9a-fA-F]{1,8}")) {
      long in = Long.parseLong(place.substring(plus + 3), 16) - c.offset();
      return c.function().equals(place.substring(0, plus)) && in >= 0 && in < c.length();
    }
    return c.function().equals(place);
  }
}
