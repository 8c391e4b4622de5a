package org.hypergraft.patcher.cli;

import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.report.Text;
import org.hypergraft.patcher.validate.ProfileRecorder;
import org.hypergraft.vmm.machine.MachineConfig;

/**
 * A boot to the end of the kernel's own patching.
 *
 * @param profile what the kernel decided
 * @param instructions how many it took
 */
record ProfileBoot(Profile profile, long instructions) {
  private static final String WHAT = "booting to the kernel's own patching";

  /** A machine that shows on the terminal how far it is. */
  static MachineConfig watched(MachineConfig.Builder builder, Terminal terminal) {
    return builder
        .progress(n -> terminal.progress().show(WHAT + ": " + Text.number(n) + " instructions"))
        .build();
  }

  /**
   * Boots.
   *
   * @param machine best one that is {@link #watched}
   * @throws CommandFailure when the guest does not come so far
   */
  static ProfileBoot run(MachineConfig machine, Terminal terminal) {
    terminal.progress().show(WHAT);
    ProfileRecorder.Recording recording =
        new ProfileRecorder(SiteMap.of(machine.image())).record(machine);
    if (recording.profile().isEmpty()) {
      if (!recording.run().death().isEmpty()) {
        terminal.note(recording.run().death().stripTrailing());
      }
      throw new CommandFailure(
          ExitStatus.GUEST,
          "the guest did not come to the end of its own patching: " + recording.run().reason());
    }
    return new ProfileBoot(recording.profile().get(), recording.run().retired());
  }
}
