package org.hypergraft.patcher.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.junit.jupiter.api.Test;
import org.tukaani.xz.XZInputStream;

/**
 * The file we write against the memory of a real boot that patched itself: 6.1.192 cloud on another
 * machine, its text read when {@code alternative_instructions()} returned. The folder that
 * HYPERGRAFT_ORACLES names holds memory and profile.
 */
class OracleTest {
  private static final String NAME = "6.1.192-cloud-native-2cpu";
  private static final long TEXT = 0xffffffff81000000L;
  private static final long INIT = 0xffffffff8304e000L;

  private static Path folder() {
    String named = System.getenv("HYPERGRAFT_ORACLES");
    assumeTrue(named != null, "HYPERGRAFT_ORACLES names no folder of recorded boots");
    Path folder = Path.of(named);
    assumeTrue(Files.isDirectory(folder.resolve(NAME)), "no recorded boot " + NAME);
    return folder;
  }

  private static byte[] memory(String file) throws IOException {
    try (InputStream in =
        new XZInputStream(Files.newInputStream(folder().resolve(NAME).resolve(file)))) {
      return in.readAllBytes();
    }
  }

  @Test
  void aProfileReproducesTheTextOfTheMachineItCameFrom() throws IOException {
    Path file = folder().resolve(NAME + ".profile.json");
    Profile profile = ProfileJson.parse(Files.readAllBytes(file), NAME);
    GuestImage image = Kernels.image("6.1 cloud");
    assumeTrue(image.banner().orElse("").contains("6.1.192-2"), "another 6.1");
    Patcher.Result result =
        Patcher.patch(image, PlanOptions.of(Target.NATIVE).withProfile(profile), false);
    byte[] text = memory("text.bin.xz");
    byte[] init = memory("init.bin.xz");
    Map<String, Integer> compared = new TreeMap<>();
    StringBuilder wrong = new StringBuilder();
    Plan plan = result.plan();
    for (int i = 0; i < plan.size(); i++) {
      byte[] theirs = text;
      long at = plan.address(i) - TEXT;
      if (at < 0 || at + plan.length(i) > text.length) {
        theirs = init;
        at = plan.address(i) - INIT;
      }
      if (at < 0 || at + plan.length(i) > theirs.length) {
        continue; // .exit.text and the replacements were not recorded
      }
      compared.merge(plan.table(i), 1, Integer::sum);
      assertEquals(Action.PATCH, plan.action(i));
      for (int k = 0; k < plan.length(i); k++) {
        if (result.file()[plan.offset(i) + k] != theirs[(int) at + k]) {
          wrong.append("%x (%s) ".formatted(plan.address(i) + k, plan.table(i)));
        }
      }
    }
    assertEquals("", wrong.toString());
    assertEquals(3679, compared.get(".parainstructions"));
    assertEquals(7861, compared.get(".retpoline_sites"));
    assertTrue(compared.get(".altinstructions") > 1470, compared.toString());
    assertTrue(compared.get(".return_sites") > 48000, compared.toString());
  }
}
