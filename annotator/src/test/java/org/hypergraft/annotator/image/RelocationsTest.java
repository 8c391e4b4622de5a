package org.hypergraft.annotator.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.Relocations.Entry;
import org.hypergraft.annotator.image.Relocations.Kind;
import org.hypergraft.annotator.image.Relocations.Layout;
import org.hypergraft.annotator.kernels.Kernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class RelocationsTest {
  private static final long T = TestElf.TEXT;

  static final List<String> KERNELS = Kernels.ALL;

  private static Relocations of(boolean wide, int[]... runs) {
    byte[] b = TestElf.withTail(new byte[0], runs);
    return Relocations.parse(b, 0, wide);
  }

  private static int[] at(int... offsets) {
    int[] out = new int[offsets.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (int) T + offsets[i];
    }
    return out;
  }

  @Test
  void layoutsAreToldApart() {
    assertEquals(Layout.ABS64_INVERSE32_ABS32, of(true, at(8), at(), at(4, 16)).layout());
    assertEquals(Layout.ABS64_ABS32, of(true, at(8), at(4)).layout());
    Relocations i386 = of(false, new int[] {0xc1000000, 0xc1000010});
    assertEquals(Layout.ABS32, i386.layout());
    assertArrayEquals(new long[] {0xc1000000L, 0xc1000010L}, i386.addresses(Kind.ABSOLUTE_32));
    assertThrows(ImageException.class, () -> of(false, at(1), at(2)));
  }

  @Test
  void fieldsAreFoundByAddressAndRange() {
    Relocations r = of(true, at(8, 0x40), at(0x30), at(4, 0x48));
    assertTrue(r.contains(Kind.ABSOLUTE_64, T + 8));
    assertEquals(Optional.of(new Entry(Kind.INVERSE_32, T + 0x30)), r.at(T + 0x30));
    assertEquals(Optional.empty(), r.at(T + 0x31));
    assertEquals(Optional.empty(), r.at((T + 8) & 0xffffffffL));
    assertEquals(List.of(new Entry(Kind.ABSOLUTE_64, T + 8)), r.overlapping(T + 15, T + 20));
    assertEquals(List.of(), r.overlapping(T + 16, T + 20));
    assertEquals(
        List.of(
            new Entry(Kind.ABSOLUTE_64, T + 0x40),
            new Entry(Kind.INVERSE_32, T + 0x30),
            new Entry(Kind.ABSOLUTE_32, T + 0x48)),
        r.overlapping(T + 0x33, T + 0x49));
  }

  @Test
  void entriesAreRemovedAndAddedInOrder() {
    Relocations r = of(true, at(8, 0x40), at(0x30), at(4, 0x48));
    Relocations changed =
        r.edited(
            List.of(new Entry(Kind.ABSOLUTE_32, T + 4)),
            List.of(new Entry(Kind.ABSOLUTE_64, T + 0x20), new Entry(Kind.INVERSE_32, T + 0x60)));
    assertArrayEquals(
        of(true, at(8, 0x20, 0x40), at(0x30, 0x60), at(0x48)).toBytes(), changed.toBytes());
    assertArrayEquals(
        r.toBytes(),
        changed
            .edited(
                List.of(
                    new Entry(Kind.ABSOLUTE_64, T + 0x20), new Entry(Kind.INVERSE_32, T + 0x60)),
                List.of(new Entry(Kind.ABSOLUTE_32, T + 4)))
            .toBytes());
    assertThrows(
        IllegalArgumentException.class,
        () -> r.edited(List.of(new Entry(Kind.ABSOLUTE_64, T + 4)), List.of()));
    assertThrows(
        IllegalArgumentException.class,
        () -> r.edited(List.of(), List.of(new Entry(Kind.ABSOLUTE_64, T + 8))));
    assertThrows(
        IllegalArgumentException.class,
        () -> r.edited(List.of(), List.of(new Entry(Kind.ABSOLUTE_64, 0x123456789aL))));
    Relocations noInverse = of(true, at(8), at(4));
    assertThrows(
        IllegalArgumentException.class,
        () -> noInverse.edited(List.of(), List.of(new Entry(Kind.INVERSE_32, T + 12))));
  }

  @ParameterizedTest
  @FieldSource("KERNELS")
  void realTailsSurviveReadingEditingAndWriting(String selector) {
    GuestImage image = Kernels.image(selector);
    Relocations r = image.relocations();
    assertArrayEquals(image.payload(), r.appendTo(image.payload()));
    long[] addresses = r.addresses(Kind.ABSOLUTE_32);
    List<Entry> some =
        List.of(
            new Entry(Kind.ABSOLUTE_32, addresses[0]),
            new Entry(Kind.ABSOLUTE_32, addresses[addresses.length / 2]),
            new Entry(Kind.ABSOLUTE_32, addresses[addresses.length - 1]));
    Relocations fewer = r.edited(some, List.of());
    assertEquals(image.payload().length - 12, fewer.appendTo(image.payload()).length);
    assertEquals(Optional.empty(), fewer.at(some.get(1).address()));
    assertArrayEquals(image.payload(), fewer.edited(List.of(), some).appendTo(image.payload()));
  }
}
