package org.hypergraft.vmm.cpu.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.vmm.bus.ApicMsrs;
import org.hypergraft.vmm.bus.InterruptSource;
import org.hypergraft.vmm.bus.MmioBus;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.cpu.interpret.Engine;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.lower.IntegerLowerings;
import org.hypergraft.vmm.cpu.simd.SimdLowering;
import org.hypergraft.vmm.cpu.system.SystemLowering;
import org.hypergraft.vmm.cpu.x87.FpuLowering;
import org.hypergraft.vmm.hypervisor.GuestPlatform;
import org.hypergraft.vmm.hypervisor.none.NoHypervisor;
import org.hypergraft.vmm.mmu.GuestRam;
import org.hypergraft.vmm.mmu.Mmu;
import org.junit.jupiter.api.Test;

/**
 * Every feature that CPUID may offer is proved to be there, on a processor with it, and to be
 * absent on one without it: an instruction, a bit of CR4 or EFER, a model-specific register.
 */
class FeatureEvidenceTest {
  private enum Kind {
    /** Hexadecimal code: #UD without the feature. */
    INSTRUCTION,
    /** Code that every x86-64 processor can run. */
    ALWAYS,
    /** Bit number of CR4: #GP without the feature. */
    CR4,
    EFER,
    /** Number of a register: reading (or, for commands, writing 0) is #GP without the feature. */
    MSR,
    COMMAND,
    /** Nothing to execute; the reason. */
    TOLD
  }

  /**
   * @param what code, number or reason
   */
  private record Evidence(Kind kind, String what) {
    String code() {
      return switch (kind) {
        case CR4 -> setCr4(what);
        case EFER -> setEfer(what);
        case MSR -> register(what) + "0f32";
        case COMMAND -> register(what) + "0f30";
        default -> what;
      };
    }
  }

  private static final Map<Feature, Evidence> EVIDENCE = new EnumMap<>(Feature.class);

  private static void row(Kind kind, Feature f, String what) {
    EVIDENCE.put(f, new Evidence(kind, what));
  }

