package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.InitProgram;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Patched kernels at other addresses than those they are linked for, moved by the bundled machine
 * and by their own decompressor. A relocation left behind at a rewritten site would destroy it, in
 * 5.10 at each of its 7,500 calls. A few by default, all with {@code -Dhypergraft.matrix=full}.
 */
class MovedBootTest {
  private static final boolean FULL = "full".equals(System.getProperty("hypergraft.matrix"));

  /** What a panic prints of KASLR, Linux's arch/x86/kernel/setup.c. */
  private static final Pattern OFFSET = Pattern.compile("Kernel Offset: (0x[0-9a-f]+) from");

  @TempDir Path folder;

  /** A kernel, and how far it is moved. */
  record Row(String kernel, String offset) {}

  static List<Row> rows() {
    if (!FULL) {
      return List.of(new Row("6.1 cloud", "0x1000000"), new Row("5.10.223 cloud", "0x7c00000"));
    }
    List<Row> all = new ArrayList<>();
    for (String kernel : List.of("5.10.223 cloud", "5.10.262 cloud", "6.1 cloud", "6.12 cloud")) {
      for (String offset : List.of("0x200000", "0x1000000", "0x7c00000")) {
        all.add(new Row(kernel, offset));
      }
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("rows")
  void bootsWhereverItIsMoved(Row row) {
    Path out = folder.resolve("out");
    Cli patch = Cli.run("patch", Kernels.file(row.kernel()), "--target", "kvm", "-o", out);
    assertEquals(0, patch.status(), patch::all);
    Cli boot =
        Cli.run(
            "boot",
            out,
            "--hypervisor",
            "kvm",
            "--kaslr-offset",
            row.offset(),
            "--cmdline",
            "console=ttyS0 panic=-1 cryptomgr.notests");
    assertEquals(0, boot.status(), boot::all);
    assertTrue(boot.out().contains(InitProgram.MARKER), boot::all);
    assertFalse(boot.out().contains("WARNING:"), boot::all);
  }

  /** A kernel, the target that it is patched for, and its own compression. */
  record Packed(String kernel, String target, String compression) {}

  static List<Packed> packed() {
    Packed usual = new Packed("5.10.262 cloud", "kvm", "lz4");
    return FULL
        ? List.of(
            usual,
            new Packed("5.10.223 cloud", "kvm", "lz4"),
            new Packed("6.1 cloud", "native", "lz4"),
            new Packed("6.1 amd64", "native", "xz"),
            new Packed("6.1 686", "native", "xz"),
            new Packed("6.1 686-pae", "native", "xz"),
            new Packed("6.12 cloud", "native", "zstd"),
            new Packed("7.2 cloud", "native", "zstd"))
        : List.of(usual);
  }

  @ParameterizedTest
  @MethodSource("packed")
  void repackedImageUnpacksAndMovesItself(Packed row) throws Exception {
    Assumptions.assumeTrue(Qemu.installed(), "qemu-system-x86_64 is not installed");
    Path kernel = Kernels.file(row.kernel());
    Path out = folder.resolve("bzImage");
    Cli patch =
        Cli.run("patch", kernel, "--target", row.target(), "--format", "bzimage", "-o", out);
    assertEquals(0, patch.status(), patch::all);
    GuestImage image = GuestImage.read(out);
    Cli inspect = Cli.run("inspect", out, "--json");
    assertTrue(
        inspect.out().contains("\"compression\" : \"" + row.compression() + "\""), inspect::all);

    byte[] initramfs = InitProgram.initramfs(image.is64Bit());
    String console = Qemu.USUAL.boot(out, initramfs, folder);
    assertTrue(console.contains(InitProgram.MARKER), console);
    assertTrue(console.contains("reboot: Power down"), console);
    assertFalse(console.contains("WARNING:"), console);

    // With no first process the kernel panics, and says where it put itself.
    Qemu qemu = new Qemu(Qemu.USUAL.cpu(), 1, "rdinit=/none root=/dev/none");
    String panic = qemu.boot(out, initramfs, folder);
    if (image.is64Bit()) {
      Matcher offset = OFFSET.matcher(panic);
      assertTrue(offset.find(), panic);
      assertNotEquals(0, Long.decode(offset.group(1)), panic);
    } else { // these kernels stay where they are put: so does the original
      assertTrue(panic.contains("Kernel Offset: disabled"), panic);
      String original = qemu.boot(kernel, initramfs, folder);
      assertTrue(original.contains("Kernel Offset: disabled"), original);
    }
  }
}
