package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Sha256;
import org.hypergraft.annotator.kernels.CacheFolder;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.hypergraft.patcher.rewrite.HypergraftNote;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;

/**
 * Where the profile of a boot on the bundled machine is kept. The machine is deterministic, so the
 * image, the machine and the build of this tool decide a profile; all of them are in the file's
 * name.
 */
final class ProfileCache {
  private final Path file;

  /** The place of a machine's profile in the cache of this user. */
  ProfileCache(MachineConfig machine) {
    file = CacheFolder.path().resolve("profiles").resolve(name(machine));
  }

  private static String name(MachineConfig machine) {
    String key =
        String.join(
            "\n",
            "tool " + HypergraftNote.TOOL_VERSION,
            "build " + build(),
            "image " + machine.image().sha256(),
            "hypervisor " + machine.hypervisor(),
            "cpu " + machine.cpuVendor() + " " + machine.cpuModel(),
            "cpus " + machine.cpus(),
            "memory " + machine.memory(),
            "command line " + machine.commandLine());
    return Sha256.of(key.getBytes(StandardCharsets.UTF_8)) + ".json";
  }

  /** The profile of an earlier boot; a file that does not hold one counts as none. */
  Optional<Profile> find() {
    try {
      return Files.isRegularFile(file) ? Optional.of(ProfileJson.read(file)) : Optional.empty();
    } catch (IOException | ImageException e) {
      return Optional.empty();
    }
  }

  /**
   * Keeps the profile. Two commands may keep the same one at once: each file appears whole.
   *
   * @throws CommandFailure when the folder cannot be written
   */
  void keep(Profile profile) {
    Path folder = file.getParent();
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new CommandFailure(
          ExitStatus.FILE, "cannot make " + folder + ": " + Failures.reason(e));
    }
    OutputFile.write(file, ProfileJson.write(profile));
  }

  /**
   * What tells builds of one version apart: size and time of the archives that run. Loose class
   * files are being worked on; what they recorded is good for this process only.
   */
  private static String build() {
    StringBuilder s = new StringBuilder();
    for (Class<?> c : new Class<?>[] {GuestImage.class, Machine.class, ProfileCache.class}) {
      try {
        Path archive = Path.of(c.getProtectionDomain().getCodeSource().getLocation().toURI());
        if (Files.isRegularFile(archive)) {
          s.append(Files.size(archive))
              .append('@')
              .append(Files.getLastModifiedTime(archive).toMillis())
              .append(' ');
          continue;
        }
      } catch (IOException | URISyntaxException | RuntimeException e) {
        // As with loose classes.
      }
      s.append("process ").append(ProcessHandle.current().pid()).append('@');
      s.append(ProcessHandle.current().info().startInstant()).append(' ');
    }
    return s.toString();
  }
}
