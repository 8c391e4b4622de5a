package org.hypergraft.patcher.cli;

import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.rewrite.HypergraftNote;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.model.CpuModel;
import org.hypergraft.vmm.cpu.model.CpuidTable;

/**
 * What a sealed image was made for. Its code is final: on a machine that lacks something it hangs
 * or misbehaves without a word, so such a boot is refused beforehand.
 */
final class SealedFor {
  /** X86_FEATURE_HYPERVISOR, word 4 bit 31 (Linux's cpufeatures.h). */
  private static final int HYPERVISOR = 4 * 32 + 31;

  /** X86_FEATURE_3DNOWPREFETCH: Linux takes long mode for it on AMD (its cpu/amd.c). */
  private static final int PREFETCH_3DNOW = 6 * 32 + 8;

  /**
   * Capability words that are registers of CPUID, as {word, leaf, register} (Linux's
   * cpufeatures.h); subleaf 0, registers EAX, EBX, ECX, EDX as 0-3.
   */
  private static final int[][] CPUID_WORDS = {
    {0, 1, 3}, {1, 0x8000_0001, 3}, {4, 1, 2}, {6, 0x8000_0001, 2}, {9, 7, 1}, {16, 7, 2}
  };

  private SealedFor() {}

  /**
   * Refuses a machine that a sealed image cannot run on; any other image is let pass.
   *
   * @throws CommandFailure naming the first thing that the image requires and the machine lacks
   */
  static void check(GuestImage image, CpuModel model, String hypervisor, int cpus) {
    Optional<HypergraftNote> note = HypergraftNote.of(image).filter(n -> n.planOptions().seal());
    if (note.isEmpty()) {
      return;
    }
    boolean bare = hypervisor.equals("none");
    CpuidTable table = new CpuidTable(model, !bare, 1, cpus);
    for (String item : note.get().requires()) {
      String[] words = item.split(" ");
      boolean met =
          switch (words[0]) {
            case "hypervisor" -> words[1].equals(hypervisor);
            case "cpus" -> Integer.parseInt(words[1]) >= cpus;
            case "feature" -> offers(table, Integer.parseInt(words[2]));
            case "no-feature" -> bare || Integer.parseInt(words[2]) != HYPERVISOR;
            default -> true;
          };
      if (!met) {
        throw new CommandFailure(
            ExitStatus.FINDINGS,
            "%s: sealed, and requires '%s'; this machine is %s %s on hypervisor %s with %d CPU(s)"
                .formatted(image.name(), item, model.vendor(), model.name(), hypervisor, cpus));
      }
    }
  }

  /** Whether CPUID has a feature; those that the kernel makes up itself are not its to miss. */
  private static boolean offers(CpuidTable table, int feature) {
    if (feature == PREFETCH_3DNOW) {
      return true;
    }
    for (int[] w : CPUID_WORDS) {
      if (w[0] == feature / 32) {
        Cpu running = new Cpu(0);
        running.cr4 = -1; // OSXSAVE and OSPKE show what the kernel itself turns on there
        int[] registers = new int[4];
        table.read(running, w[1], 0, registers);
        return (registers[w[2]] >>> feature % 32 & 1) != 0;
      }
    }
    return true;
  }
}
