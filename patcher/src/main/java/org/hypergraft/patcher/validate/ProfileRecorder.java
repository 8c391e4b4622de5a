package org.hypergraft.patcher.validate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.FunctionCode;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.vmm.machine.GuestView;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.Moment;
import org.hypergraft.vmm.machine.RunReport;

/**
 * Boots a kernel to the end of its own patching and reads what it decided by: the functions in its
 * slots, the CPU capabilities, the processors. All of it lies in variables that the image names.
 */
public final class ProfileRecorder {
  private final SiteMap sites;
  private final GuestImage image;
  private final KernelVariables variables;
  private final long patching;

  /**
   * A recorder for an image that was not patched.
   *
   * @throws ImageException when the image does not name what is to be read
   */
  public ProfileRecorder(SiteMap sites) {
    this.sites = sites;
    image = sites.image();
    if (sites.pvOps().isEmpty()) {
      throw new ImageException(image.name() + ": no pv_ops, so there is nothing to record");
    }
    patching = image.symbols().addressOf(FunctionCode.PATCHING);
    variables = KernelVariables.of(image);
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
    return record(config, view -> false);
  }

  /**
   * Records, and shows the guest to {@code also} at the same moment; the run ends there.
   *
   * @param config a machine with this image, unmoved
   */
  public Recording record(MachineConfig config, Moment also) {
    Profile[] found = new Profile[1];
    try (Machine machine = new Machine(config)) {
      machine.atReturn(
          patching,
          view -> {
            found[0] = read(view, config);
            also.reached(view);
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
      (slot.index() < ops.mainSlots() ? main : locks).add(word(view, slot.address()));
    }
    List<Integer> words = new ArrayList<>();
    for (int i = 0; i < variables.capabilityWords(); i++) {
      words.add((int) number(view, variables.capabilities() + (long) Integer.BYTES * i, 4));
    }
    return new Profile(
        image.banner(),
        image.buildId(),
        Optional.of(config.hypervisor()),
        Optional.of(config.cpuModel() + "-" + config.cpuVendor().id()),
        main,
        locks,
        words,
        Long.bitCount(word(view, variables.present())),
        variables.possible().isPresent()
            ? OptionalInt.of(Long.bitCount(word(view, variables.possible().getAsLong())))
            : OptionalInt.empty(),
        variables.uniprocessor().isPresent()
            ? Optional.of(number(view, variables.uniprocessor().getAsLong(), 1) != 0)
            : Optional.empty(),
        variables.returnThunk().isPresent()
            ? OptionalLong.of(word(view, variables.returnThunk().getAsLong()))
            : OptionalLong.empty(),
        variables.nopTable().isPresent()
            ? named(word(view, variables.nopTable().getAsLong()))
            : Optional.empty(),
        List.of()); // on what the machine offers, no slot is given two functions
  }

  /** A pointer, or the first word of a mask. */
  private long word(GuestView view, long address) {
    return number(view, address, image.elf().wordSize());
  }

  private static long number(GuestView view, long address, int bytes) {
    long value = 0;
    byte[] b = view.image(address, bytes);
    for (int i = bytes - 1; i >= 0; i--) {
      value = (value << 8) | (b[i] & 0xff);
    }
    return value;
  }

  private Optional<String> named(long address) {
    return image.symbols().nearest(address).filter(s -> s.address() == address).map(Symbol::name);
  }
}
