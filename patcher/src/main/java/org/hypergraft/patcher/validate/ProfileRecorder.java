package org.hypergraft.patcher.validate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.hypergraft.annotator.image.Btf;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.vmm.machine.GuestView;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.RunReport;

/**
 * Boots a kernel to the end of its own patching and reads what it decided by: the functions in its
 * slots, the CPU capabilities, the processors. All of it lies in variables that the image names.
 */
public final class ProfileRecorder {
  // Variables of arch/x86/kernel/cpu/common.c, kernel/cpu.c and arch/x86/kernel/alternative.c.
  private static final String CPU_DATA = "boot_cpu_data";
  private static final String CPU_TYPE = "cpuinfo_x86";
  private static final String CAPABILITIES = "x86_capability";
  private static final String PRESENT = "__cpu_present_mask";
  private static final String POSSIBLE = "__cpu_possible_mask";
  private static final String UNIPROCESSOR = "uniproc_patched";
  private static final String RETURN_THUNK = "x86_return_thunk";
  private static final String NOP_TABLE = "ideal_nops";

  private final SiteMap sites;
  private final GuestImage image;

  /**
   * A recorder for an image that was not patched.
   *
   * @throws ImageException when the image does not name what is to be read
   */
  public ProfileRecorder(SiteMap sites) {
    this.sites = sites;
    image = sites.image();
    require(Oracle.PATCHING);
    require(CPU_DATA);
    require(PRESENT);
    if (sites.pvOps().isEmpty()) {
      throw new ImageException(image.name() + ": no pv_ops, so there is nothing to record");
    }
    capabilities();
  }

  /** What a recording came to. */
  public record Recording(Optional<Profile> profile, RunReport run) {}

  /**
   * Records.
   *
   * @param config a machine with this image, unmoved
   * @return without a profile when the guest did not come so far
   */
  public Recording record(MachineConfig config) {
    Profile[] found = new Profile[1];
    try (Machine machine = new Machine(config)) {
      machine.atReturn(
          address(Oracle.PATCHING),
          view -> {
            found[0] = read(view, config);
            return false;
          });
      RunReport run = machine.run();
      return new Recording(Optional.ofNullable(found[0]), run);
    }
  }

  private Profile read(GuestView view, MachineConfig config) {
    List<Long> main = new ArrayList<>();
    List<Long> locks = new ArrayList<>();
    PvOps ops = sites.pvOps().orElseThrow();
    for (PvOps.Slot slot : ops.slots()) {
      (slot.index() < ops.mainSlots() ? main : locks).add(view.imageWord(slot.address()));
    }
    Btf.Member member = capabilities();
    List<Integer> words = new ArrayList<>();
    long at = address(CPU_DATA) + member.offset();
    for (int i = 0; i < member.size() / Integer.BYTES; i++) {
      words.add((int) view.imageWord(at + (long) Integer.BYTES * i));
    }
    return new Profile(
        image.banner(),
        image.buildId(),
        Optional.of(config.hypervisor()),
        Optional.of(config.cpuModel() + "-" + config.cpuVendor().id()),
        main,
        locks,
        words,
        Long.bitCount(view.imageWord(address(PRESENT))),
        find(POSSIBLE)
            .map(a -> OptionalInt.of(Long.bitCount(view.imageWord(a))))
            .orElse(OptionalInt.empty()),
        find(UNIPROCESSOR).map(a -> view.image(a, 1)[0] != 0),
        find(RETURN_THUNK)
            .map(a -> OptionalLong.of(view.imageWord(a)))
            .orElse(OptionalLong.empty()),
        find(NOP_TABLE).flatMap(a -> named(view.imageWord(a))),
        List.of());
  }

  /** Where the capability words lie in the kernel's own type of a processor. */
  private Btf.Member capabilities() {
    return image
        .btf()
        .flatMap(btf -> btf.member(CPU_TYPE, CAPABILITIES))
        .orElseThrow(
            () ->
                new ImageException(
                    "%s: no type information tells where %s.%s lies"
                        .formatted(image.name(), CPU_TYPE, CAPABILITIES)));
  }

  private Optional<String> named(long address) {
    return image.symbols().nearest(address).filter(s -> s.address() == address).map(Symbol::name);
  }

  private Optional<Long> find(String symbol) {
    return image.symbols().find(symbol).map(Symbol::address);
  }

  private long address(String symbol) {
    return find(symbol).orElseThrow();
  }

  private void require(String symbol) {
    if (find(symbol).isEmpty()) {
      throw new ImageException(
          "%s: no symbol %s, which is needed to see what the kernel decides"
              .formatted(image.name(), symbol));
    }
  }
}
