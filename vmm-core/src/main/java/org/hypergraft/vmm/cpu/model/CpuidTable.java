package org.hypergraft.vmm.cpu.model;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.vmm.cpu.Cpu;

/**
 * Answers CPUID from a model. Leaves hold the model's constant part; the APIC id, OSXSAVE and the
 * size of the state XCR0 enables are filled in per call. Layouts: Intel SDM vol. 2 CPUID; AMD APM
 * vol. 3 appendix E.
 */
public final class CpuidTable {
  /** First leaf of the hypervisor range, and of the extended range. */
  private static final int HYPERVISOR = 0x4000_0000;

  private static final int EXTENDED = 0x8000_0000;

  /** Cache line for CLFLUSH, in 8-byte units, in bits 15:8 of leaf 1 EBX. */
  private static final int CLFLUSH_LINE = 8 << 8;

  /** Leaf 1 EDX: EBX holds the number of APIC ids of the package. */
  private static final int HTT = 1 << 28;

  private static final int OSXSAVE = 1 << 27;
  private static final long CR4_OSXSAVE = 1 << 18;

  /** Legacy area and header of an XSAVE image; AVX state follows at 576. */
  private static final int XSAVE_MINIMUM = 576;

  private static final int XSAVE_AVX = 256;

  private final CpuModel model;
  private final Map<Long, int[]> leaves = new HashMap<>();
  private final int cpus;

  /** Bits of the APIC id that number the cores of the package. */
  private final int idBits;

  private final int maximum;
  private final int maximumExtended;

  /**
   * @param hypervisor whether leaf 1 ECX bit 31 says that a hypervisor is present
   * @param tscHz frequency of the time-stamp counter, for the leaves that state it
   * @param cpus number of processors: cores of one package, of one thread each
   */
  public CpuidTable(CpuModel model, boolean hypervisor, long tscHz, int cpus) {
    this.model = model;
    this.cpus = cpus;
    idBits = 32 - Integer.numberOfLeadingZeros(cpus - 1);
    boolean intel = model.vendor() == CpuVendor.INTEL;
    maximum = intel ? 0x16 : 0xd;
    maximumExtended = intel ? 0x8000_0008 : 0x8000_0021;
    String vendor = intel ? "GenuineIntel" : "AuthenticAMD";
    put(0, 0, maximum, text(vendor, 0), text(vendor, 8), text(vendor, 4));
    put(1, 0, model.signature(), CLFLUSH_LINE | 1 << idBits + 16, 0, cpus > 1 ? HTT : 0);
    if (hypervisor) {
      leaf(1, 0)[2] |= Feature.HYPERVISOR.mask();
    }
    put(EXTENDED, 0, maximumExtended, text(vendor, 0), text(vendor, 8), text(vendor, 4));
    put(0x8000_0001, 0, model.signature(), 0, 0, 0);
    brand();
    if (intel) {
      intelCaches();
      frequency(tscHz);
    } else {
      amdCaches();
    }
    int cores = intel ? 0 : idBits << 12 | cpus - 1;
    put(0x8000_0008, 0, model.physicalBits() | 48 << 8, 0, cores, 0);
    extendedState();
    for (Feature f : model.features()) {
      leaf(f.leaf(), f.subleaf())[f.register()] |= f.mask();
    }
    if (!intel) {
      // AMD mirrors these bits of leaf 1 EDX in 80000001h EDX (APM vol. 3 E.4.2).
      leaf(0x8000_0001, 0)[3] |= leaf(1, 0)[3] & 0x0183_f3ff;
    }
  }

  private static long key(int leaf, int subleaf) {
    return (leaf & 0xffff_ffffL) << 32 | subleaf & 0xffff_ffffL;
  }

  private void put(int leaf, int subleaf, int eax, int ebx, int ecx, int edx) {
    leaves.put(key(leaf, subleaf), new int[] {eax, ebx, ecx, edx});
  }

  private int[] leaf(int leaf, int subleaf) {
    return leaves.computeIfAbsent(key(leaf, subleaf), k -> new int[4]);
  }

  /** Four characters as a little-endian register. */
  private static int text(String s, int at) {
    int v = 0;
    for (int i = 3; i >= 0; i--) {
      v = v << 8 | (at + i < s.length() ? s.charAt(at + i) : 0);
    }
    return v;
  }

  private void brand() {
    String s =
        new String(model.brand().getBytes(StandardCharsets.US_ASCII), StandardCharsets.US_ASCII);
    for (int i = 0; i < 3; i++) {
      int at = 16 * i;
      put(0x8000_0002 + i, 0, text(s, at), text(s, at + 4), text(s, at + 8), text(s, at + 12));
    }
  }

