package org.hypergraft.examples;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The other machine: QEMU with its translator (TCG), where it is installed. */
final class Qemu {
  private static final long LIMIT_SECONDS = 180;

  private Qemu() {}

  static boolean installed() {
    return find("qemu-system-x86_64").isPresent();
  }

  /** A program on the PATH. */
  static Optional<Path> find(String program) {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Boots a kernel to power-off, in a virtual PC with one CPU and 256 MiB.
   *
   * @param kernel an ELF with a PVH note, or a bzImage
   * @return the serial console
   */
  static String boot(Path kernel, byte[] initramfs, Path scratch)
      throws IOException, InterruptedException {
    Path initrd = Files.write(scratch.resolve("initramfs"), initramfs);
    Path console = scratch.resolve("console");
    Process qemu =
        new ProcessBuilder(
                List.of(
                    "qemu-system-x86_64",
                    "-accel",
                    "tcg,thread=single",
                    "-machine",
                    "q35",
                    "-m",
                    "256",
                    "-nodefaults",
                    "-no-reboot",
                    "-display",
                    "none",
                    "-serial",
                    "stdio",
                    "-kernel",
                    kernel.toString(),
                    "-initrd",
                    initrd.toString(),
                    "-append",
                    "console=ttyS0 panic=-1 cryptomgr.notests"))
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .redirectErrorStream(true)
            .redirectOutput(console.toFile())
            .start();
    try {
      if (!qemu.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        return text(console) + "\n(stopped after " + LIMIT_SECONDS + " s)\n";
      }
    } finally {
      qemu.destroyForcibly().waitFor();
    }
    return text(console);
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
