package org.hypergraft.annotator.image;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Random;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Damaged images of many kinds: nothing but {@link ImageException} may come out, and each answer in
 * under a second. The seed is fixed, so that a failure repeats.
 */
@Timeout(180)
class MutationTest {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final int[] INTERESTING = {0, 1, 0x7f, 0x80, 0xff};

  /** Parses and asks for everything lazy, too. */
  private static void exercise(byte[] file, String what) {
    // CPU time, so that a loaded machine does not fail the build; hangs end by the timeout.
    long start = THREADS.getCurrentThreadCpuTime();
    try {
      GuestImage image = GuestImage.parse(file, what);
      image.notes().pvhEntry();
      image.banner();
      image.btf().ifPresent(b -> b.structMembers("cpuinfo_x86"));
      SymbolTable symbols = image.symbols();
      symbols.find("pv_ops");
      symbols.covering(image.elf().entry());
      for (int i = 0; i < Math.min(300, symbols.size()); i++) {
        symbols.get(i).name();
      }
    } catch (ImageException e) {
      assertTrue(e.getMessage().length() < 500, e.getMessage());
    } catch (RuntimeException | Error e) {
      fail(what, e);
    }
    long millis = (THREADS.getCurrentThreadCpuTime() - start) / 1_000_000;
    assertTrue(millis < 1000, what + " took " + millis + " ms");
  }

  private static byte[] mutate(byte[] good, Random random, int from, int to) {
    byte[] out = good.clone();
    int changes = 1 + random.nextInt(6);
    for (int i = 0; i < changes; i++) {
      int at = from + random.nextInt(to - from);
      switch (random.nextInt(3)) {
        case 0 -> out[at] = (byte) random.nextInt();
        case 1 -> out[at] = (byte) INTERESTING[random.nextInt(INTERESTING.length)];
        default ->
            Arrays.fill(out, at, Math.min(to, at + 1 + random.nextInt(8)), (byte) random.nextInt());
      }
    }
    return random.nextInt(10) == 0 ? Arrays.copyOf(out, random.nextInt(out.length + 1)) : out;
  }

  @Test
  void smallElfsInEveryContainer() throws IOException {
    Random random = new Random(20260101);
    byte[][] seeds = new byte[2 + 2 * Compression.values().length][];
    seeds[0] = TestElf.small(true);
    seeds[1] = TestElf.small(false);
    int n = 2;
    for (Compression kind : Compression.values()) {
      byte[] elf = TestElf.withTail(seeds[0], new int[] {(int) TestElf.TEXT + 0x220}, new int[0]);
      byte[] stream = CompressionTest.compress(kind, elf);
      seeds[n++] = stream;
      seeds[n++] = TestElf.bzImage(stream, kind == Compression.GZIP ? -1 : elf.length);
    }
    for (int i = 0; i < 1500; i++) {
      byte[] seed = seeds[i % seeds.length];
      int from = i % seeds.length > 1 && i % 2 == 1 && seed.length > 0x500 ? 0x1f0 : 0;
      exercise(mutate(seed, random, from, seed.length), "small mutant " + i);
    }
  }

  @Test
  void realSetupHeaders() throws IOException {
    byte[] real = GuestImageFiles.head(Kernels.file("6.1 cloud"), 0x8000);
    Random random = new Random(20260102);
    for (int i = 0; i < 700; i++) {
      exercise(mutate(real, random, 0x1f0, 0x270), "setup mutant " + i);
    }
    byte[] elf = TestElf.small(true);
    byte[] stream = CompressionTest.compress(Compression.ZSTD, elf);
    byte[] grafted = Arrays.copyOf(real, 0x52cc + stream.length + 4);
    System.arraycopy(stream, 0, grafted, 0x52cc, stream.length);
    LittleEndian.put32(grafted, 0x52cc + stream.length, elf.length);
    LittleEndian.put32(grafted, SetupHeader.PAYLOAD_LENGTH, stream.length + 4);
    GuestImage.parse(grafted, "real setup code, small payload");
    for (int i = 0; i < 700; i++) {
      exercise(mutate(grafted, random, 0x1f0, grafted.length), "grafted mutant " + i);
    }
  }

  @Test
  void realElfHeadersAndTables() {
    // The real headers and tables of an i386 kernel; its bytes are small enough to copy often.
    byte[] real = Kernels.image("6.1 686").payload();
    Elf elf = Elf.parse(real);
    Random random = new Random(20260103);
    int table = elf.end() - 40 * elf.sections().size();
    for (int i = 0; i < 150; i++) {
      byte[] mutant =
          i % 2 == 0 ? mutate(real, random, 0, 0x94) : mutate(real, random, table, elf.end());
      exercise(mutant, "ELF mutant " + i);
    }
  }

  @Test
  void realSymbolTables() {
    byte[] real = Kernels.image("6.1 686").payload();
    byte[] digits = {
      '0', 0, '1', 0, '2', 0, '3', 0, '4', 0, '5', 0, '6', 0, '7', 0, '8', 0, '9', 0
    };
    int tokens = LittleEndian.indexOf(real, 0, real.length, digits);
    Random random = new Random(20260105);
    for (int i = 0; i < 60; i++) {
      // Names and markers, the tables' ends, or the tokens themselves.
      int from = i % 3 == 0 ? tokens - 600_000 : i % 3 == 1 ? tokens - 12_000 : tokens - 200;
      exercise(mutate(real, random, from, tokens + 2000), "kallsyms mutant " + i);
    }
  }

  /** Words that are believable symbol counts over bytes that are believable names. */
  @Test
  void tablesThatLookRealEverywhere() {
    GuestImage image = Kernels.image("6.1 686");
    byte[] payload = image.payload().clone();
    byte[] digits = {
      '0', 0, '1', 0, '2', 0, '3', 0, '4', 0, '5', 0, '6', 0, '7', 0, '8', 0, '9', 0
    };
    int tokens = LittleEndian.indexOf(payload, 0, payload.length, digits);
    Section rodata = image.section(".rodata").orElseThrow();
    for (int at = rodata.offset(); at < tokens - 1000; at += 4) {
      LittleEndian.put32(payload, at, 0x00020101);
    }
    exercise(payload, "look-alike tables");
  }

  @Test
  void realTypeInformation() {
    GuestImage image = Kernels.image("6.1 cloud");
    Section btf = image.section(".BTF").orElseThrow();
    byte[] types =
        Arrays.copyOfRange(image.payload(), btf.offset(), (int) (btf.offset() + btf.size()));
    Random random = new Random(20260104);
    for (int i = 0; i < 60; i++) {
      byte[] mutant = types.clone();
      for (int k = 0; k < 1 + i * 4; k++) {
        mutant[i % 2 == 0 ? random.nextInt(24) : random.nextInt(mutant.length)] =
            (byte) random.nextInt();
      }
      byte[] file =
          TestElf.elf64()
              .section(".text", 1, 6, new byte[64])
              .section(".BTF", 1, 2, mutant)
              .build();
      exercise(file, "BTF mutant " + i);
    }
  }
}
