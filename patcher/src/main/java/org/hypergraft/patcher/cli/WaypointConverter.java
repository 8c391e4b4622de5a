package org.hypergraft.patcher.cli;

import org.hypergraft.vmm.observe.Waypoint;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code SYMBOL[+OFFSET]} or {@code 0xADDRESS}, with {@code :N} for the N-th time. */
final class WaypointConverter implements ITypeConverter<Waypoint> {
  @Override
  public Waypoint convert(String value) {
    try {
      return Waypoint.parse(value);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
