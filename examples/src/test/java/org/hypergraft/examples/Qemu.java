package org.hypergraft.examples;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The other machine: QEMU with its translator (TCG), where it is installed. A virtual PC with 256
 * MiB and nothing but a serial port.
 *
 * @param cpu its {@code -cpu}
 * @param cpus number of CPUs; with one, time goes by instructions, as in the bundled machine
 * @param options of the kernel, after those that every boot has
 */
record Qemu(String cpu, int cpus, String options) {
  /** A processor that every translator has. */
  static final Qemu USUAL = new Qemu("qemu64", 1, "");

  /**
   * The bundled machine's {@code baseline,-fsrm,-tsc_adjust,-x2apic,-tsc_deadline,-invariant_tsc},
   * which is what the translator has of it.
   */
  static final String BASELINE =
      "qemu64,-hypervisor,-sse3,-svm,+smep,+smap,+umip,+fsgsbase,+erms,+rdtscp,+pdpe1gb,+arat";

  private static final long LIMIT_SECONDS = 180;

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
   * Boots a kernel to power-off.
   *
   * @param kernel an ELF with a PVH note, or a bzImage
   * @return the serial console
   */
  String boot(Path kernel, byte[] initramfs, Path scratch)
      throws IOException, InterruptedException {
    Path initrd = Files.write(scratch.resolve("initramfs"), initramfs);
    Path console = scratch.resolve("console");
    List<String> command =
        new ArrayList<>(List.of("qemu-system-x86_64", "-accel", "tcg,thread=single"));
    if (cpus == 1) {
      command.addAll(List.of("-icount", "1,sleep=off"));
    }
    command.addAll(List.of("-machine", "q35", "-m", "256", "-cpu", cpu));
    command.addAll(List.of("-smp", Integer.toString(cpus), "-nodefaults", "-no-reboot"));
    command.addAll(List.of("-display", "none", "-serial", "stdio"));
    command.addAll(List.of("-kernel", kernel.toString(), "-initrd", initrd.toString()));
    command.addAll(List.of("-append", "console=ttyS0 panic=-1 cryptomgr.notests " + options));
    Process qemu =
        new ProcessBuilder(command)
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
