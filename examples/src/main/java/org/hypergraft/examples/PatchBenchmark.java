package org.hypergraft.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;

/** How long a patch takes in a JVM that has done some: read, plan, rewrite, in memory. */
public final class PatchBenchmark {
  private static final int WARM_UP = 10;

  private PatchBenchmark() {}

  /** Arguments: an image and a number of runs. */
  public static void main(String[] args) throws IOException {
    byte[] file = Files.readAllBytes(Path.of(args[0]));
    int runs = Integer.parseInt(args[1]);
    double[] seconds = new double[runs];
    int bytes = 0;
    for (int i = -WARM_UP; i < runs; i++) {
      long started = System.nanoTime();
      GuestImage image = GuestImage.parse(file, args[0]);
      bytes = Patcher.patch(image, PlanOptions.of(Target.KVM), false).file().length;
      if (i >= 0) {
        seconds[i] = (System.nanoTime() - started) / 1e9;
      }
    }
    Arrays.sort(seconds);
    System.out.printf(
        Locale.ROOT,
        "%-34s %7.3f s wall                 (median of %d, %d bytes out)%n",
        "patch, warm, in one JVM",
        seconds[runs / 2],
        runs,
        bytes);
  }
}
