package org.hypergraft.annotator.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.SoftReference;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.hypergraft.annotator.image.GuestImage;
import org.junit.jupiter.api.Assumptions;

/**
 * Real kernels for tests. A test asks by selector ({@code 6.1 cloud}) and is skipped, counted and
 * reported when the machine has no such kernel. When the environment names no folder and there is
 * nothing at hand, the cloud kernel of a Debian machine is fetched once, unless {@code
 * HYPERGRAFT_FETCH=never}.
 */
public final class Kernels {
  /** The eight kernels that expected figures are known for, by selector. */
  public static final List<String> ALL =
      List.of(
          "5.10.223 cloud",
          "5.10.262 cloud",
          "6.1 cloud",
          "6.1 amd64",
          "6.1 686",
          "6.1 686-pae",
          "6.12 cloud",
          "7.2 cloud");

  private static final KernelStore STORE = KernelStore.standard();
  private static final Map<Path, SoftReference<GuestImage>> IMAGES = new ConcurrentHashMap<>();
  private static final AtomicInteger SKIPPED = new AtomicInteger();
  private static boolean fetchTried;

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (SKIPPED.get() > 0) {
                    System.err.printf(
                        "kernels: %d tests skipped for want of a kernel (set %s to a folder of"
                            + " vmlinuz-<release> files)%n",
                        SKIPPED.get(), KernelStore.FOLDER_VARIABLE);
                  }
                }));
  }

  private Kernels() {}

  /** The kernel's file; skips the calling test when there is none. */
  public static Path file(String selector) {
    Optional<Path> found = find(selector);
    if (found.isEmpty()) {
      SKIPPED.incrementAndGet();
      Assumptions.abort("no kernel \"" + selector + "\" on this machine");
    }
    return found.get();
  }

  /** The kernel read; shared between tests while memory allows. */
  public static GuestImage image(String selector) {
    Path file = file(selector);
    SoftReference<GuestImage> known = IMAGES.get(file);
    GuestImage image = known == null ? null : known.get();
    if (image == null) {
      try {
        image = GuestImage.read(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      IMAGES.put(file, new SoftReference<>(image));
    }
    return image;
  }

  /**
   * A file of a Debian package; skips the calling test where it cannot be fetched, or must not be
   * ({@code HYPERGRAFT_FETCH=never}).
   */
  public static Path packaged(String name, String path) {
    Optional<Path> file =
        "never".equals(System.getenv("HYPERGRAFT_FETCH"))
            ? Optional.empty()
            : STORE.fetchFile(name, path);
    if (file.isEmpty()) {
      SKIPPED.incrementAndGet();
      Assumptions.abort("no Debian package " + name + " on this machine");
    }
    return file.get();
  }

  /** The kernel's file, when there is one. */
  public static Optional<Path> find(String selector) {
    Optional<Path> found = STORE.find(selector);
    return found.isPresent() || !fetchOnce() ? found : STORE.find(selector);
  }

  private static synchronized boolean fetchOnce() {
    if (fetchTried
        || KernelStore.named().isPresent()
        || "never".equals(System.getenv("HYPERGRAFT_FETCH"))
        || !STORE.list().isEmpty()) {
      return false;
    }
    fetchTried = true;
    return STORE.fetch("linux-image-cloud-amd64").isPresent();
  }
}
