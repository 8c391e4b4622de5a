package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.hypergraft.annotator.image.Container;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageWriter;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.report.PatchReport;
import org.hypergraft.patcher.report.PlanReport;
import org.hypergraft.patcher.rewrite.Patcher;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Rewrites an image's sites. */
@Command(
    name = "patch",
    description = {
      "Rewrite the sites of an image for a target, as the kernel itself would patch them there at"
          + " boot. What the target and its assumptions do not decide stays as it is.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  hypergraft patch /boot/vmlinuz-$(uname -r) --target kvm -o vmlinux-kvm",
      "  hypergraft patch vmlinuz --target kvm --assume features=none -o out",
      "  hypergraft patch vmlinuz --target kvm --cpu skylake --cpus 4 --seal -o out",
      "  hypergraft patch vmlinuz --target native --profile boot.json -o out",
      "  hypergraft patch vmlinuz --target kvm --format bzimage -o vmlinuz-kvm",
      "  hypergraft patch vmlinuz --target kvm --dry-run --plan plan.json"
    })
final class PatchCommand extends DataCommand {
  @Parameters(index = "0", paramLabel = "IMAGE", description = "bzImage, vmlinux or other kernel.")
  private Path image;

  @Option(
      names = "--target",
      required = true,
      paramLabel = "TARGET",
      converter = TargetConverter.class,
      completionCandidates = TargetConverter.Names.class,
      description = "What to commit the image to: ${COMPLETION-CANDIDATES}.")
  private Target target;

  @Mixin private TargetOptions options;
  @Mixin private LearnOptions boot;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "OUT",
      description = "Where the patched vmlinux goes.")
  private Path output;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "vmlinux",
      description = {
        "vmlinux (default), or bzimage: the payload goes back into the boot image it came in."
      })
  private OutputFormat format;

  @Option(names = "--dry-run", description = "Plan and rewrite, but write no output.")
  private boolean dryRun;

  @Option(
      names = "--plan",
      paramLabel = "FILE",
      description = "Also write the plan, site by site, as JSON.")
  private Path planFile;

  @Option(
      names = "--from-original",
      description = "For an image patched with other options: start from what it was made from.")
  private boolean fromOriginal;

  @Spec private CommandSpec spec;

  @Override
  ExitStatus run() throws IOException {
    if (output == null && !dryRun) {
      throw new ParameterException(
          spec.commandLine(), "where does the output go? name it with -o, or ask for --dry-run");
    }
    boolean learns = boot.wanted();
    if (learns) {
      options.checkNothingAssumed();
      boot.check(target, options.vendor());
    }
    PlanOptions given = learns ? null : options.plan(target);
    GuestImage guest = ImageFile.read(image);
    guest.hashAhead(); // a quarter of the work, and needed last
    PlanOptions plan = learns ? learned(guest) : given;
    boolean boots = format == OutputFormat.BZIMAGE;
    if (boots) {
      checkContainer(guest);
    }
    // The undo log does not compress: in a bzImage, whose room is fixed, it would not fit.
    Patcher.Result result = Patcher.patch(guest, plan, fromOriginal, !boots);
    byte[] file = boots ? repacked(guest, result.file()) : result.file();
    if (output != null && !dryRun) {
      OutputFile.write(output, file);
    }
    if (planFile != null) {
      OutputFile.write(planFile, new PlanReport(result.plan()).review() + "\n");
    }
    print(
        new PatchReport(result, image.toString(), dryRun ? null : output.toString(), file.length));
    return ExitStatus.OK;
  }

  private PlanOptions learned(GuestImage guest) {
    GuestImage original = Patcher.original(guest);
    return options.following(boot.learn(original, target, options.vendor(), terminal()), target);
  }

  private void checkContainer(GuestImage guest) {
    if (!(guest.container() instanceof Container.BzImage)) {
      throw CommandFailure.usage(
          "--format bzimage: %s is no bzImage but a %s; there is nothing to put the kernel back into"
              .formatted(image, guest.container().label()));
    }
  }

  private byte[] repacked(GuestImage guest, byte[] payload) {
    ImageWriter.Result written = ImageWriter.rebuild(guest, payload);
    terminal()
        .note("hypergraft patch: the undo log was left out; verify the output with --against");
    written.notes().forEach(note -> terminal().note("hypergraft patch: " + note));
    return written.file();
  }
}
