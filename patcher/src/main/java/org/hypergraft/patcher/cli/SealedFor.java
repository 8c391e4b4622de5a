package org.hypergraft.patcher.cli;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
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
  private static final int LA57 = 16 * 32 + 16;

  /** Characters of a list of features that every kernel reads. */
  private static final int MAX_LIST = 31;

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

  /** Items that are looked at here; others are for people. */
  private static final Pattern ITEM =
      Pattern.compile(
          "hypervisor (?<hypervisor>\\S+)"
              + "|cpus (?<cpus>[0-9]{1,4})"
              + "|(?<absent>no-)?feature \\S+ (?<feature>[0-9]{1,4})");

  private static final Pattern KNOWN = Pattern.compile("(?:hypervisor|cpus|(?:no-)?feature)\\b.*");

  private final String hypervisor;
  private final int cpus;
  private final Set<Integer> cleared;
  private final CpuidTable table;

  /**
   * A machine and the command line of the guest on it.
   *
   * @param cpus its processors
   */
  SealedFor(CpuModel model, String hypervisor, int cpus, String commandLine) {
    this.hypervisor = hypervisor;
    this.cpus = cpus;
    cleared = cleared(commandLine);
    table = new CpuidTable(model, !hypervisor.equals("none"), 1, cpus);
  }

  /**
   * Refuses a machine that a sealed image was not made for; any other image is let pass.
   *
   * @throws CommandFailure naming the first thing in which the machine is another
   * @throws ImageException when the image does not say what it was made for
   */
  static void check(
      GuestImage image, CpuModel model, String hypervisor, int cpus, String commandLine) {
    Optional<HypergraftNote> note = HypergraftNote.of(image).filter(n -> n.planOptions().seal());
    if (note.isEmpty()) {
      return;
    }
    SealedFor machine = new SealedFor(model, hypervisor, cpus, commandLine);
    for (String item : note.get().requires()) {
      if (!machine.meets(item)) {
        throw new CommandFailure(
            ExitStatus.FINDINGS,
            "%s: sealed, and requires '%s'; this machine is %s %s on hypervisor %s with %d CPU(s)"
                .formatted(image.name(), item, model.vendor(), model.name(), hypervisor, cpus));
      }
    }
  }

  /**
   * Whether the machine meets an item of {@link HypergraftNote#requires}.
   *
   * @throws ImageException when the item is damaged
   */
  boolean meets(String item) {
    Matcher m = ITEM.matcher(item);
    if (!m.matches()) {
      if (KNOWN.matcher(item).matches()) {
        throw new ImageException(
            "section %s is damaged: it requires '%s'".formatted(HypergraftNote.SECTION, item));
      }
      return true;
    }
    if (m.group("hypervisor") != null) {
      return m.group("hypervisor").equals(hypervisor);
    }
    if (m.group("cpus") != null) {
      return Integer.parseInt(m.group("cpus")) >= cpus;
    }
    boolean wanted = m.group("absent") == null;
    return shows(Integer.parseInt(m.group("feature"))).map(has -> has == wanted).orElse(true);
  }

  /**
   * Features that the command line makes a guest take for absent, whatever CPUID shows: those that
   * the last {@code clearcpuid=} numbers, and 5-level paging by {@code no5lvl} (Linux's
   * cpu/common.c and fpu/init.c). Where kernels read the list differently, fewer are taken: before
   * 5.18 a name ends it, and 5.10 sees 31 characters of it.
   */
  private static Set<Integer> cleared(String commandLine) {
    Set<Integer> out = new HashSet<>();
    String list = "";
    for (String word : commandLine.split("\\s+", -1)) {
      if (word.equals("no5lvl")) {
        out.add(LA57);
      } else if (word.startsWith("clearcpuid=")) {
        list = word.substring("clearcpuid=".length());
      }
    }
    for (String number : list.length() > MAX_LIST ? new String[0] : list.split(",", -1)) {
      if (!number.matches("[1-9][0-9]{0,3}")) {
        break;
      }
      out.add(Integer.parseInt(number));
    }
    return out;
  }

  /**
   * Whether the guest is shown a feature; empty when it is not CPUID that decides. One too many is
   * as bad as one too few: the guest turns on SMAP or 5-level paging where it sees them, whatever
   * its code was made for.
   */
  private Optional<Boolean> shows(int feature) {
    if (feature == PREFETCH_3DNOW) {
      return Optional.empty();
    }
    if (cleared.contains(feature)) {
      return Optional.of(false);
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
