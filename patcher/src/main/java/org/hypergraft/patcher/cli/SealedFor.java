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
  // Numbers of features, word * 32 + bit (Linux's cpufeatures.h).
  private static final int XSAVE = 4 * 32 + 26;
  private static final int OSXSAVE = 4 * 32 + 27;
  private static final int PKU = 16 * 32 + 3;
  private static final int OSPKE = 16 * 32 + 4;

  /** X86_FEATURE_3DNOWPREFETCH: Linux takes long mode for it on AMD (its cpu/amd.c). */
  private static final int PREFETCH_3DNOW = 6 * 32 + 8;

  /**
   * Capability words that are registers of CPUID, as {word, leaf, subleaf, register} (Linux's
   * cpufeatures.h); registers EAX, EBX, ECX, EDX as 0-3. Left out: those that Linux fills in by
   * itself for some processors, such as 20, leaf 80000021h.
   */
  private static final int[][] CPUID_WORDS = {
    {0, 1, 0, 3},
    {1, 0x8000_0001, 0, 3},
    {4, 1, 0, 2},
    {6, 0x8000_0001, 0, 2},
    {9, 7, 0, 1},
    {10, 0xd, 1, 0},
    {13, 0x8000_0008, 0, 1},
    {14, 6, 0, 0},
    {16, 7, 0, 2},
    {18, 7, 0, 3}
  };

  private SealedFor() {}

  /**
   * Refuses a machine that a sealed image was not made for; any other image is let pass.
   *
   * @throws CommandFailure naming the first thing in which the machine is another
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
            case "feature" -> shows(table, Integer.parseInt(words[2])).orElse(true);
            case "no-feature" -> !shows(table, Integer.parseInt(words[2])).orElse(false);
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

  /**
   * Whether CPUID shows a feature; empty when it is not CPUID that decides. One too many is as bad
   * as one too few: the guest turns on SMAP or 5-level paging where it sees them, whatever its code
   * was made for.
   */
  private static Optional<Boolean> shows(CpuidTable table, int feature) {
    if (feature == PREFETCH_3DNOW) {
      return Optional.empty();
    }
    // What the kernel itself turns on shows up only then.
    int asked = feature == OSXSAVE ? XSAVE : feature == OSPKE ? PKU : feature;
    for (int[] w : CPUID_WORDS) {
      if (w[0] == asked / 32) {
        int[] registers = new int[4];
        table.read(new Cpu(0), w[1], w[2], registers);
        return Optional.of((registers[w[3]] >>> asked % 32 & 1) != 0);
      }
    }
    return Optional.empty();
  }
}