  static {
    row(Kind.ALWAYS, Feature.FPU, "d9e8");
    row(Kind.ALWAYS, Feature.TSC, "0f31");
    row(Kind.ALWAYS, Feature.MSR, "b9800000c00f32");
    row(Kind.ALWAYS, Feature.CX8, "0fc70b");
    row(Kind.ALWAYS, Feature.CMOV, "0f40c1");
    row(Kind.ALWAYS, Feature.CLFLUSH, "0fae3b");
    row(Kind.ALWAYS, Feature.SEP, "0f34");
    row(Kind.INSTRUCTION, Feature.MMX, "0ffcc1");
    row(Kind.ALWAYS, Feature.SSE, "0f58c1");
    row(Kind.INSTRUCTION, Feature.SSE2, "660f58c1");
    row(Kind.INSTRUCTION, Feature.FXSR, "0fae03");
    row(Kind.INSTRUCTION, Feature.SSE3, "f20f7cc1");
    row(Kind.INSTRUCTION, Feature.SSSE3, "660f381cc1");
    row(Kind.INSTRUCTION, Feature.SSE4_1, "660f3817c1");
    row(Kind.INSTRUCTION, Feature.SSE4_2, "660f3837c1");
    row(Kind.INSTRUCTION, Feature.SSE4A, "f20f79c1");
    row(Kind.INSTRUCTION, Feature.PCLMULQDQ, "660f3a44c100");
    row(Kind.INSTRUCTION, Feature.AES, "660f38dcc1");
    row(Kind.INSTRUCTION, Feature.SHA_NI, "0f38c8c1");
    row(Kind.INSTRUCTION, Feature.AVX, "c5f458c2");
    row(Kind.INSTRUCTION, Feature.AVX2, "c5f5fec2");
    row(Kind.INSTRUCTION, Feature.F16C, "c4e27913c1");
    row(Kind.INSTRUCTION, Feature.FMA, "c4e2f198c2");
    row(Kind.INSTRUCTION, Feature.XSAVE, "0fae23");
    row(Kind.INSTRUCTION, Feature.XSAVEOPT, "0fae33");
    row(Kind.INSTRUCTION, Feature.XSAVEC, "0fc723");
    row(Kind.INSTRUCTION, Feature.XSAVES, "0fc72b");
    row(Kind.INSTRUCTION, Feature.CX16, "480fc70b");
    row(Kind.INSTRUCTION, Feature.POPCNT, "f30fb8c1");
    row(Kind.INSTRUCTION, Feature.MOVBE, "0f38f003");
    row(Kind.INSTRUCTION, Feature.BMI1, "c4e278f3c9");
    row(Kind.INSTRUCTION, Feature.BMI2, "c4e270f5c2");
    row(Kind.INSTRUCTION, Feature.ADX, "660f38f6c1");
    row(Kind.INSTRUCTION, Feature.CLFLUSHOPT, "660fae3b");
    row(Kind.INSTRUCTION, Feature.CLWB, "660fae33");
    row(Kind.INSTRUCTION, Feature.INVPCID, "660f388203");
    row(Kind.INSTRUCTION, Feature.RDPID, "f30fc7f8");
    row(Kind.INSTRUCTION, Feature.RDTSCP, "0f01f9");
    row(Kind.INSTRUCTION, Feature.RDRAND, "0fc7f0");
    row(Kind.INSTRUCTION, Feature.RDSEED, "0fc7f8");
    row(Kind.INSTRUCTION, Feature.LAHF_LM, "9f");
    row(Kind.INSTRUCTION, Feature.SYSCALL, "0f05");
    row(Kind.INSTRUCTION, Feature.LM, "0f01f8");
    row(Kind.CR4, Feature.DE, "3");
    row(Kind.CR4, Feature.PSE, "4");
    row(Kind.CR4, Feature.PAE, "5");
    row(Kind.CR4, Feature.MCE, "6");
    row(Kind.CR4, Feature.PGE, "7");
    row(Kind.CR4, Feature.UMIP, "11");
    row(Kind.CR4, Feature.FSGSBASE, "16");
    row(Kind.CR4, Feature.PCID, "17");
    row(Kind.CR4, Feature.SMEP, "20");
    row(Kind.CR4, Feature.SMAP, "21");
    row(Kind.EFER, Feature.NX, "11");
    row(Kind.EFER, Feature.FXSR_OPT, "14");
    row(Kind.MSR, Feature.TSC_ADJUST, "3b");
    row(Kind.MSR, Feature.ARCH_CAPABILITIES, "10a");
    row(Kind.MSR, Feature.VIRT_SSBD, "c001011f");
    row(Kind.COMMAND, Feature.FLUSH_L1D, "10b");
    row(Kind.COMMAND, Feature.AMD_IBPB, "49");
    String shared =
        "a bit of SPEC_CTRL, which several features share; see speculationControlHasTheBitsOfItsFeatures";
    row(Kind.TOLD, Feature.SPEC_CTRL, shared);
    row(Kind.TOLD, Feature.INTEL_STIBP, shared);
    row(Kind.TOLD, Feature.SPEC_CTRL_SSBD, shared);
    row(Kind.TOLD, Feature.AMD_IBRS, shared);
    row(Kind.TOLD, Feature.AMD_STIBP, shared);
    row(Kind.TOLD, Feature.AMD_SSBD, shared);
    row(Kind.TOLD, Feature.MTRR, "every model has its registers; CpuModelTest");
    row(Kind.TOLD, Feature.MCA, "every model has its registers");
    row(Kind.TOLD, Feature.PAT, "every model has the register; SystemInstructionsTest");
    row(Kind.TOLD, Feature.APIC, "a device; ApicTest");
    row(Kind.TOLD, Feature.X2APIC, "a device; ApicTest");
    row(Kind.TOLD, Feature.TSC_DEADLINE, "a device; ApicTest");
    row(Kind.TOLD, Feature.ARAT, "the timer runs in every state: there is but one");
    row(Kind.TOLD, Feature.INVARIANT_TSC, "the counter's rate is constant");
    row(Kind.TOLD, Feature.HYPERVISOR, "set by the hypervisor; CpuModelTest.perCallParts");
    row(Kind.TOLD, Feature.PSE36, "format of page tables; PagingMatrixTest");
    row(Kind.TOLD, Feature.PDPE1GB, "format of page tables; PagingMatrixTest");
    row(Kind.TOLD, Feature.MMXEXT, "AMD's name for instructions that SSE contains");
    row(Kind.TOLD, Feature.XGETBV1, "asks CPUID itself; see extendedControlRegister");
    row(Kind.TOLD, Feature.LZCNT, "BSR without it; BitsTest");
    row(Kind.TOLD, Feature.PREFETCHW, "a hint");
    row(Kind.TOLD, Feature.WBNOINVD, "WBINVD without it");
    row(Kind.TOLD, Feature.ERMS, "speed");
    row(Kind.TOLD, Feature.FSRM, "speed");
    row(Kind.TOLD, Feature.MD_CLEAR, "VERW does more than it must: caches are not modelled");
    row(Kind.TOLD, Feature.LFENCE_RDTSC, "instructions are never reordered");
    row(Kind.TOLD, Feature.NULL_SEL_CLR_BASE, "SegmentLoadTest");
    row(Kind.TOLD, Feature.CMP_LEGACY, "CpuModelTest.topologyIsOneThreadPerCoreOfOnePackage");
    row(Kind.TOLD, Feature.TOPOEXT, "CpuModelTest.topologyIsOneThreadPerCoreOfOnePackage");
    row(Kind.TOLD, Feature.CR8_LEGACY, "an encoding of MOV CR8 outside 64-bit code");
  }

