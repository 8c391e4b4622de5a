package org.hypergraft.annotator.kernels;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Takes a kernel out of Debian's archive with the machine's own apt-get and dpkg-deb, installing
 * nothing. Every step has a time limit; whatever fails means "no kernel", never an exception.
 */
final class DebianFetcher {
  private static final int QUERY_SECONDS = 30;
  private static final int DOWNLOAD_SECONDS = 300;

  /** Metapackage, versioned package, and since 7.x a package with the image itself. */
  private static final int MAX_HOPS = 3;

  private static final Pattern PACKAGE = Pattern.compile("[a-z0-9][a-z0-9.+-]{1,127}");
  private static final Pattern KERNEL_DEPENDENCY =
      Pattern.compile("\\b(linux-(?:image|binary)-[a-z0-9.+-]+)");

  private final Path cache;

  DebianFetcher(Path cache) {
    this.cache = cache;
  }

  Optional<Path> fetch(String metaPackage) {
    return inWorkFolder(metaPackage, work -> fetch(metaPackage, work));
  }

  /** One file of a package, by its path there; kept in the cache. */
  Optional<Path> fetchFile(String name, String path) {
    Path target = cache.resolve(name).resolve(path).normalize();
    if (!PACKAGE.matcher(name).matches() || !target.startsWith(cache.resolve(name))) {
      return Optional.empty();
    }
    if (Files.isRegularFile(target)) {
      return Optional.of(target);
    }
    return inWorkFolder(
        name,
        work -> {
          Path file = unpacked(name, work).orElse(work).resolve(path);
          if (!Files.isRegularFile(file)) {
            return Optional.empty();
          }
          Files.createDirectories(target.getParent());
          Files.move(file, target, StandardCopyOption.REPLACE_EXISTING);
          return Optional.of(target);
        });
  }

  private interface Fetch {
    Optional<Path> in(Path work) throws IOException, InterruptedException;
  }

  private Optional<Path> inWorkFolder(String name, Fetch fetch) {
    if (!PACKAGE.matcher(name).matches()) {
      return Optional.empty();
    }
    Path work = null;
    try {
      Files.createDirectories(cache);
      work = Files.createTempDirectory(cache, "fetch");
      return fetch.in(work);
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } finally {
      delete(work);
    }
  }

  private Optional<Path> fetch(String metaPackage, Path work)
      throws IOException, InterruptedException {
    String name = metaPackage;
    for (int hop = 0; hop < MAX_HOPS; hop++) {
      Optional<String> next = kernelDependency(name, work);
      if (next.isEmpty()) {
        break;
      }
      name = next.get();
    }
    Optional<Path> tree = unpacked(name, work);
    if (tree.isEmpty()) {
      return Optional.empty();
    }
    Optional<Path> kernel =
        first(
            tree.get(),
            p -> {
              String file = p.getFileName().toString();
              return Files.isRegularFile(p)
                  && (file.startsWith("vmlinuz-") || file.equals("vmlinuz"));
            });
    if (kernel.isEmpty()) {
      return Optional.empty();
    }
    String file = kernel.get().getFileName().toString();
    if (file.equals("vmlinuz")) { // usr/lib/modules/<release>/vmlinuz
      file = "vmlinuz-" + kernel.get().getParent().getFileName();
    }
    Path target = cache.resolve(file);
    Files.move(kernel.get(), target, StandardCopyOption.REPLACE_EXISTING);
    return Optional.of(target);
  }

  /** Downloads a package into {@code work} and unpacks it there. */
  private static Optional<Path> unpacked(String name, Path work)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectory(work.resolve("deb"));
    if (!run(folder, DOWNLOAD_SECONDS, folder.resolve("log"), "apt-get", "download", name)) {
      return Optional.empty();
    }
    Optional<Path> deb = first(folder, p -> p.toString().endsWith(".deb"));
    Path tree = Files.createDirectory(work.resolve("tree"));
    if (deb.isEmpty()
        || !run(
            work,
            DOWNLOAD_SECONDS,
            work.resolve("log"),
            "dpkg-deb",
            "-x",
            deb.get().toString(),
            tree.toString())) {
      return Optional.empty();
    }
    return Optional.of(tree);
  }

  /** The kernel package that this one depends on, by the newest version apt knows. */
  private static Optional<String> kernelDependency(String name, Path work)
      throws IOException, InterruptedException {
    Path out = work.resolve("show");
    if (!run(work, QUERY_SECONDS, out, "apt-cache", "show", "--no-all-versions", name)) {
      return Optional.empty();
    }
    for (String line : Files.readAllLines(out, StandardCharsets.UTF_8)) {
      if (line.startsWith("Depends:")) {
        Matcher m = KERNEL_DEPENDENCY.matcher(line);
        if (m.find()) {
          return Optional.of(m.group(1));
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Path> first(Path root, java.util.function.Predicate<Path> wanted)
      throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(wanted).min(Comparator.naturalOrder());
    }
  }

  /**
   * Runs a command with its output in a file; false when it is missing, fails or takes too long.
   */
  private static boolean run(Path folder, int seconds, Path output, String... command)
      throws IOException, InterruptedException {
    Process process;
    try {
      process =
          new ProcessBuilder(List.of(command))
              .directory(folder.toFile())
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
    } catch (IOException e) {
      return false; // no such program
    }
    try {
      if (process.waitFor(seconds, TimeUnit.SECONDS)) {
        return process.exitValue() == 0;
      }
      return false;
    } finally {
      if (process.isAlive()) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    }
  }

  private static void delete(Path folder) {
    if (folder == null) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path p : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(p);
      }
    } catch (IOException e) {
      // Left behind in a cache folder: harmless, and the fetch itself has its result.
    }
  }
}
