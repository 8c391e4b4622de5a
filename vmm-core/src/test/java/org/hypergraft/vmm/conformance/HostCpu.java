package org.hypergraft.vmm.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The processor of the machine that runs the tests, as an oracle. */
final class HostCpu implements AutoCloseable {
  private static final long TIMEOUT_SECONDS = 120;

  private final Path directory;
  private final Path program;
  private final Set<String> features;

  private HostCpu(Path directory, Path program, Set<String> features) {
    this.directory = directory;
    this.program = program;
    this.features = features;
  }

  /** The host's processor, or null where it cannot serve (another architecture or system). */
  static HostCpu open() throws IOException {
    Path cpuinfo = Path.of("/proc/cpuinfo");
    if (!System.getProperty("os.arch").equals("amd64") || !Files.isReadable(cpuinfo)) {
      return null;
    }
    Set<String> features = new HashSet<>();
    for (String line : Files.readAllLines(cpuinfo)) {
      if (line.startsWith("flags")) {
        features.addAll(List.of(line.substring(line.indexOf(':') + 1).trim().split(" ")));
        break;
      }
    }
    if (!features.contains("xsave")) {
      return null;
    }
    Path directory = Files.createTempDirectory("conformance");
    Path program = directory.resolve("host");
    Files.write(program, HostProgram.elf(features.contains("avx")));
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    HostCpu host = new HostCpu(directory, program, features);
    try {
      host.run(List.of(new MachineState()));
    } catch (IOException e) {
      host.close();
      return null; // such as a file system that forbids execution
    }
    return host;
  }

  /** Whether a flag stands in the host's /proc/cpuinfo. */
  boolean has(String feature) {
    return features.contains(feature);
  }

  /** The states after running each input on the real processor. */
  List<MachineState> run(List<MachineState> inputs) throws IOException {
    Path in = directory.resolve("in");
    Path out = directory.resolve("out");
    try (OutputStream s = Files.newOutputStream(in)) {
      for (MachineState state : inputs) {
        s.write(state.bytes);
      }
    }
    Process process =
        new ProcessBuilder(program.toString())
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("the host program did not finish; done: " + done(out));
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    List<MachineState> results = new ArrayList<>();
    try (InputStream s = Files.newInputStream(out)) {
      for (MachineState input : inputs) {
        MachineState r = new MachineState();
        if (s.readNBytes(r.bytes, 0, MachineState.SIZE) != MachineState.SIZE) {
          throw new IOException(
              "the host program ended with status "
                  + process.exitValue()
                  + " in case "
                  + results.size()
                  + ": "
                  + TestCase.hex(input.code()));
        }
        results.add(r);
      }
    }
    return results;
  }

  private static long done(Path out) throws IOException {
    return Files.size(out) / MachineState.SIZE;
  }

  @Override
  public void close() throws IOException {
    for (String name : new String[] {"in", "out", "host"}) {
      Files.deleteIfExists(directory.resolve(name));
    }
    Files.deleteIfExists(directory);
  }
}