  private static final int UD = 6;
  private static final int GP = 13;

  @Test
  void everyImplementedFeatureHasEvidence() {
    assertEquals(Implemented.FEATURES, EVIDENCE.keySet());
  }

  @Test
  void featuresAreThereWhenOfferedAndOnlyThen() {
    List<String> wrong = new ArrayList<>();
    EVIDENCE.forEach(
        (f, e) -> {
          Set<Feature> all = EnumSet.copyOf(Implemented.FEATURES);
          all.remove(Feature.SPEC_CTRL); // its IBPB is AMD_IBPB's as well
          Set<Feature> without = EnumSet.copyOf(all);
          without.remove(f);
          int refusal = e.kind == Kind.INSTRUCTION || e.kind == Kind.ALWAYS ? UD : GP;
          if (e.kind != Kind.TOLD && exception(all, e.code()) == refusal) {
            wrong.add(f + " is offered and refused");
          }
          boolean gated = e.kind != Kind.TOLD && e.kind != Kind.ALWAYS;
          if (gated && exception(without, e.code()) != refusal) {
            wrong.add(f + " is there though not offered");
          }
        });
    assertEquals(List.of(), wrong);
  }

  @Test
  void speculationControlHasTheBitsOfItsFeatures() {
    Feature[][] bits = {
      {Feature.SPEC_CTRL, Feature.AMD_IBRS},
      {Feature.INTEL_STIBP, Feature.AMD_STIBP},
      {Feature.SPEC_CTRL_SSBD, Feature.AMD_SSBD}
    };
    for (int bit = 0; bit < bits.length; bit++) {
      // mov ecx, 48h; mov eax, bit; xor edx, edx; wrmsr
      String code = "b948000000b8" + little(1 << bit) + "31d20f30";
      assertEquals(GP, exception(EnumSet.of(Feature.MSR, Feature.LM), code));
      for (Feature f : bits[bit]) {
        assertEquals(-1, exception(EnumSet.of(Feature.MSR, Feature.LM, f), code), f.toString());
      }
    }
  }

  @Test
  void extendedControlRegister() {
    Set<Feature> all = EnumSet.copyOf(Implemented.FEATURES);
    String code = "b9010000000f01d0"; // xgetbv of 1
    assertEquals(-1, exception(all, code));
    all.remove(Feature.XGETBV1);
    assertEquals(GP, exception(all, code));
  }

  /** No bit of a feature leaf is set that has no name here. */
  @Test
  void cpuidShowsNothingElse() {
    int[][] leaves = {
      // leaf, subleaf, registers that hold features
      {1, 0, 0b1100},
      {7, 0, 0b1110},
      {7, 1, 0b1111},
      {0xd, 1, 0b0001},
      {0x8000_0001, 0, 0b1100},
      {0x8000_0007, 0, 0b1011},
      {0x8000_0008, 0, 0b0010},
      {0x8000_0021, 0, 0b0001}
    };
    for (CpuModel m : CpuModels.all()) {
      CpuidTable table = new CpuidTable(m, true, 1_000_000_000, 4);
      int top = read(table, 0x8000_0000, 0)[0];
      for (int[] leaf : leaves) {
        if (leaf[0] < 0 && Integer.compareUnsigned(leaf[0], top) > 0) {
          continue;
        }
        int[] out = read(table, leaf[0], leaf[1]);
        for (int r = 0; r < 4; r++) {
          if ((leaf[2] >> r & 1) != 0) {
            int unknown = out[r] & ~known(m, leaf[0], leaf[1], r);
            String where = "%s leaf %x register %d: %08x".formatted(m.name(), leaf[0], r, unknown);
            assertEquals(0, unknown, where);
          }
        }
      }
    }
  }

  private static int[] read(CpuidTable table, int leaf, int subleaf) {
    int[] out = new int[4];
    table.read(new Cpu(0), leaf, subleaf, out);
    return out;
  }

