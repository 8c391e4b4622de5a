package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.report.Document;
import org.hypergraft.patcher.report.Json;
import org.hypergraft.patcher.report.ValidationReport;
import org.hypergraft.patcher.rewrite.HypergraftNote;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.patcher.validate.Validation;
import org.hypergraft.patcher.validate.Validator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Patches, verifies, boots and compares. */
@Command(
    name = "validate",
    description = {
      "Patch an image, verify the result, boot the original and the patched image, and compare: the"
          + " bytes with what the kernel wrote there itself, the consoles, and the cost.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  hypergraft validate /boot/vmlinuz-$(uname -r) --target kvm",
      "  hypergraft validate vmlinuz --target native --target kvm --cpus 4",
      "  hypergraft validate vmlinuz --patched vmlinux-kvm"
    })
final class ValidateCommand extends DataCommand {
  @Parameters(index = "0", paramLabel = "IMAGE", description = "The original image.")
  private Path image;

  @Option(
      names = "--target",
      paramLabel = "TARGET",
      converter = TargetConverter.class,
      completionCandidates = TargetConverter.Names.class,
      description = "What to commit the image to: ${COMPLETION-CANDIDATES}. May be repeated.")
  private List<Target> targets = List.of();

  @Option(
      names = "--patched",
      paramLabel = "OUT",
      description = "Examine this output, made earlier from IMAGE, instead of patching.")
  private Path patched;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description = {
        "Processors that the firmware lists while the kernel patches itself (default: what the plan"
            + " assumes). Without --assume, the plan assumes this many."
      })
  private Integer cpus;

  @Mixin private TargetOptions options;
  @Mixin private MachineOptions machine;
  @Spec private CommandSpec spec;

  @Override
  ExitStatus run() throws IOException {
    if (targets.isEmpty() == (patched == null)) {
      throw new ParameterException(
          spec.commandLine(), "name a --target, or an output of earlier with --patched");
    }
    if (patched != null) {
      options.checkNothingPlanned();
    }
    machine.check(cpus == null ? 1 : cpus, 0);
    List<PlanOptions> wanted = new ArrayList<>();
    for (Target target : targets) {
      wanted.add(options.plan(target, cpus));
    }
    GuestImage original = ImageFile.read(image);
    List<Validation> results = new ArrayList<>();
    if (patched != null) {
      GuestImage output = ImageFile.read(patched);
      HypergraftNote note =
          HypergraftNote.of(output)
              .orElseThrow(
                  () ->
                      new CommandFailure(
                          ExitStatus.INPUT,
                          patched + ": no note of this tool; this image was not patched"));
      Plan plan = Patcher.plan(Patcher.original(original), note.planOptions());
      results.add(validate(plan, output));
    }
    for (PlanOptions plan : wanted) {
      terminal().progress().show("patching for " + plan.target().id());
      Patcher.Result result = Patcher.patch(original, plan, false);
      GuestImage output = GuestImage.parse(result.file(), image + " (patched)");
      results.add(validate(result.plan(), output));
    }
    print(results.size() == 1 ? new ValidationReport(results.get(0)) : new Several(results));
    if (results.stream().anyMatch(Validation::guestFailed)) {
      return ExitStatus.GUEST;
    }
    return results.stream().allMatch(Validation::passed) ? ExitStatus.OK : ExitStatus.FINDINGS;
  }

  private Validation validate(Plan plan, GuestImage output) throws IOException {
    String hypervisor = Machines.hypervisorOf(plan.options().target());
    int listed = cpus != null ? cpus : plan.options().assumptions().cpus().orElse(1);
    Validator validator =
        new Validator(
            guest -> machine.machine(guest, hypervisor, options.vendor()),
            hypervisor,
            Math.min(listed, Machines.MAX_CPUS),
            terminal().progress()::show);
    return validator.validate(plan, output);
  }

  /** Several reports, one after the other. */
  private record Several(List<Validation> results) implements Document {
    @Override
    public void text(PrintWriter out) {
      for (int i = 0; i < results.size(); i++) {
        if (i > 0) {
          out.println();
          out.println("-".repeat(78));
          out.println();
        }
        new ValidationReport(results.get(i)).text(out);
      }
    }

    @Override
    public Json json() {
      return new Json()
          .put("passed", results.stream().allMatch(Validation::passed))
          .list("validations", results, v -> new ValidationReport(v).json());
    }
  }
}
