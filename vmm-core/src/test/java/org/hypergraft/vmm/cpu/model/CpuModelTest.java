package org.hypergraft.vmm.cpu.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;
import org.junit.jupiter.api.Test;

/** Models as CPUID shows them, and their registers. */
class CpuModelTest {
  private static final long TSC_HZ = 1_000_000_000;
  private final Cpu cpu = new Cpu(0);

  private static CpuModel baseline(CpuVendor vendor) {
    return CpuModels.find("baseline", vendor).orElseThrow();
  }

  private int[] leaf(CpuidTable t, int leaf, int subleaf) {
    int[] out = {-1, -1, -1, -1};
    t.read(cpu, leaf, subleaf, out);
    return out;
  }

  @Test
  void featureBitsOfEveryModelAreWhatItHasAndImplemented() {
    for (CpuModel m : CpuModels.all()) {
      CpuidTable t = new CpuidTable(m, false, TSC_HZ, 1);
      for (Feature f : Feature.values()) {
        int maximum = leaf(t, f.leaf() & 0x8000_0000, 0)[0];
        if (Integer.compareUnsigned(f.leaf(), maximum) > 0) {
          assertFalse(m.has(f), m.name() + " has no leaf for " + f);
          continue;
        }
        boolean shown = (leaf(t, f.leaf(), f.subleaf())[f.register()] & f.mask()) != 0;
        assertEquals(m.has(f), shown, m.name() + " " + f);
        assertTrue(!shown || Implemented.FEATURES.contains(f), m.name() + " " + f);
      }
    }
  }

  @Test
  void featurePositionsAreDistinct() {
    Set<String> seen = new HashSet<>();
    for (Feature f : Feature.values()) {
      assertTrue(
          seen.add(f.leaf() + "/" + f.subleaf() + "/" + f.register() + "/" + f.mask()),
          f.toString());
      assertEquals(f, Feature.named(f.id()).orElseThrow());
    }
  }

  @Test
  void longModeNeedsItsCompanions() {
    for (CpuModel m : CpuModels.all()) {
      for (Feature f :
          new Feature[] {
            Feature.LM,
            Feature.PAE,
            Feature.MSR,
            Feature.CX8,
            Feature.FXSR,
            Feature.SSE2,
            Feature.SYSCALL,
            Feature.NX,
            Feature.APIC,
            Feature.PGE
          }) {
        assertTrue(m.has(f), m.name() + " lacks " + f);
      }
      assertFalse(m.has(Feature.AVX) && !m.has(Feature.XSAVE), m.name());
      assertFalse(m.has(Feature.SVM), m.name());
    }
  }

  @Test
  void vendorAndBrandStrings() {
    for (CpuModel m : CpuModels.all()) {
      CpuidTable t = new CpuidTable(m, false, TSC_HZ, 1);
      int[] l = leaf(t, 0, 0);
      String vendor = text(l[1]) + text(l[3]) + text(l[2]);
      assertEquals(m.vendor() == CpuVendor.AMD ? "AuthenticAMD" : "GenuineIntel", vendor);
      StringBuilder brand = new StringBuilder();
      for (int i = 0x8000_0002; i <= 0x8000_0004; i++) {
        for (int r : leaf(t, i, 0)) {
          brand.append(text(r));
        }
      }
      assertEquals(m.brand(), brand.toString().replace("\0", ""));
      assertTrue(m.brand().length() < 48);
    }
  }

  private static String text(int register) {
    byte[] b = new byte[4];
    for (int i = 0; i < 4; i++) {
      b[i] = (byte) (register >>> 8 * i);
    }
    return new String(b, StandardCharsets.US_ASCII);
  }

  @Test
  void leavesBeyondTheHighest() {
    CpuidTable amd = new CpuidTable(baseline(CpuVendor.AMD), false, TSC_HZ, 1);
    assertEquals(0, leaf(amd, 0x14, 0)[0] | leaf(amd, 0x4fff_ffff, 0)[1]);
    CpuidTable intel = new CpuidTable(baseline(CpuVendor.INTEL), false, TSC_HZ, 1);
    assertEquals(1000, leaf(intel, 0x1000, 0)[0], "Intel repeats its highest leaf");
    assertEquals(1000, leaf(intel, 0x8000_1000, 0)[0]);
  }

  @Test
  void intelStatesTheCounterFrequency() {
    int[] l = leaf(new CpuidTable(baseline(CpuVendor.INTEL), false, TSC_HZ, 1), 0x15, 0);
    assertEquals(TSC_HZ, (l[2] & 0xffff_ffffL) * l[1] / l[0]);
  }

