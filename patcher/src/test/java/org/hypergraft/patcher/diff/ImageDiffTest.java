package org.hypergraft.patcher.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.site.SyntheticKernel;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.junit.jupiter.api.Test;

class ImageDiffTest {
  private static GuestImage patched(String kernel, Target target) {
    return GuestImage.parse(
        Patcher.patch(Kernels.image(kernel), PlanOptions.of(target), false).file(), target.id());
  }

  /** As it is inside a patched boot image: without the log that leads back. */
  private static GuestImage withoutUndo(String kernel, Target target) {
    GuestImage image = Kernels.image(kernel);
    return GuestImage.parse(
        Patcher.patch(image, PlanOptions.of(target), false, false).file(), target.id());
  }

  private static Set<String> operations(ImageDiff d) {
    return d.byOperation().stream().map(ChangeCounts::operation).collect(Collectors.toSet());
  }

  @Test
  void originalAgainstPatchedAddsEverySite() {
    ImageDiff d = ImageDiff.of(Kernels.image("6.12 cloud"), patched("6.12 cloud", Target.NATIVE));
    assertTrue(d.changes().stream().allMatch(c -> c.kind() == SiteChange.Kind.ADDED));
    assertEquals(
        List.of(new ChangeCounts(".altinstructions", "cpu.io_delay", "", 133, 0, 0)),
        d.byOperation().stream().filter(c -> c.operation().equals("cpu.io_delay")).toList());
    assertEquals(Set.of(".altinstructions"), d.data().keySet());
    SiteChange sti =
        d.changes().stream()
            .filter(c -> c.operation().equals("irq.irq_enable"))
            .findFirst()
            .orElseThrow();
    assertTrue(d.before(sti).get(0).startsWith("call"), d.before(sti).toString());
    assertTrue(d.before(sti).get(0).contains("pv_ops"), d.before(sti).toString());
    assertEquals("sti", d.after(sti).get(0));
    assertTrue(sti.symbol().matches("\\w+(\\.\\w+)*(\\+0x[0-9a-f]+)?"), sti.symbol());
  }

  @Test
  void twoTargetsDifferInTheHypervisorsOperations() {
    ImageDiff d =
        ImageDiff.of(patched("6.1 cloud", Target.NATIVE), patched("6.1 cloud", Target.KVM));
    assertEquals(
        Set.of(
            "cpu.io_delay",
            "lock.kick",
            "lock.queued_spin_lock_slowpath",
            "lock.queued_spin_unlock",
            "lock.vcpu_is_preempted",
            "lock.wait",
            "mmu.flush_tlb_multi",
            "mmu.tlb_remove_table"),
        operations(d));
    assertTrue(d.changes().stream().allMatch(c -> c.kind() == SiteChange.Kind.CHANGED));
    assertEquals(Map.of(), d.data());
    assertTrue(
        d.changes().stream()
            .filter(c -> c.operation().equals("lock.wait"))
            .allMatch(c -> d.after(c).get(0).contains("<kvm_wait>")));
    ImageDiff reversed =
        ImageDiff.of(patched("6.1 cloud", Target.KVM), patched("6.1 cloud", Target.NATIVE));
    assertEquals(d.changes().size(), reversed.changes().size());
  }

  @Test
  void countsByFunctionAddUpToThoseByOperation() {
    ImageDiff d = ImageDiff.of(patched("6.1 686-pae", Target.KVM), Kernels.image("6.1 686-pae"));
    assertTrue(d.changes().stream().allMatch(c -> c.kind() == SiteChange.Kind.REMOVED));
    assertFalse(d.changes().isEmpty());
    assertEquals(d.changes().size(), d.byFunction().stream().mapToInt(ChangeCounts::removed).sum());
    assertEquals(d.changes().size(), d.byOperation().stream().mapToInt(ChangeCounts::total).sum());
    ImageDiff fewer = d.only(c -> c.operation().equals("cpu.io_delay"));
    assertEquals(Set.of("cpu.io_delay"), operations(fewer));
  }

  @Test
  void withoutAnUndoLogTheOriginalIsNeeded() {
    GuestImage a = withoutUndo("6.1 cloud", Target.NATIVE);
    GuestImage b = withoutUndo("6.1 cloud", Target.KVM);
    ImageException e = assertThrows(ImageException.class, () -> ImageDiff.of(a, b));
    assertTrue(e.getMessage().contains("--original"), e.getMessage());
    GuestImage original = Kernels.image("6.1 cloud");
    int changes =
        ImageDiff.of(patched("6.1 cloud", Target.NATIVE), patched("6.1 cloud", Target.KVM))
            .changes()
            .size();
    assertEquals(changes, ImageDiff.of(a, b, Optional.of(original)).changes().size());
    assertEquals(changes, ImageDiff.of(a, patched("6.1 cloud", Target.KVM)).changes().size());
    assertTrue(
        ImageDiff.of(a, original).changes().stream()
            .allMatch(c -> c.kind() == SiteChange.Kind.REMOVED));
  }

  @Test
  void codeThatNoTableNamesIsShownByWholeInstructions() {
    GuestImage image = Kernels.image("6.1 cloud");
    long function = image.symbols().addressOf("alternative_instructions");
    byte[] changed = image.payload().clone();
    int at = -1; // the immediate of the first "mov $imm32, %r64" in it
    for (int i = image.offsetOf(function); at < 0; i++) {
      at = changed[i] == 0x48 && changed[i + 1] == (byte) 0xc7 ? i : -1;
    }
    changed[at + 4] ^= 0x55;
    ImageDiff d = ImageDiff.of(image, GuestImage.parse(changed, "changed"));
    assertEquals(1, d.changes().size());
    SiteChange c = d.changes().get(0);
    assertEquals(image.addressOf(at), c.address());
    assertEquals(7, c.length());
    assertEquals("", c.table());
    assertEquals("alternative_instructions", c.function());
    assertTrue(d.before(c).get(0).startsWith("mov"), d.before(c).toString());
  }

  @Test
  void anImageDoesNotDifferFromItself() {
    GuestImage image = Kernels.image("6.1 686-pae");
    assertTrue(ImageDiff.of(image, image).isEmpty());
  }

  @Test
  void differentKernelsAreRefused() {
    GuestImage a = Kernels.image("6.1 686-pae");
    GuestImage b = Kernels.image("6.1 686");
    ImageException e = assertThrows(ImageException.class, () -> ImageDiff.of(a, b));
    assertTrue(e.getMessage().contains("not images of the same kernel"), e.getMessage());
  }

  /** Equal segments do not make a file as long as the original's sections. */
  @Test
  void anImageWithoutTheBytesOfASectionIsRefused() {
    SyntheticKernel k = new SyntheticKernel(true);
    byte[] whole = k.indirectCall(0x100, 1).alternative(0x100, 6, 0, 0, 117, 0).build();
    ByteBuffer elf = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
    int last = (int) elf.getLong(40) + 64 * (elf.getShort(60) - 1);
    elf.putLong(last + 8, 2); // SHF_ALLOC, of the section of names
    byte[] cut = Arrays.copyOf(whole, (int) elf.getLong(96)); // what the segment has
    ByteBuffer.wrap(cut).order(ByteOrder.LITTLE_ENDIAN).putLong(40, 0).putInt(60, 0);
    GuestImage original = GuestImage.parse(whole, "whole");
    GuestImage shorter = GuestImage.parse(cut, "cut");
    ImageException e = assertThrows(ImageException.class, () -> ImageDiff.of(original, shorter));
    assertTrue(e.getMessage().contains("the original's section .shstrtab ends"), e.getMessage());
  }
}
