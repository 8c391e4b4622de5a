package org.hypergraft.annotator.kernels;

import java.nio.file.Path;

/** Where what can be made or fetched again is kept: the folder that the launcher uses too. */
public final class CacheFolder {
  /** Overrides the environment, for programs that run commands within their own process. */
  public static final String PROPERTY = "hypergraft.cache";

  private CacheFolder() {}

  /** The folder, whether or not it exists. */
  public static Path path() {
    String chosen = System.getProperty(PROPERTY, System.getenv("HYPERGRAFT_CACHE"));
    if (chosen != null && !chosen.isBlank()) {
      return Path.of(chosen);
    }
    String base = System.getenv("XDG_CACHE_HOME");
    return base != null && Path.of(base).isAbsolute()
        ? Path.of(base, "hypergraft")
        : Path.of(System.getProperty("user.home"), ".cache", "hypergraft");
  }
}