  /** Leaf 2 refers to leaf 4. */
  private void intelCaches() {
    put(2, 0, 0x00fe_ff01, 0, 0, 0);
    int ids = (1 << idBits) - 1;
    caches(4, ids << 26, ids);
    topology();
  }

  /** Leaf Bh: one thread per core, then the cores of the package. */
  private void topology() {
    put(0xb, 0, 0, 1, 1 << 8, 0);
    put(0xb, 1, idBits, cpus, 2 << 8 | 1, 0);
  }

  /** 32 KiB L1, 1 MiB L2, 16 MiB L3, 64-byte lines. */
  private void caches(int leaf, int common, int sharing) {
    cache(leaf, 0, 1, 1, 8, 64, common);
    cache(leaf, 1, 2, 1, 8, 64, common);
    cache(leaf, 2, 3, 2, 16, 1024, common);
    cache(leaf, 3, 3, 3, 16, 16384, common | sharing << 14);
  }

  /**
   * @param type 1 data, 2 instruction, 3 unified
   * @param eax how many processors share it, and other bits of EAX
   */
  private void cache(int leaf, int index, int type, int level, int ways, int sets, int eax) {
    put(leaf, index, eax | type | level << 5 | 1 << 8, ways - 1 << 22 | 64 - 1, sets - 1, 0);
  }

  /** 64 KiB L1, 512 KiB L2, as family 0Fh reports them. */
  private void amdCaches() {
    put(0x8000_0005, 0, 0x01ff_01ff, 0x01ff_01ff, 0x4002_0140, 0x4002_0140);
    put(0x8000_0006, 0, 0, 0x4200_4200, 0x0200_8140, 0);
    if (cpus > 1) {
      leaf(0x8000_0001, 0)[2] |= Feature.CMP_LEGACY.mask();
    }
    if (model.has(Feature.TOPOEXT)) {
      caches(0x8000_001d, 0, cpus - 1);
      put(0x8000_001e, 0, 0, 0, 0, 0);
      topology();
    }
  }

  /** Leaves 15h and 16h: a crystal that ticks at the counter's rate, so nothing is calibrated. */
  private void frequency(long tscHz) {
    int mhz = (int) (tscHz / 1_000_000);
    put(0x15, 0, 1, 1, (int) tscHz, 0);
    put(0x16, 0, mhz, mhz, 100, 0);
  }

  private void extendedState() {
    if (!model.has(Feature.XSAVE)) {
      return;
    }
    boolean avx = model.has(Feature.AVX);
    int size = XSAVE_MINIMUM + (avx ? XSAVE_AVX : 0);
    put(0xd, 0, avx ? 7 : 3, size, size, 0);
    if (avx) {
      put(0xd, 2, XSAVE_AVX, XSAVE_MINIMUM, 0, 0);
    }
  }

  /**
   * Fills {@code out} with EAX, EBX, ECX, EDX. Beyond the highest leaf Intel processors repeat the
   * highest basic one, AMD processors return zero.
   */
  public void read(Cpu c, int leaf, int subleaf, int[] out) {
    int number = leaf;
    boolean extended = leaf < 0;
    if (extended ? Integer.compareUnsigned(leaf, maximumExtended) > 0 : leaf > maximum) {
      number = model.vendor() == CpuVendor.INTEL && leaf < HYPERVISOR ? maximum : -1;
    }
    int[] row = leaves.get(key(number, hasSubleaves(number) ? subleaf : 0));
    for (int i = 0; i < 4; i++) {
      out[i] = row == null ? 0 : row[i];
    }
    switch (number) {
      case 1 -> {
        out[1] |= c.index << 24;
        if ((c.cr4 & CR4_OSXSAVE) != 0) {
          out[2] |= OSXSAVE;
        }
      }
      case 0xb -> {
        if (!leaves.containsKey(key(0xb, 0))) {
          break; // reserved on this model
        }
        out[2] = out[2] & ~0xff | subleaf & 0xff;
        out[3] = c.index;
      }
      case 0x8000_001e -> {
        if (model.has(Feature.TOPOEXT)) {
          out[0] = c.index; // extended APIC id
          out[1] = c.index; // core id, one thread per core; node 0
        }
      }
      case 0xd -> {
        if (subleaf <= 1 && model.has(Feature.XSAVE)) {
          boolean compact = subleaf == 1;
          int compacting = Feature.XSAVES.mask() | Feature.XSAVEC.mask();
          if (!compact || (out[0] & compacting) != 0) {
            out[1] = XSAVE_MINIMUM + ((c.xcr0 & 4) != 0 ? XSAVE_AVX : 0);
          }
        }
      }
      default -> {}
    }
  }

  private static boolean hasSubleaves(int leaf) {
    return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd || leaf == 0x8000_001d;
  }
}
