package org.hypergraft.examples;

import java.util.Map;
import org.hypergraft.annotator.image.GuestImage;

/** Figures that are known for particular builds, by the version in their banner. */
final class KnownKernels {
  /** Calls through pv_ops, counted by hand in the tables. */
  private static final Map<String, Integer> PARAVIRT_CALLS =
      Map.of(
          "Debian 5.10.223-1", 7505,
          "Debian 5.10.262-1", 7520,
          "Debian 6.1.192-2", 3679,
          "Debian 6.12.117-1", 4068,
          "Debian 7.2.13-1", 4168);

  private KnownKernels() {}

  /** How many calls the image has, or -1 when this build is not known. */
  static int paravirtCalls(GuestImage image) {
    String banner = image.banner().orElse("");
    if (banner.contains("-cloud-")) {
      for (Map.Entry<String, Integer> e : PARAVIRT_CALLS.entrySet()) {
        if (banner.contains(" " + e.getKey() + " ")) {
          return e.getValue();
        }
      }
    }
    return -1;
  }
}
