package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.report.VerifyReport;
import org.hypergraft.patcher.verify.Verification;
import org.hypergraft.patcher.verify.Verifier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Proves an output without running it. */
@Command(
    name = "verify",
    description = {
      "Prove a patched image without running it: its changed code decodes, nothing branches into the"
          + " middle of it, relocations, unwinding data and tables agree with it, and every byte is"
          + " what its recorded options give.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  hypergraft verify vmlinux-kvm",
      "  hypergraft verify vmlinux-kvm --against /boot/vmlinuz-$(uname -r)"
    })
final class VerifyCommand extends DataCommand {
  @Parameters(index = "0", paramLabel = "IMAGE", description = "An image that 'patch' wrote.")
  private Path image;

  @Option(
      names = "--against",
      paramLabel = "ORIGINAL",
      description = "Also prove that it was made from this image.")
  private Path against;

  @Override
  ExitStatus run() throws IOException {
    GuestImage patched = ImageFile.read(image);
    Optional<GuestImage> original =
        against == null ? Optional.empty() : Optional.of(ImageFile.read(against));
    Verification verification = Verifier.verify(patched, original);
    print(new VerifyReport(image.toString(), verification));
    return verification.passed() ? ExitStatus.OK : ExitStatus.FINDINGS;
  }
}
