package org.hypergraft.vmm.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Block;
import org.hypergraft.vmm.cpu.interpret.Tier1;
import org.junit.jupiter.api.Test;

/** What is made a region of, on small programs as tier 0 has run them. */
class RegionShapeTest {
  private static final int MOST = 100;
  private static final long CODE = FlatGuest.CODE;

  /** Finds the shapes of hot blocks and compiles none. */
  private static final class Shapes implements Tier1 {
    private final List<RegionShape> found = new ArrayList<>();

    @Override
    public int threshold() {
      return 8;
    }

    @Override
    public void userspace() {}

    @Override
    public void hot(Block entry) {
      RegionShape shape = RegionFinder.shape(RegionFinder.grow(entry, threshold(), MOST), MOST);
      if (shape != null) {
        found.add(shape);
      }
    }

    @Override
    public void poll() {}

    /** The last shape that starts at an address. */
    RegionShape at(long va) {
      return found.stream()
          .filter(s -> s.blocks().get(0).va() == va)
          .reduce((a, b) -> b)
          .orElseThrow(() -> new AssertionError("no shape at %x".formatted(va)));
    }
  }

  private static Shapes run(String code, String functions) {
    Shapes shapes = new Shapes();
    try (FlatGuest g = new FlatGuest(shapes).wide()) {
      g.code(CODE, FlatGuest.bytes(code)).code(FlatGuest.FUNCTION, FlatGuest.bytes(functions));
      for (int k = 0; k < 2; k++) {
        g.ram.put64(FlatGuest.DATA + 8 * k, FlatGuest.FUNCTION + 16 * k);
      }
      g.cpu.r[Cpu.RDI] = FlatGuest.DATA;
      g.run(2_000);
    }
    return shapes;
  }

  private static Set<Long> offsets(List<RegionBlock> blocks) {
    return blocks.stream().map(b -> b.va() - CODE).collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void aSmallLoopKeepsItsRegisters() {
    RegionShape shape =
        run(
                """
                48 ff c3           # 0: inc rbx
                f6 c3 01           # test bl, 1
                74 03              # jz 0xb
                48 ff c1           # 8: inc rcx
                eb f3              # 0xb: jmp 0
                """,
                "")
            .at(CODE);
    assertTrue(shape.loops());
    assertTrue(shape.resident());
    assertEquals(Set.of(0L, 8L, 0xbL), offsets(shape.blocks()));
    assertEquals(Set.of(0L), offsets(shape.entries()));
    assertEquals(1 << Cpu.RBX | 1 << Cpu.RCX, shape.writtenRegisters());
  }

  @Test
  void aLoopThroughTierZeroDoesNot() {
    RegionShape shape =
        run(
                """
                48 ff c3           # 0: inc rbx
                9c                 # pushf
                58                 # pop rax
                f6 c3 01           # test bl, 1
                74 05              # jz 0xf
                48 ff c1           # 0xa: inc rcx
                eb 00              # jmp 0xf
                eb ef              # 0xf: jmp 0
                """,
                "")
            .at(CODE);
    assertTrue(shape.loops());
    assertFalse(shape.resident());
    // one way only leads to the middle block, two to the last and, from outside, one to the first
    assertEquals(
        Set.of(0xaL), shape.chained().stream().map(va -> va - CODE).collect(Collectors.toSet()));
    assertEquals(Set.of(0L, 0xfL), offsets(shape.entries()));
  }

  @Test
  void computedCallsAndTheirReturnsStayInside() {
    RegionShape shape =
        run(
                """
                48 ff c3           # 0: inc rbx
                89 d8              # mov eax, ebx
                83 e0 01           # and eax, 1
                ff 14 c7           # call [rdi + rax*8]
                eb f3              # 0xb: jmp 0
                """,
                """
                48 ff c1 c3  90 90 90 90 90 90 90 90 90 90 90 90   # inc rcx; ret
                48 ff c2 c3                                         # inc rdx; ret
                """)
            .at(CODE);
    assertTrue(shape.resident());
    long one = FlatGuest.FUNCTION;
    long other = FlatGuest.FUNCTION + 16;
    assertEquals(Set.of(one, other), Set.copyOf(shape.computed().get(CODE)));
    assertEquals(Set.of(CODE + 0xb), Set.copyOf(shape.computed().get(one)));
    assertEquals(Set.of(CODE + 0xb), Set.copyOf(shape.computed().get(other)));
  }
}
