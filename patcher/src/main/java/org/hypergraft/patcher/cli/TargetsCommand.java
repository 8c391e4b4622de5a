package org.hypergraft.patcher.cli;

import org.hypergraft.patcher.report.TargetsReport;
import picocli.CommandLine.Command;

/** What can be selected. */
@Command(
    name = "targets",
    description = "Show the targets, what is assumed of each by default, and what may be.",
    footer = {
      "",
      "Examples:",
      "  hypergraft targets",
      "  hypergraft patch vmlinuz --target kvm --assume features=steal-time,cpus=1 -o out"
    })
final class TargetsCommand extends DataCommand {
  @Override
  ExitStatus run() {
    print(new TargetsReport());
    return ExitStatus.OK;
  }
}
