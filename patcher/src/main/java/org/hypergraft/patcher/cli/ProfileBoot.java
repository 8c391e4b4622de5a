package org.hypergraft.patcher.cli;

import org.hypergraft.annotator.image.GuestImage;
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
  /**
   * Boots.
   *
   * @throws CommandFailure when the guest does not come so far
   */
  static ProfileBoot run(GuestImage image, MachineConfig.Builder machine, Terminal terminal) {
    String what = "booting to the kernel's own patching";
    terminal.progress().show(what);
    MachineConfig config =
        machine
            .progress(n -> terminal.progress().show(what + ": " + Text.number(n) + " instructions"))
            .build();
    ProfileRecorder.Recording recording = new ProfileRecorder(SiteMap.of(image)).record(config);
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
