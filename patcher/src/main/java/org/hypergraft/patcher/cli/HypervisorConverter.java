package org.hypergraft.patcher.cli;

import java.util.Iterator;
import java.util.List;
import org.hypergraft.vmm.hypervisor.HypervisorProvider;
import org.hypergraft.vmm.hypervisor.Hypervisors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The name of a hypervisor of the bundled machine. */
final class HypervisorConverter implements ITypeConverter<String> {
  /** The names, for help and completion. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return names().iterator();
    }
  }

  @Override
  public String convert(String value) {
    return Hypervisors.named(value)
        .map(HypervisorProvider::id)
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "the machine has no hypervisor '%s'; expected one of %s"
                        .formatted(value, String.join(", ", names()))));
  }

  private static List<String> names() {
    return Hypervisors.all().stream().map(HypervisorProvider::id).sorted().toList();
  }
}
