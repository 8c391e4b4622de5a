package org.hypergraft.vmm.hypervisor;

import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * The hypervisors that can be chosen: the {@link HypervisorProvider} services of the class path. A
 * new one needs its folder and a line in the service file.
 */
public final class Hypervisors {
  private Hypervisors() {}

  public static List<HypervisorProvider> all() {
    return ServiceLoader.load(HypervisorProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  public static Optional<HypervisorProvider> named(String id) {
    return all().stream().filter(p -> p.id().equals(id)).findFirst();
  }
}
