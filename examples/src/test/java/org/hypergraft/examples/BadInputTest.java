package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What the command says to files that are no kernels, and to files that are not there. */
class BadInputTest {
  private static final long PATIENCE_MILLIS = 2_000;

  @TempDir Path folder;

  @TestFactory
  Stream<DynamicTest> damagedOrForeignInputIsRefused() throws IOException {
    Map<String, byte[]> inputs = new LinkedHashMap<>();
    inputs.put("empty", new byte[0]);
    inputs.put("one byte", new byte[1]);
    inputs.put("text", "All work and no play\n".repeat(500).getBytes(StandardCharsets.UTF_8));
    inputs.put("jpeg", jpeg());
    inputs.put("zeros", new byte[1 << 16]);
    inputs.put("aarch64 Image", aarch64Image());
    inputs.put("aarch64 ELF", elf(183, 64, 1, 120));
    inputs.put("big-endian ELF", bigEndianElf());
    inputs.put("ELF header alone", Arrays.copyOf(elf(62, 64, 1, 120), 64));
    inputs.put("ELF cut in its header", Arrays.copyOf(elf(62, 64, 1, 120), 30));
    inputs.put("ELF with wild program headers", elf(62, Long.MAX_VALUE - 8, 1, 120));
    inputs.put("ELF with wild section headers", elf(62, 64, 1, -16));
    inputs.put("ELF with a segment outside", elfSegment(1L << 40, 4096));
    inputs.put("ELF with a huge segment", elfSegment(120, Long.MAX_VALUE));
    inputs.put("bzImage cut after its header", Arrays.copyOf(bzImage(1 << 20), 0x300));
    inputs.put("bzImage with noise for a payload", bzImage(1 << 20));
    inputs.put("bzImage with a payload outside", bzImage(Integer.MAX_VALUE));
    return inputs.entrySet().stream()
        .flatMap(
            input ->
                Stream.of("inspect", "sites", "patch", "verify", "boot", "validate")
                    .map(
                        command ->
                            DynamicTest.dynamicTest(
                                command + " " + input.getKey(),
                                () -> refuses(command, input.getKey(), input.getValue()))));
  }

  private void refuses(String command, String name, byte[] content) throws IOException {
    Path in = Files.write(folder.resolve(name.replace(' ', '-')), content);
    Path out = folder.resolve("out");
    Object[] args =
        switch (command) {
          case "patch" -> new Object[] {command, in, "--target", "kvm", "-o", out};
          case "boot" -> new Object[] {command, in, "--hypervisor", "kvm"};
          case "validate" -> new Object[] {command, in, "--target", "kvm"};
          default -> new Object[] {command, in};
        };
    Cli run = Cli.run(args);
    assertEquals(3, run.status(), run.all());
    isOneSentence(run, in.getFileName().toString());
    assertEquals(List.of(in.getFileName().toString()), namesIn(folder, in, out), "left behind");
    Files.delete(in);
  }

