package org.hypergraft.patcher.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.Assumptions;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PatcherTest {
  private static final PlanOptions KVM = PlanOptions.of(Target.KVM);

  @ParameterizedTest
  @ValueSource(strings = {"5.10.262 cloud", "6.1 cloud", "6.1 686-pae", "6.12 cloud", "7.2 cloud"})
  void outputsLoadAsTheOriginalDoesAndRevertToIt(String kernel) {
    GuestImage image = Kernels.image(kernel);
    Patcher.Result result = Patcher.patch(image, KVM, false);
    GuestImage out = GuestImage.parse(result.file(), "out");
    assertEquals(image.elf().segments(), out.elf().segments());
    assertEquals(image.elf().entry(), out.elf().entry());
    assertArrayEquals(image.elf().sections().toArray(), withoutNames(image, out).toArray());
    byte[] tail = out.relocations().toBytes();
    assertArrayEquals(
        tail,
        Arrays.copyOfRange(result.file(), result.file().length - tail.length, result.file().length),
        "the relocation tail stays last");
    for (Relocations.Kind k : Relocations.Kind.values()) {
      long gone = result.plan().removedRelocations().stream().filter(e -> e.kind() == k).count();
      assertEquals(image.relocations().count(k) - gone, out.relocations().count(k));
    }
    HypergraftNote note = HypergraftNote.of(out).orElseThrow();
    assertEquals(image.sha256(), note.sourceSha256());
    assertEquals("kvm", note.target());
    assertEquals(KVM, note.planOptions());
    assertEquals(result.plan().counts().get(Action.PATCH), note.counts().get(Action.PATCH));
    assertArrayEquals(image.payload(), Patcher.original(out).payload());
  }

  /** The output's sections without the added ones; the name table has moved and grown. */
  private static List<?> withoutNames(GuestImage before, GuestImage after) {
    var list = new java.util.ArrayList<>(after.elf().sections());
    list.removeIf(s -> s.name().equals(HypergraftNote.SECTION) || s.name().equals(UndoLog.SECTION));
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i).name().equals(".shstrtab")) {
        list.set(i, before.elf().sections().get(i));
      }
    }
    return list;
  }

  @Test
  void theSameOptionsGiveTheSameBytesAgainAndAgain() {
    GuestImage image = Kernels.image("6.12 cloud");
    byte[] first = Patcher.patch(image, KVM, false).file();
    assertArrayEquals(first, Patcher.patch(image, KVM, false).file());
    GuestImage out = GuestImage.parse(first, "out");
    Patcher.Result again = Patcher.patch(out, KVM, false);
    assertTrue(again.alreadyPatched());
    assertArrayEquals(first, again.file());
  }

  @Test
  void otherOptionsNeedTheOriginal() {
    GuestImage image = Kernels.image("6.1 cloud");
    GuestImage out = GuestImage.parse(Patcher.patch(image, KVM, false).file(), "out");
    PlanOptions nativeOne = PlanOptions.of(Target.NATIVE);
    ConflictException e =
        assertThrows(ConflictException.class, () -> Patcher.patch(out, nativeOne, false));
    assertTrue(e.getMessage().contains("--from-original"), e.getMessage());
    PlanOptions fewer = KVM.withAssumptions(Assumptions.parse("cpus=1", Target.KVM));
    assertThrows(ConflictException.class, () -> Patcher.patch(out, fewer, false));
    Patcher.Result other = Patcher.patch(out, nativeOne, true);
    assertFalse(other.alreadyPatched());
    assertArrayEquals(Patcher.patch(image, nativeOne, false).file(), other.file());
  }

  @Test
  void aChangedOutputIsNotTakenForFinished() {
    GuestImage image = Kernels.image("6.1 cloud");
    Patcher.Result r = Patcher.patch(image, KVM, false);
    byte[] b = r.file().clone();
    int at = r.plan().offset(0);
    while (b[at] == image.payload()[at]) {
      at++;
    }
    b[at] ^= 1;
    GuestImage damaged = GuestImage.parse(b, "damaged");
    ConflictException e =
        assertThrows(ConflictException.class, () -> Patcher.patch(damaged, KVM, false));
    assertTrue(e.getMessage().contains("changed afterwards"), e.getMessage());
  }

  @Test
  void aDamagedUndoLogIsRefused() {
    GuestImage image = Kernels.image("6.1 686-pae");
    byte[] b = Patcher.patch(image, KVM, false).file();
    int at = GuestImage.parse(b, "out").section(UndoLog.SECTION).orElseThrow().offset();
    for (int i : new int[] {0, 5, 9, 40}) {
      byte[] copy = b.clone();
      copy[at + i] ^= 0x55;
      GuestImage damaged = GuestImage.parse(copy, "damaged");
      assertThrows(ImageException.class, () -> Patcher.original(damaged));
    }
  }

  @Test
  void imagesWithoutSectionHeadersGetThem() {
    // An image with no section headers has no tables either; the extender must still cope.
    byte[] elf = Arrays.copyOf(Kernels.image("6.1 686-pae").payload(), 0xe94140);
    ByteBuffer b = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(32, 0).putShort(48, (short) 0).putShort(50, (short) 0);
    GuestImage bare = GuestImage.parse(elf, "bare");
    byte[] out =
        new ElfExtender(bare)
            .extend(List.of(new ElfExtender.Added(".extra", 1, new byte[] {1, 2, 3})), new byte[0]);
    GuestImage read = GuestImage.parse(out, "out");
    assertEquals(3, read.section(".extra").orElseThrow().size());
    assertEquals(bare.elf().segments(), read.elf().segments());
  }
}
