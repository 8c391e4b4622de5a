package org.hypergraft.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;

/** How long a sealed patch takes in a JVM that has done some: parse, plan, rewrite, in memory. */
public final class PatchBenchmark {
  private static final int WARM_UP = 10;

  private PatchBenchmark() {}

  /** Arguments: an image, a profile of it for KVM, and a number of runs. Prints seconds. */
  public static void main(String[] args) throws IOException {
    byte[] file = Files.readAllBytes(Path.of(args[0]));
    Profile profile = ProfileJson.parse(Files.readAllBytes(Path.of(args[1])), args[1]);
    PlanOptions options = PlanOptions.of(Target.KVM).withProfile(profile).withSeal(true);
    int runs = Integer.parseInt(args[2]);
    double[] seconds = new double[runs];
    for (int i = -WARM_UP; i < runs; i++) {
      long started = System.nanoTime();
      GuestImage image = GuestImage.parse(file, args[0]);
      image.hashAhead();
      int bytes = Patcher.patch(image, options, false).file().length;
      if (bytes <= file.length) {
        throw new IllegalStateException("the output lacks its note");
      }
      if (i >= 0) {
        seconds[i] = (System.nanoTime() - started) / 1e9;
      }
    }
    Arrays.sort(seconds);
    System.out.printf(Locale.ROOT, "%.3f%n", seconds[runs / 2]);
  }
}
