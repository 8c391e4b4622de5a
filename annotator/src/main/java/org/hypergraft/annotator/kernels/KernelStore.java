package org.hypergraft.annotator.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Kernels on this machine, for tests, demos and {@code --kernel} shorthands: files named {@code
 * vmlinuz-<release>} in the folder that the environment variable {@value #FOLDER_VARIABLE} names,
 * in {@code /boot}, and in a cache folder that {@link #fetch} fills.
 */
public final class KernelStore {
  public static final String FOLDER_VARIABLE = "HYPERGRAFT_KERNELS";

  private static final String PREFIX = "vmlinuz-";

  private final List<Path> folders;
  private final Path cache;

  /**
   * One kernel file.
   *
   * @param release from its file name
   * @param file readable
   */
  public record Kernel(KernelRelease release, Path file) {}

  /**
   * A store over given folders.
   *
   * @param folders searched in this order, earlier ones win between equally good matches
   * @param cache searched last, written to by {@link #fetch}
   */
  public KernelStore(List<Path> folders, Path cache) {
    this.folders = List.copyOf(folders);
    this.cache = cache;
  }

  /** The store of this machine and environment. */
  public static KernelStore standard() {
    List<Path> folders = new ArrayList<>();
    named().ifPresent(folders::add);
    folders.add(Path.of("/boot"));
    return new KernelStore(folders, CacheFolder.path().resolve("kernels"));
  }

  /** The folder the environment names, whether or not it exists. */
  public static Optional<Path> named() {
    String folder = System.getenv(FOLDER_VARIABLE);
    return folder == null || folder.isBlank() ? Optional.empty() : Optional.of(Path.of(folder));
  }

  /** Every readable kernel, folder by folder, each folder in release order. */
  public List<Kernel> list() {
    List<Kernel> out = new ArrayList<>();
    for (Path folder : folders) {
      out.addAll(inFolder(folder));
    }
    out.addAll(inFolder(cache));
    return out;
  }

  private static List<Kernel> inFolder(Path folder) {
    List<Kernel> out = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, PREFIX + "*")) {
        for (Path file : files) {
          if (Files.isRegularFile(file) && Files.isReadable(file)) {
            String release = file.getFileName().toString().substring(PREFIX.length());
            out.add(new Kernel(KernelRelease.parse(release), file));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    out.sort(Comparator.comparing(Kernel::release));
    return out;
  }

  /**
   * The best kernel for a selector such as {@code 6.1 cloud}, {@code 6.1.176 686-pae} or {@code
   * cloud}: a version prefix, flavour words, or both. The one with the fewest other flavour words
   * wins, then the newest.
   */
  public Optional<Path> find(String selector) {
    Kernel best = null;
    for (Kernel kernel : list()) {
      int distance = kernel.release().distance(selector);
      if (distance < 0) {
        continue;
      }
      int known = best == null ? Integer.MAX_VALUE : best.release().distance(selector);
      if (distance < known
          || (distance == known && kernel.release().compareTo(best.release()) > 0)) {
        best = kernel;
      }
    }
    return Optional.ofNullable(best).map(Kernel::file);
  }

  /**
   * Fetches the kernel of a Debian package into the cache.
   *
   * @param metaPackage such as {@code linux-image-cloud-amd64}
   * @return the kernel, or empty when this machine cannot: no apt-get, no network, no such package,
   *     or it took too long
   */
  public Optional<Path> fetch(String metaPackage) {
    return new DebianFetcher(cache).fetch(metaPackage);
  }

  /**
   * One file of a Debian package, fetched into the cache when it is not there yet.
   *
   * @param name of the package
   * @param path in the package, without a leading slash
   * @return the file, or empty when this machine cannot fetch it
   */
  public Optional<Path> fetchFile(String name, String path) {
    return new DebianFetcher(cache.resolveSibling("packages")).fetchFile(name, path);
  }

  /** The folder {@link #fetch} fills. */
  public Path cache() {
    return cache;
  }
}
