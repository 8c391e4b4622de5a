package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.site.Site;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SiteTable;
import org.hypergraft.patcher.report.SitesReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** The places that the image's tables annotate. */
@Command(
    name = "sites",
    description = "List every patchable site: address, length, table, operation, symbol, bytes.",
    footer = {
      "",
      "Examples:",
      "  hypergraft sites vmlinuz --table .parainstructions",
      "  hypergraft sites vmlinuz --operation irq. --symbol schedule",
      "  hypergraft sites vmlinuz --json | jq '.sites[] | select(.operation == \"mmu.write_cr3\")'"
    })
final class SitesCommand extends DataCommand {
  @Parameters(index = "0", paramLabel = "IMAGE", description = "bzImage, vmlinux or other kernel.")
  private Path image;

  @Mixin private SiteFilter filter;

  @Override
  ExitStatus run() throws IOException {
    GuestImage guest = ImageFile.read(image);
    SiteMap map = SiteMap.of(guest);
    List<String> present = map.tables().stream().map(SiteTable::name).toList();
    for (String name : filter.tables()) {
      if (!present.contains(name)) {
        throw CommandFailure.usage(
            "%s has no table %s; it has %s"
                .formatted(image, name, present.isEmpty() ? "none" : String.join(", ", present)));
      }
    }
    List<Site> chosen = new ArrayList<>();
    map.forEach(
        site -> {
          if (filter.admits(site.table(), site.operation(), site.symbol())) {
            chosen.add(site);
          }
        });
    print(new SitesReport(chosen));
    return ExitStatus.OK;
  }
}
