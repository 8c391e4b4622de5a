package org.hypergraft.annotator.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelStoreTest {
  @TempDir Path folder;

  private KernelStore store(String... releases) throws IOException {
    Path kernels = Files.createDirectories(folder.resolve("kernels"));
    for (String release : releases) {
      Files.writeString(kernels.resolve("vmlinuz-" + release), release);
    }
    return new KernelStore(List.of(folder.resolve("missing"), kernels), folder.resolve("cache"));
  }

  private static String found(KernelStore store, String selector) {
    return store.find(selector).map(p -> p.getFileName().toString()).orElse("none");
  }

  @Test
  void fetchedKernelsAreKeptWithEverythingElse() {
    String before = System.getProperty(CacheFolder.PROPERTY);
    System.setProperty(CacheFolder.PROPERTY, folder.toString());
    try {
      assertEquals(folder.resolve("kernels"), KernelStore.standard().cache());
    } finally {
      if (before == null) {
        System.clearProperty(CacheFolder.PROPERTY);
      } else {
        System.setProperty(CacheFolder.PROPERTY, before);
      }
    }
  }

  @Test
  void selectsByVersionPrefixAndFlavour() throws IOException {
    KernelStore store =
        store(
            "5.10.223-cloud-amd64",
            "5.10.262-cloud-amd64",
            "6.1.176-686",
            "6.1.176-686-pae",
            "6.1.192-amd64",
            "6.1.0-56-cloud-amd64",
            "6.12.117+deb13-cloud-amd64");
    assertEquals("vmlinuz-6.1.192-amd64", found(store, "6.1 amd64"));
    assertEquals("vmlinuz-6.1.0-56-cloud-amd64", found(store, "6.1 cloud"));
    assertEquals("vmlinuz-6.1.176-686", found(store, "6.1 686"));
    assertEquals("vmlinuz-6.1.176-686-pae", found(store, "6.1 686-pae"));
    assertEquals("vmlinuz-5.10.262-cloud-amd64", found(store, "5.10 cloud"));
    assertEquals("vmlinuz-5.10.223-cloud-amd64", found(store, "5.10.223 cloud"));
    assertEquals("vmlinuz-6.12.117+deb13-cloud-amd64", found(store, "cloud"));
    assertEquals("none", found(store, "6.2"));
    assertEquals("none", found(store, "6.1 rt"));
  }

  @Test
  void anArchitectureIsItsPlainFlavour() throws IOException {
    KernelStore store = store("6.1.0-56-cloud-amd64", "6.1.176-686-pae");
    assertEquals("none", found(store, "6.1 amd64"));
    assertEquals("none", found(store, "6.1 686"));
    assertEquals("vmlinuz-6.1.0-56-cloud-amd64", found(store, "6.1 cloud-amd64"));
    assertEquals("vmlinuz-6.1.176-686-pae", found(store, "6.1 686-pae"));
  }

  @Test
  void earlierFolderWinsAndCacheComesLast() throws IOException {
    Path cache = Files.createDirectories(folder.resolve("cache"));
    Files.writeString(cache.resolve("vmlinuz-6.1.192-amd64"), "cached");
    KernelStore store = store("6.1.192-amd64");
    assertEquals(Optional.of(folder.resolve("kernels/vmlinuz-6.1.192-amd64")), store.find("6.1"));
    assertEquals(2, store.list().size());
  }

  @Test
  void fetchOfImpossiblePackageIsEmptyAndLeavesNothing() throws IOException {
    KernelStore store = store();
    assertTrue(store.fetch("no such package; rm -rf").isEmpty());
    assertTrue(store.fetch("linux-image-hypergraft-does-not-exist").isEmpty());
    try (var left = Files.list(store.cache())) {
      assertEquals(List.of(), left.toList());
    }
  }
}