  @Test
  void damagedPayloadOfARealKernelIsRefused() throws IOException {
    Path kernel = Kernels.file("cloud");
    byte[] content = Files.readAllBytes(kernel);
    Random random = new Random(7);
    for (int i = 0; i < 4096; i++) {
      content[content.length / 2 + random.nextInt(content.length / 4)] ^= 0x5a;
    }
    Path in = Files.write(folder.resolve("damaged"), content);
    Path out = folder.resolve("out");
    Cli run = Cli.run("patch", in, "--target", "native", "-o", out);
    assertEquals(3, run.status(), run.all());
    isOneSentence(run, "damaged");
    assertFalse(Files.exists(out));

    Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(content, content.length / 3));
    run = Cli.run("inspect", cut);
    assertEquals(3, run.status(), run.all());
    isOneSentence(run, "cut");
  }

  @Test
  void missingInputIsAFileProblem() {
    for (String command : List.of("inspect", "sites", "verify")) {
      Path in = folder.resolve("nowhere");
      Cli run = Cli.run(command, in);
      assertEquals(6, run.status(), run.all());
      isOneSentence(run, in.toString());
      assertTrue(run.err().contains("no such file"), run.err());
    }
  }

  @Test
  void folderAndUnreadableInputAreFileProblems() throws IOException {
    Cli run = Cli.run("inspect", folder);
    assertEquals(6, run.status(), run.all());
    isOneSentence(run, folder.toString());
    run = Cli.run("diff", folder.resolve("a"), folder.resolve("b"));
    assertEquals(6, run.status(), run.all());
  }

  @Test
  void endlessInputIsRefused() {
    Path zero = Path.of("/dev/zero");
    Assumptions.assumeTrue(Files.exists(zero), "no /dev/zero here");
    Cli run = Cli.run("inspect", zero);
    assertTrue(run.status() == 3 || run.status() == 6, run.all());
    isOneSentence(run, "/dev/zero");
  }

  @Test
  void misuseIsAUsageError() {
    Path in = folder.resolve("x");
    for (Object[] args :
        new Object[][] {
          {},
          {"frobnicate"},
          {"inspect"},
          {"inspect", "--no-such-option", in},
          {"patch", in},
          {"patch", in, "--target", "kvm"},
          {"patch", in, "--target", "no-such-target", "-o", in},
          {"boot", in, "--memory", "lots"},
          {"boot", in, "--cpus", "0"},
          {"boot", in, "--kaslr-offset", "12345"},
          {"diff", in},
          {"validate", in},
          {"validate", in, "--patched", in, "--seal"},
          {"validate", in, "--patched", in, "--assume", "cpus=1"},
        }) {
      Cli run = Cli.run(args);
      assertEquals(2, run.status(), Arrays.toString(args) + run.all());
      assertFalse(run.err().contains("\tat "), run.err());
      assertEquals("", run.out());
    }
  }

  private static void isOneSentence(Cli run, String name) {
    assertFalse(run.err().contains("\tat ") || run.err().contains("Exception"), run.err());
    assertEquals(1, run.err().strip().lines().count(), run.err());
    assertTrue(run.err().contains(name), "names the file: " + run.err());
    assertEquals("", run.out(), "nothing on standard output");
    assertTrue(run.cpuMillis() < PATIENCE_MILLIS, run.cpuMillis() + " ms: " + run.err());
  }

  private static List<String> namesIn(Path folder, Path in, Path out) throws IOException {
    assertFalse(Files.exists(out), "an output was written");
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(p -> p.getFileName().toString()).toList();
    }
  }

  private static byte[] jpeg() {
    byte[] content = new byte[20_000];
    new Random(1).nextBytes(content);
    byte[] start = {(byte) 0xff, (byte) 0xd8, (byte) 0xff, (byte) 0xe0, 0, 16, 'J', 'F', 'I', 'F'};
    System.arraycopy(start, 0, content, 0, start.length);
    return content;
  }

  /** The header of Documentation/arch/arm64/booting.rst, with the PE signature EFI stubs have. */
  private static byte[] aarch64Image() {
    ByteBuffer image = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0, (byte) 'M').put(1, (byte) 'Z').putInt(0x3c, 0x40);
    image.put(56, "ARM\u0064".getBytes(StandardCharsets.US_ASCII));
    image.putInt(0x40, 0x00004550).putShort(0x44, (short) 0xaa64);
    return image.array();
  }

  private static byte[] elf(int machine, long programHeaders, int count, long sectionHeaders) {
    ByteBuffer elf = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f).put(4, (byte) 2).put(5, (byte) 1).put(6, (byte) 1);
    elf.putShort(16, (short) 2).putShort(18, (short) machine).putInt(20, 1);
    elf.putLong(24, 0x1000000).putLong(32, programHeaders).putLong(40, sectionHeaders);
    elf.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) count);
    elf.putShort(58, (short) 64).putShort(60, (short) 4).putShort(62, (short) 3);
    return elf.array();
  }

  private static byte[] elfSegment(long offset, long size) {
    ByteBuffer elf = ByteBuffer.wrap(elf(62, 64, 1, 0)).order(ByteOrder.LITTLE_ENDIAN);
    elf.putShort(60, (short) 0).putShort(62, (short) 0);
    elf.putInt(64, 1).putInt(68, 5).putLong(72, offset).putLong(80, 0xffffffff81000000L);
    elf.putLong(88, 0x1000000).putLong(96, size).putLong(104, size).putLong(112, 0x200000);
    return elf.array();
  }

  private static byte[] bigEndianElf() {
    byte[] elf = elf(62, 64, 1, 120);
    elf[5] = 2;
    return elf;
  }

  /** A setup header (Documentation/arch/x86/boot.rst) before a gzip magic and noise. */
  private static byte[] bzImage(int payloadLength) {
    byte[] content = new byte[1 << 21];
    new Random(3).nextBytes(content);
    ByteBuffer image = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0x1f1, (byte) 4).putInt(0x1f4, 1 << 16).putShort(0x1fe, (short) 0xaa55);
    image.putShort(0x200, (short) 0x6aeb).putInt(0x202, 0x53726448).putShort(0x206, (short) 0x020f);
    image.put(0x211, (byte) 1).putInt(0x248, 0x100).putInt(0x24c, payloadLength);
    image.putInt(5 * 512 + 0x100, 0x00088b1f);
    return content;
  }
}
