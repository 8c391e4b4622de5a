package org.hypergraft.annotator.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.image.Relocations.Kind;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * The readers on real kernels. Figures are known for certain builds, by build id; other versions
 * are checked for structure only.
 */
class RealKernelsTest {
  static final List<String> KERNELS = Kernels.ALL;

  /** Figures of one build; symbol counts agree with nm on the unstripped kernel. */
  private record Figures(
      Compression compression,
      int payload,
      int sections,
      int absolute64,
      int inverse32,
      int absolute32,
      int symbols,
      String layout,
      int pvSlots,
      int capability,
      long pvhEntry) {}

  private static final Map<String, Figures> KNOWN = new HashMap<>();

  static {
    KNOWN.put(
        "e0c94673e97d58a386e99a20572aa7d597d5aa5c", // 5.10.223-1 cloud
        new Figures(
            Compression.LZ4,
            0x2cb8b34,
            40,
            115895,
            4497,
            67986,
            96995,
            "offsets first, absolute per-CPU",
            85,
            32,
            0x10005f0));
    KNOWN.put(
        "256b7d531349c3a14d7071d6679c1bde961fcd09", // 5.10.262-1 cloud
        new Figures(
            Compression.LZ4,
            0x2cb96b4,
            40,
            116251,
            4508,
            68355,
            97254,
            "offsets first, absolute per-CPU",
            85,
            32,
            0x10005f0));
    KNOWN.put(
        "3b43fad5034874490492495d552c0af6a5fab235", // 6.1.192-2 cloud
        new Figures(
            Compression.LZ4,
            0x32c6e34,
            39,
            123692,
            8457,
            70777,
            87347,
            "offsets first, absolute per-CPU, seqs_of_names",
            84,
            40,
            0x1000850));
    KNOWN.put(
        "eb4fbcd037e7253717950bf2b93bd5566f47c56f", // 6.1.192-2 amd64
        new Figures(
            Compression.XZ,
            0x3eda7b4,
            39,
            137699,
            8385,
            76906,
            94266,
            "offsets first, absolute per-CPU, seqs_of_names",
            84,
            40,
            0x1000850));
    KNOWN.put(
        "e53bebc4fd9b0992c212d7b0f7f84237a970890d", // 6.1.176-1 686
        new Figures(
            Compression.XZ,
            0xf80fc0,
            30,
            0,
            0,
            276083,
            45166,
            "offsets first, base relative, seqs_of_names",
            0,
            0,
            0));
    KNOWN.put(
        "624a8b769bdfaa206b2026637863dde5ad75d430", // 6.1.176-1 686-pae
        new Figures(
            Compression.XZ,
            0xfa4ea4,
            30,
            0,
            0,
            279084,
            45515,
            "offsets first, base relative, seqs_of_names",
            0,
            0,
            0x10002e0));
    KNOWN.put(
        "3bde3ce03156c39bec3310fbdd6bd14bfbefb62e", // 6.12.117-1 cloud
        new Figures(
            Compression.ZSTD,
            0x36e86b8,
            45,
            146131,
            13036,
            77970,
            157881,
            "offsets last, absolute per-CPU",
            83,
            48,
            0x1000b20));
    KNOWN.put(
        "8a55a05d35a15fe072cfd7e22593672daae112af", // 7.2.13-1 cloud
        new Figures(
            Compression.ZSTD,
            0x3b378c4,
            46,
            207485,
            0,
            110646,
            186798,
            "offsets last, self relative",
            73,
            48,
            0x39a5140));
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void figuresOfKnownBuilds(String selector) {
    GuestImage image = Kernels.image(selector);
    Figures f = KNOWN.get(image.buildId().orElseThrow());
    if (f == null) {
      return; // another version: the structural test below still holds
    }
    Container.BzImage container = (Container.BzImage) image.container();
    assertEquals(f.compression, container.compression());
    assertEquals(f.payload, image.payload().length);
    assertEquals(f.sections, image.elf().sections().size());
    assertEquals(f.absolute64, image.relocations().count(Kind.ABSOLUTE_64));
    assertEquals(f.inverse32, image.relocations().count(Kind.INVERSE_32));
    assertEquals(f.absolute32, image.relocations().count(Kind.ABSOLUTE_32));
    assertEquals(f.symbols, image.symbols().size());
    assertTrue(image.symbols().origin().contains(f.layout), image.symbols().origin());
    assertEquals(f.pvhEntry, image.notes().pvhEntry().orElse(0));
    if (f.pvSlots == 0) {
      assertTrue(image.btf().isEmpty());
      return;
    }
    Btf btf = image.btf().orElseThrow();
    assertEquals(f.pvSlots, slots(btf));
    assertEquals(f.capability, btf.member("cpuinfo_x86", "x86_capability").orElseThrow().offset());
  }

  private static int slots(Btf btf) {
    return btf.structMembers("paravirt_patch_template").orElseThrow().size();
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void structureHolds(String selector) {
    GuestImage image = Kernels.image(selector);
    assertTrue(image.banner().orElseThrow().startsWith("Linux version "));
    assertEquals(40, image.buildId().orElseThrow().length());
    assertEquals(64, image.sha256().length());
    Container.BzImage container = (Container.BzImage) image.container();
    String release = container.header().kernelVersion().split(" ", 2)[0];
    assertTrue(image.banner().get().contains(release), release);

    Section text = image.section(".text").orElseThrow();
    assertEquals(text.offset(), image.offsetOf(text.address()));
    assertEquals(text.address(), image.addressOf(text.offset()));
    assertEquals(
        image.payload().length,
        image.relocations().offset() + image.relocations().toBytes().length);

    SymbolTable symbols = image.symbols();
    assertEquals(text.address(), symbols.addressOf("_stext"));
    for (String name : new String[] {"start_kernel", "alternative_instructions", "do_exit"}) {
      Symbol symbol = symbols.find(name).orElseThrow();
      assertTrue(symbol.isText(), symbol.toString());
      assertEquals(
          name, symbols.covering(symbol.address() + symbol.size() - 1).orElseThrow().name());
    }
    long previous = 0;
    for (int i = 0; i < symbols.size(); i += 997) {
      Symbol symbol = symbols.get(i);
      assertFalse(symbol.name().isEmpty());
      assertTrue(Long.compareUnsigned(previous, symbol.address()) <= 0);
      assertTrue(symbols.findAll(symbol.name()).contains(symbol), symbol.toString());
      previous = symbol.address();
    }
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void paravirtSlotsHaveNames(String selector) {
    GuestImage image = Kernels.image(selector);
    if (image.btf().isEmpty()) {
      return;
    }
    List<Btf.Member> slots =
        image.btf().get().structMembers("paravirt_patch_template").orElseThrow();
    assertTrue(slots.stream().anyMatch(m -> m.name().equals("irq.save_fl.func")));
    assertTrue(slots.stream().anyMatch(m -> m.name().equals("mmu.write_cr3")));
    for (Btf.Member slot : slots) {
      assertEquals(0, slot.bitSize());
      assertEquals(0, slot.offset() % 4);
      assertTrue(slot.offset() + slot.size() <= 0x400, slot.toString());
    }
    boolean lockInside = slots.stream().anyMatch(m -> m.name().equals("lock.kick"));
    assertTrue(lockInside || image.symbols().contains("pv_ops_lock"));
    long end = image.btf().get().structSize("paravirt_patch_template").orElseThrow();
    Btf.Member last = slots.get(slots.size() - 1);
    assertEquals(end, last.offset() + last.size());
  }
}
