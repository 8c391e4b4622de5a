package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.report.InspectReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What an image is. */
@Command(
    name = "inspect",
    description = "Show what an image is, its tables, and the hypervisors it can meet.",
    footer = {
      "",
      "Examples:",
      "  hypergraft inspect /boot/vmlinuz-$(uname -r)",
      "  hypergraft inspect --json vmlinuz | jq .tables"
    })
final class InspectCommand extends DataCommand {
  @Parameters(index = "0", paramLabel = "IMAGE", description = "bzImage, vmlinux or other kernel.")
  private Path image;

  @Option(
      names = "--extract",
      paramLabel = "FILE",
      description = "Also write the kernel's ELF, without its relocation tail, to FILE.")
  private Path extract;

  @Option(names = "--slots", description = "Also list the slots of pv_ops (JSON always has them).")
  private boolean slots;

  @Override
  ExitStatus run() throws IOException {
    GuestImage guest = ImageFile.read(image);
    InspectReport report = new InspectReport(SiteMap.of(guest), slots);
    if (extract != null) {
      OutputFile.write(extract, Arrays.copyOf(guest.payload(), guest.relocations().offset()));
    }
    print(report);
    return ExitStatus.OK;
  }
}
