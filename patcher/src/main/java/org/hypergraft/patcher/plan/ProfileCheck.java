package org.hypergraft.patcher.plan;

import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;

/** Whether a profile, which may come from anywhere, can be followed for an image. */
final class ProfileCheck {
  private final SiteMap sites;
  private final GuestImage image;
  private final Profile profile;

  private ProfileCheck(SiteMap sites, Profile profile) {
    this.sites = sites;
    this.profile = profile;
    image = sites.image();
  }

  /**
   * Refuses a profile of another kernel, one whose addresses are not this kernel's, and one whose
   * code is made at boot.
   *
   * @throws ImageException naming what does not fit
   */
  static void check(SiteMap sites, Profile profile) {
    ProfileCheck c = new ProfileCheck(sites, profile);
    c.kernel();
    c.callDepth();
    c.functions();
  }

  private void kernel() {
    boolean otherBuild = differ(profile.buildId(), image.buildId());
    boolean otherKernel = differ(profile.kernel().map(String::strip), image.banner());
    if (otherBuild || otherKernel) {
      throw new ImageException(
          "%s: the profile is of another kernel (%s), this one is %s"
              .formatted(
                  image.name(),
                  profile.kernel().or(profile::buildId).orElse("?"),
                  image.banner().or(image::buildId).orElse("?")));
    }
  }

  private static boolean differ(Optional<String> a, Optional<String> b) {
    return a.isPresent() && b.isPresent() && !a.equals(b);
  }

  private void callDepth() {
    if (sites.addresses(AddressTable.Kind.CALL_SITES).isPresent()
        && profile.has(CpuFeature.CALL_DEPTH)) {
      throw new ImageException(
          image.name()
              + ": the profile has call depth tracking (CALL_DEPTH) on, for which the kernel builds"
              + " a thunk per function at boot; such an image cannot be made offline");
    }
  }

  /** Addresses that the code will call or jump to. */
  private void functions() {
    if (sites.pvOps().isPresent()) {
      PvOps ops = sites.pvOps().get();
      functions("pvOps", profile.pvOps(), ops.mainSlots());
      functions("pvOpsLock", profile.pvOpsLock(), ops.slots().size() - ops.mainSlots());
    }
    if (profile.returnThunk().isPresent() && profile.has(CpuFeature.RETHUNK)) {
      function("returnThunk", profile.returnThunk().getAsLong());
    }
  }

  /** A dump may go on behind the slots; null slots are the kernel's to handle. */
  private void functions(String member, List<Long> addresses, int slots) {
    for (int i = 0; i < Math.min(slots, addresses.size()); i++) {
      if (addresses.get(i) != 0) {
        function(member + "[" + i + "]", addresses.get(i));
      }
    }
  }

  private void function(String what, long address) {
    boolean known =
        sites.code().offsetOf(address, 1) >= 0
            && (image.symbols().size() == 0
                || image
                    .symbols()
                    .nearest(address)
                    .filter(s -> s.address() == address)
                    .isPresent());
    if (!known) {
      throw new ImageException(
          "%s: profile member \"%s\" is 0x%x, where this kernel has no function; link addresses are"
                  .formatted(image.name(), what, address)
              + " expected, without a KASLR offset");
    }
  }
}
