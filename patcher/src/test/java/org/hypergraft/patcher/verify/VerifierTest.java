package org.hypergraft.patcher.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerifierTest {
  private static final byte[] NOP4 = {0x0f, 0x1f, 0x40, 0x00};

  private static Patcher.Result patch(String kernel, Target target) {
    return Patcher.patch(Kernels.image(kernel), PlanOptions.of(target), false);
  }

  private static Verification verify(byte[] file) {
    return Verifier.verify(GuestImage.parse(file, "out"), Optional.empty());
  }

  @ParameterizedTest
  @CsvSource({
    "5.10.262 cloud, KVM",
    "6.1 cloud, NATIVE",
    "6.1 686-pae, KVM",
    "6.12 cloud, KVM",
    "6.12 cloud, HYPERV",
    "7.2 cloud, XEN_PVH"
  })
  void ourOutputsHold(String kernel, Target target) {
    GuestImage out = GuestImage.parse(patch(kernel, target).file(), "out");
    Verification v = Verifier.verify(out, Optional.of(Kernels.image(kernel)));
    assertEquals(List.of(), v.findings());
    assertTrue(v.checked().get("decode") > 200, v.checked().toString());
    assertTrue(v.checked().get("branches") > 400_000, v.checked().toString());
  }

  @Test
  void anyFlippedByteOfARewrittenSiteIsFoundAndNamed() {
    Patcher.Result r = patch("6.1 cloud", Target.KVM);
    byte[] original = Kernels.image("6.1 cloud").payload();
    for (int i = 3; i < r.plan().size(); i += r.plan().size() / 4) {
      int site = i;
      while (!r.plan().changes(site)) {
        site++;
      }
      int at = r.plan().offset(site);
      while (r.file()[at] == original[at]) {
        at++;
      }
      byte[] b = r.file().clone();
      b[at] ^= 0x40;
      long address = r.plan().address(site) + at - r.plan().offset(site);
      Finding f =
          verify(b).findings().stream()
              .filter(x -> x.check().equals("reproduction"))
              .findFirst()
              .orElseThrow();
      assertEquals(address, f.address(), f.message());
      assertFalse(f.symbol().isEmpty());
    }
  }

  @Test
  void aByteChangedElsewhereIsFoundByItsPage() {
    Patcher.Result r = patch("6.1 686-pae", Target.KVM);
    byte[] b = r.file().clone();
    b[0x123456] ^= 1;
    Verification v = verify(b);
    Finding f = v.findings().get(0);
    assertEquals("integrity", f.check());
    assertTrue(f.message().contains("0x123000 to 0x123fff"), f.message());
  }

  @Test
  void anEntryThatWouldStopTheBootIsFound() {
    Patcher.Result r = patch("6.12 cloud", Target.NATIVE);
    GuestImage out = GuestImage.parse(r.file(), "out");
    AlternativeTable t = SiteMap.of(out).alternatives().orElseThrow();
    int i = 0;
    while (!t.directCall(i)) {
      i++;
    }
    byte[] b = r.file().clone();
    b[t.featureFieldOffset(i) + 2] &= ~AlternativeTable.NOT;
    long site = t.address(i);
    assertTrue(
        verify(b).findings().stream()
            .anyMatch(f -> f.check().equals("tables") && f.address() == site));
  }

  @Test
  void aCallIntoAnotherHypervisorsCodeIsFound() {
    Patcher.Result r = patch("6.1 cloud", Target.NATIVE);
    GuestImage image = Kernels.image("6.1 cloud");
    int i = 0;
    while (!r.plan().operation(i).equals("cpu.io_delay")) {
      i++;
    }
    byte[] b = r.file().clone();
    long to = image.symbols().addressOf("xen_io_delay");
    int rel = (int) (to - (r.plan().address(i) + 5));
    for (int k = 0; k < 4; k++) {
      b[r.plan().offset(i) + 1 + k] = (byte) (rel >> (8 * k));
    }
    long site = r.plan().address(i);
    assertTrue(
        verify(b).findings().stream()
            .anyMatch(f -> f.check().equals("interface") && f.address() == site));
  }

  @Test
  void aPointerToASealedEntryIsFound() {
    GuestImage out = GuestImage.parse(patch("6.12 cloud", Target.NATIVE).file(), "out");
    AddressTable t = SiteMap.of(out).addresses(AddressTable.Kind.IBT_ENDBR_SEAL).orElseThrow();
    long pointer = out.relocations().addresses(Relocations.Kind.ABSOLUTE_64)[0];
    ByteBuffer b = ByteBuffer.wrap(out.payload().clone()).order(ByteOrder.LITTLE_ENDIAN);
    long entry = t.address(t.entries() / 2);
    b.put(out.offsetOf(entry), NOP4);
    assertEquals(List.of(), sealedEntries(b));
    b.putLong(out.offsetOf(pointer), entry);
    assertEquals(List.of(pointer), sealedEntries(b));
  }

  private static List<Long> sealedEntries(ByteBuffer file) {
    return verify(file.array()).findings().stream()
        .filter(f -> f.check().equals("sealed entries"))
        .map(Finding::address)
        .toList();
  }

  @Test
  void aFindingNamesOnlyThePlaceThatItHas() {
    assertEquals("a: b", new Finding("a", 0, "", "b").sentence());
    assertEquals("a at 0xc1000000: b", new Finding("a", 0xc1000000L, "", "b").sentence());
    assertEquals("a at 0xc1000000 (f): b", new Finding("a", 0xc1000000L, "f", "b").sentence());
  }

  @Test
  void theWrongOriginalIsFound() {
    GuestImage out = GuestImage.parse(patch("6.1 686-pae", Target.KVM).file(), "out");
    byte[] other = Kernels.image("6.1 686-pae").payload().clone();
    other[0x200000] ^= 1;
    Verification v = Verifier.verify(out, Optional.of(GuestImage.parse(other, "other")));
    assertEquals("original", v.findings().get(0).check());
  }

  @Test
  void unpatchedImagesAreRefused() {
    GuestImage image = Kernels.image("6.1 686-pae");
    ImageException e =
        assertThrows(ImageException.class, () -> Verifier.verify(image, Optional.empty()));
    assertTrue(e.getMessage().contains("not patched"), e.getMessage());
  }
}
