package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.patcher.cli.Main;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The small guest that the demo carries as bytes is what its source says. */
class GuestSourceTest {
  @TempDir Path folder;

  @Test
  void bytesComeFromTheSource() throws Exception {
    for (String tool : List.of("gcc", "ld", "objcopy")) {
      Assumptions.assumeTrue(Qemu.find(tool).isPresent(), tool + " is not installed");
    }
    Path built = folder.resolve("guest.elf");
    Process build =
        new ProcessBuilder("guest/build.sh", built.toString()).redirectErrorStream(true).start();
    String log = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(build.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, build.exitValue(), log);

    GuestImage fresh = GuestImage.read(built);
    GuestImage carried;
    try (InputStream in = Main.class.getResourceAsStream("guest.elf")) {
      assertNotNull(in);
      carried = GuestImage.parse(in.readAllBytes(), "guest.elf");
    }
    assertEquals(fresh.elf().entry(), carried.elf().entry());
    int compared = 0;
    for (Section s : fresh.elf().sections()) {
      if (s.allocated() && s.hasBytes()) {
        Section other = carried.section(s.name()).orElseThrow();
        assertEquals(s.address(), other.address(), s.name());
        assertArrayEquals(
            fresh.bytes(s.address(), (int) s.size()),
            carried.bytes(other.address(), (int) other.size()),
            s.name());
        compared++;
      }
    }
    assertTrue(compared >= 8, compared + " sections");
  }
}
