package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code diff} on files of every kind that one kernel can come in. */
class DiffCommandTest {
  @TempDir Path folder;

  private Path patched(Path kernel, String target, String format) {
    Path out = folder.resolve(target + "." + format);
    Cli run = Cli.run("patch", kernel, "--target", target, "--format", format, "-o", out);
    assertEquals(0, run.status(), run.all());
    return out;
  }

  @Test
  void bootImagesAndVmlinuxGiveTheSameDifferences() throws IOException {
    Path kernel = Kernels.file("6.1 cloud");
    Path nativeBz = patched(kernel, "native", "bzimage");
    Path kvmBz = patched(kernel, "kvm", "bzimage");
    Path nativeElf = patched(kernel, "native", "vmlinux");
    Path kvmElf = patched(kernel, "kvm", "vmlinux");

    Cli alone = Cli.run("diff", nativeBz, kvmBz);
    assertEquals(3, alone.status(), alone.all());
    assertTrue(alone.err().contains("--original"), alone.err());

    Cli boot = Cli.run("diff", nativeBz, kvmBz, "--original", kernel, "--json");
    Cli elf = Cli.run("diff", nativeElf, kvmElf, "--json");
    assertEquals(4, boot.status(), boot.err());
    assertEquals(4, elf.status(), elf.err());
    Map<String, Object> a = JSON.std.mapFrom(boot.out());
    Map<String, Object> b = JSON.std.mapFrom(elf.out());
    assertTrue((int) a.get("count") > 200, a.get("count").toString());
    for (String same : List.of("kernel", "byOperation", "byFunction", "data", "changes")) {
      assertEquals(b.get(same), a.get(same), same);
    }
    assertEquals(elf.out(), Cli.run("diff", nativeElf, kvmElf, "--json").out());

    Cli nothing = Cli.run("diff", nativeBz, nativeElf);
    assertEquals(0, nothing.status(), nothing.all());
  }

  @Test
  void assemblyAndPageShowTheSelectedSites() throws IOException {
    Path kernel = Kernels.file("6.1 686-pae");
    Path out = patched(kernel, "native", "vmlinux");
    Path page = folder.resolve("review.html");
    Cli all = Cli.run("diff", kernel, out, "--html", page);
    assertEquals(4, all.status(), all.all());
    assertTrue(Files.readString(page).contains("cpu.io_delay"));

    Map<String, Object> json = JSON.std.mapFrom(Cli.run("diff", kernel, out, "--json").out());
    Map<?, ?> site = (Map<?, ?>) ((List<?>) json.get("changes")).get(0);
    assertFalse(all.out().contains((String) site.get("before")), "assembly only on demand");
    for (Object where : List.of(site.get("address"), site.get("symbol"))) {
      Cli one = Cli.run("diff", kernel, out, "--site", (String) where);
      assertEquals(4, one.status(), one.all());
      assertTrue(one.out().contains((String) site.get("before")), one.out());
      assertTrue(one.out().contains("1 site with different code"), one.out());
    }
    Cli none = Cli.run("diff", kernel, out, "--site", "0x1");
    assertEquals(2, none.status(), none.all());
    Cli folderInTheWay = Cli.run("diff", kernel, out, "--html", folder);
    assertEquals(6, folderInTheWay.status(), folderInTheWay.all());
  }

  @Test
  void differentKernelsAreRefusedInOneSentence() {
    Cli run = Cli.run("diff", Kernels.file("6.1 686"), Kernels.file("6.1 686-pae"));
    assertEquals(3, run.status(), run.all());
    assertTrue(run.err().contains("not images of the same kernel"), run.err());
    assertEquals(1, run.err().strip().lines().count(), run.err());
  }
}