  private static int known(CpuModel m, int leaf, int subleaf, int register) {
    int mask = 0;
    for (Feature f : Implemented.FEATURES) {
      if (f.leaf() == leaf && f.subleaf() == subleaf && f.register() == register) {
        mask |= f.mask();
      }
    }
    if (leaf == 1 && register == 3) {
      mask |= 1 << 28; // HTT: the package has several APIC ids
    }
    if (leaf == 0x8000_0001 && register == 3 && m.vendor() == CpuVendor.AMD) {
      mask |= known(m, 1, 0, 3) & 0x0183_f3ff; // repeated there
    }
    return mask;
  }

  // ---- A processor in ring 0, in 64-bit code without paging -----------------------------------

  private static String little(int v) {
    return HexFormat.of().toHexDigits(Integer.reverseBytes(v));
  }

  /** mov eax, PAE | bit; mov cr4, rax. */
  private static String setCr4(String bit) {
    return "b8" + little(1 << Integer.parseInt(bit) | 1 << 5) + "0f22e0";
  }

  /** mov ecx, EFER; mov eax, LMA | bit; xor edx, edx; wrmsr. */
  private static String setEfer(String bit) {
    return "b9800000c0b8" + little(1 << Integer.parseInt(bit) | 1 << 10) + "31d20f30";
  }

  /** mov ecx, number; xor eax, eax; xor edx, edx. */
  private static String register(String number) {
    return "b9" + little(Integer.parseUnsignedInt(number, 16)) + "31c031d2";
  }

  /** The vector of the first exception of a piece of code, or -1 when it ends. */
  private static int exception(Set<Feature> features, String hex) {
    CpuModel model = new CpuModel("test", CpuVendor.INTEL, 0x0005_0654, "test", features, 40, 0, 0);
    List<Lowering> families = new ArrayList<>(Arrays.asList(IntegerLowerings.all(model::has)));
    families.add(new SystemLowering(model::has));
    families.add(new FpuLowering(model::has));
    families.add(new SimdLowering(model::has));
    try (GuestRam ram = new GuestRam(1 << 20);
        Mmu mmu = new Mmu(ram, new Nothing())) {
      Engine engine = new Engine(ram, families.toArray(new Lowering[0]));
      Cpu c = new Cpu(0);
      c.mmu = mmu;
      c.interrupts = new Nothing();
      c.platform =
          new GuestPlatform(
              model, new NoHypervisor(), c::retired, 1_000_000_000, 1, i -> new Nothing());
      int[] vector = {-1};
      c.delivery =
          new ExceptionDelivery() {
            @Override
            public boolean exception(Cpu cpu, int v, int errorCode, long address) {
              vector[0] = v;
              return false;
            }

            @Override
            public boolean interrupt(Cpu cpu, int v) {
              throw new AssertionError();
            }
          };
      for (int s = 0; s < 6; s++) {
        c.segLimit[s] = -1;
        c.segAttr[s] = Cpu.ATTR_P | Cpu.ATTR_S | 3;
      }
      c.segAttr[Cpu.CS] |= 8 | Cpu.ATTR_L;
      c.cr0 = Cpu.CR0_PE;
      c.cr4 = 1 << 9 | 1 << 18; // OSFXSR, OSXSAVE
      c.xcr0 = 7;
      c.efer = Cpu.EFER_LMA | Cpu.EFER_SCE;
      c.lstar = 0x2000;
      c.updateMode();
      c.r[Cpu.RBX] = 0x8000;
      c.r[Cpu.RSP] = 0x7000;
      c.rip = 0x1000;
      byte[] code = HexFormat.of().parseHex(hex);
      ram.write(0x1000, code);
      ram.put8(0x1000 + code.length, 0xf4);
      ram.put8(0x2000, 0xf4);
      c.setStop(1000);
      assertTrue(engine.run(c) != Engine.Exit.COUNT);
      return vector[0];
    }
  }

  private static final class Nothing implements MmioBus, InterruptSource, ApicMsrs {
    @Override
    public long read(long gpa, int size) {
      return -1;
    }

    @Override
    public void write(long gpa, int size, long value) {}

    @Override
    public boolean pending() {
      return false;
    }

    @Override
    public int acknowledge() {
      throw new AssertionError();
    }

    @Override
    public boolean canReadMsr(int msr) {
      return false;
    }

    @Override
    public long readMsr(int msr) {
      throw new AssertionError();
    }

    @Override
    public boolean writeMsr(int msr, long value) {
      return false;
    }
  }
}