  @Test
  void perCallParts() {
    CpuidTable t = new CpuidTable(baseline(CpuVendor.AMD), true, TSC_HZ, 1);
    assertNotEquals(0, leaf(t, 1, 0)[2] & Feature.HYPERVISOR.mask());
    assertEquals(0, leaf(t, 1, 0)[2] & Feature.OSXSAVE.mask());
    cpu.cr4 |= 1 << 18;
    assertNotEquals(0, leaf(t, 1, 0)[2] & Feature.OSXSAVE.mask());
    int[] out = new int[4];
    t.read(new Cpu(3), 1, 0, out);
    assertEquals(3, out[1] >>> 24, "initial APIC id");
  }

  @Test
  void topologyIsOneThreadPerCoreOfOnePackage() {
    for (CpuModel m : CpuModels.all()) {
      CpuidTable one = new CpuidTable(m, false, TSC_HZ, 1);
      assertEquals(1, leaf(one, 1, 0)[1] >>> 16 & 0xff, m::name);
      assertEquals(0, leaf(one, 1, 0)[3] & 1 << 28, m::name);
      CpuidTable six = new CpuidTable(m, false, TSC_HZ, 6);
      assertEquals(8, leaf(six, 1, 0)[1] >>> 16 & 0xff, "APIC ids of the package");
      assertNotEquals(0, leaf(six, 1, 0)[3] & 1 << 28, "HTT");
      boolean intel = m.vendor() == CpuVendor.INTEL;
      boolean extended = m.has(Feature.TOPOEXT);
      if (intel) {
        assertEquals(7, leaf(six, 4, 3)[0] >>> 26, "cores");
        assertEquals(7, leaf(six, 4, 3)[0] >>> 14 & 0xfff, "sharing the last cache");
        assertEquals(0, leaf(six, 4, 2)[0] >>> 14 & 0xfff);
      } else {
        assertNotEquals(0, leaf(six, 0x8000_0001, 0)[2] & Feature.CMP_LEGACY.mask());
        assertEquals(3 << 12 | 5, leaf(six, 0x8000_0008, 0)[2]);
      }
      int[] out = new int[4];
      six.read(new Cpu(5), 0xb, 1, out);
      assertArrayEquals(intel || extended ? new int[] {3, 6, 0x201, 5} : new int[4], out, m.name());
      if (!intel) {
        six.read(new Cpu(5), 0x8000_001e, 0, out);
        assertArrayEquals(extended ? new int[] {5, 5, 0, 0} : new int[4], out, m.name());
      }
    }
  }

  @Test
  void registerRules() {
    MsrStore s = new MsrStore(baseline(CpuVendor.AMD));
    assertEquals(0xffc0000800L, s.read(0x201));
    assertEquals(0x0606_0606_0606_0606L, s.read(0x250));
    s.write(0xc001_1029, 2);
    assertEquals(2, s.read(0xc001_1029));
    refused(() -> s.read(0x1234));
    refused(() -> s.write(0x1234, 0));
    refused(() -> s.write(0xfe, 1));
    refused(() -> s.write(0x201, 1L << 41));
    refused(() -> s.read(0x1a0));
    refused(() -> s.read(0xc001_0020));
    s.write(0xc001_0020, 0x1000);
    MsrStore intel = new MsrStore(baseline(CpuVendor.INTEL));
    intel.write(0x8b, 0);
    assertEquals(0x1d, intel.read(0x8b) >>> 32, "the microcode revision survives a write of zero");
    MsrStore skylake = new MsrStore(CpuModels.find("skylake", null).orElseThrow());
    skylake.write(0x48, 5);
    assertEquals(5, skylake.read(0x48));
    refused(() -> skylake.write(0x48, 8));
    skylake.write(0x49, 1);
    refused(() -> skylake.read(0x49));
  }

  private static void refused(Runnable r) {
    GuestFault f = assertThrows(GuestFault.class, r::run);
    assertEquals(GuestFault.GP, f.vector);
    assertEquals(0, f.errorCode);
  }

  @Test
  void modelsAreFoundByNameAndVendor() {
    assertEquals(CpuVendor.AMD, CpuModels.find("baseline", null).orElseThrow().vendor());
    assertEquals(CpuVendor.INTEL, baseline(CpuVendor.INTEL).vendor());
    assertTrue(CpuModels.find("zen", CpuVendor.INTEL).isEmpty());
    assertTrue(CpuModels.find("pentium", null).isEmpty());
  }

  @Test
  void aModelCanLackFeatures() {
    CpuModel whole = baseline(CpuVendor.AMD);
    CpuModel less = CpuModels.find("baseline,-fsrm,-x2apic", CpuVendor.AMD).orElseThrow();
    assertEquals(whole.features().size() - 2, less.features().size());
    assertFalse(less.has(Feature.FSRM) || less.has(Feature.X2APIC));
    assertEquals(whole.signature(), less.signature());
    assertEquals("baseline,-fsrm,-x2apic", less.name());
    assertTrue(CpuModels.find("baseline,fsrm", null).isEmpty());
    assertTrue(CpuModels.find("baseline,-teleport", null).isEmpty());
    assertTrue(CpuModels.find("baseline,", null).isEmpty());
  }
}
