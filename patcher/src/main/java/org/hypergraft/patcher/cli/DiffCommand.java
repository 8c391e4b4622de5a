package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.hypergraft.patcher.diff.ImageDiff;
import org.hypergraft.patcher.report.DiffReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Two images of one kernel, site by site. */
@Command(
    name = "diff",
    description = {
      "Show where two images of the same kernel have different code, by symbol and operation, with"
          + " the instructions of both side by side. Exit status 4 when they differ.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  hypergraft diff /boot/vmlinuz-$(uname -r) vmlinux-kvm",
      "  hypergraft diff vmlinux-native vmlinux-kvm --operation lock.",
      "  hypergraft diff a b --summary"
    })
final class DiffCommand extends DataCommand {
  @Parameters(index = "0", paramLabel = "A", description = "One image.")
  private Path first;

  @Parameters(index = "1", paramLabel = "B", description = "Another image of the same kernel.")
  private Path second;

  @Option(
      names = "--operation",
      paramLabel = "PREFIX",
      description = "Only operations that start so.")
  private String operation = "";

  @Option(
      names = "--symbol",
      paramLabel = "PREFIX",
      description = "Only sites in functions that start so.")
  private String symbol = "";

  @Option(names = "--summary", description = "Only the counts.")
  private boolean summary;

  @Override
  ExitStatus run() throws IOException {
    ImageDiff all = ImageDiff.of(ImageFile.read(first), ImageFile.read(second));
    ImageDiff shown =
        new ImageDiff(
            all.first(),
            all.second(),
            all.changes().stream()
                .filter(c -> c.operation().startsWith(operation) && c.symbol().startsWith(symbol))
                .toList(),
            all.data());
    print(new DiffReport(shown, summary));
    return shown.changes().isEmpty() && all.data().isEmpty() ? ExitStatus.OK : ExitStatus.FINDINGS;
  }
}
