package org.hypergraft.patcher.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.junit.jupiter.api.Test;

class ImageDiffTest {
  private static GuestImage patched(String kernel, Target target) {
    return GuestImage.parse(
        Patcher.patch(Kernels.image(kernel), PlanOptions.of(target), false).file(), target.id());
  }

  @Test
  void originalAgainstPatchedAddsEverySite() {
    ImageDiff d = ImageDiff.of(Kernels.image("6.12 cloud"), patched("6.12 cloud", Target.NATIVE));
    assertTrue(d.changes().stream().allMatch(c -> c.kind() == SiteChange.Kind.ADDED));
    assertEquals(Map.of(SiteChange.Kind.ADDED, 133), d.counts().get("cpu.io_delay"));
    assertEquals(Set.of(".altinstructions"), d.data().keySet());
    SiteChange sti =
        d.changes().stream()
            .filter(c -> c.operation().equals("irq.irq_enable"))
            .findFirst()
            .orElseThrow();
    assertTrue(sti.beforeText().get(0).startsWith("call"), sti.beforeText().toString());
    assertTrue(sti.beforeText().get(0).contains("pv_ops"), sti.beforeText().toString());
    assertEquals("sti", sti.afterText().get(0));
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
        d.counts().keySet());
    assertTrue(d.changes().stream().allMatch(c -> c.kind() == SiteChange.Kind.CHANGED));
    assertEquals(Map.of(), d.data());
    assertTrue(
        d.changes().stream()
            .filter(c -> c.operation().equals("lock.wait"))
            .allMatch(c -> c.afterText().get(0).contains("<kvm_wait>")));
    assertEquals(d.changes().size(), reversed().changes().size());
  }

  private static ImageDiff reversed() {
    return ImageDiff.of(patched("6.1 cloud", Target.KVM), patched("6.1 cloud", Target.NATIVE));
  }

  @Test
  void anImageDoesNotDifferFromItself() {
    GuestImage image = Kernels.image("6.1 686-pae");
    assertEquals(List.of(), ImageDiff.of(image, image).changes());
  }

  @Test
  void differentKernelsAreRefused() {
    GuestImage a = Kernels.image("6.1 686-pae");
    GuestImage b = Kernels.image("6.1 686");
    ImageException e = assertThrows(ImageException.class, () -> ImageDiff.of(a, b));
    assertTrue(e.getMessage().contains("not images of the same kernel"), e.getMessage());
  }
}
