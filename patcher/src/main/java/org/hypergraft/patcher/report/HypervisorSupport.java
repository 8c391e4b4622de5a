package org.hypergraft.patcher.report;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Notes;

/** Which hypervisors a Linux image was built to recognize. */
final class HypervisorSupport {
  /**
   * A detector of arch/x86/kernel/cpu/hypervisor.c, in its order: the structure, and a function of
   * it for images that keep only the names of functions.
   */
  private record Detector(String name, String structure, String function) {}

  private static final List<Detector> DETECTORS =
      List.of(
          new Detector("xen-pv", "x86_hyper_xen_pv", "xen_start_kernel"),
          new Detector("xen-hvm", "x86_hyper_xen_hvm", "xen_hvm_guest_init"),
          new Detector("vmware", "x86_hyper_vmware", "vmware_platform_setup"),
          new Detector("hyperv", "x86_hyper_ms_hyperv", "ms_hyperv_init_platform"),
          new Detector("kvm", "x86_hyper_kvm", "kvm_init_platform"),
          new Detector("jailhouse", "x86_hyper_jailhouse", "jailhouse_init_platform"),
          new Detector("acrn", "x86_hyper_acrn", "acrn_init_platform"),
          new Detector("bhyve", "x86_hyper_bhyve", "bhyve_init_platform"));

  private HypervisorSupport() {}

  static List<String> of(GuestImage image) {
    List<String> found = new ArrayList<>();
    for (Detector d : DETECTORS) {
      if (image.symbols().contains(d.structure()) || image.symbols().contains(d.function())) {
        found.add(d.name());
      }
    }
    // A Xen note with an entry point says so even when the symbols are gone.
    if (!found.contains("xen-pv") && image.notes().find(Notes.XEN, Notes.XEN_ENTRY).isPresent()) {
      found.add("xen-pv");
    }
    return found;
  }
}
