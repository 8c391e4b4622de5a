package org.hypergraft.patcher.plan;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** A hypervisor interface that a Linux image can be committed to. */
public enum Target {
  NATIVE("bare hardware, or a hypervisor that needs no help of the guest"),
  KVM("Linux KVM"),
  HYPERV("Microsoft Hyper-V"),
  XEN_PV("Xen, paravirtual domain"),
  XEN_PVH("Xen, hardware-assisted domain (PVH or HVM)"),
  VMWARE("VMware");

  private final String description;

  Target(String description) {
    this.description = description;
  }

  /** As on the command line: {@code xen-pv}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** One line for people. */
  public String description() {
    return description;
  }

  /** The target of that id. */
  public static Optional<Target> named(String id) {
    return Arrays.stream(values()).filter(t -> t.id().equals(id)).findFirst();
  }

  /** All ids, for messages. */
  public static String ids() {
    return Arrays.stream(values()).map(Target::id).collect(Collectors.joining(", "));
  }
}
