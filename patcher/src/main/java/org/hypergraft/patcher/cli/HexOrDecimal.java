package org.hypergraft.patcher.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A number in decimal or, after {@code 0x}, in hexadecimal; not negative. */
final class HexOrDecimal implements ITypeConverter<Long> {
  @Override
  public Long convert(String value) {
    try {
      return value.startsWith("0x") || value.startsWith("0X")
          ? Long.parseUnsignedLong(value.substring(2), 16)
          : Long.parseUnsignedLong(value);
    } catch (NumberFormatException e) {
      throw new TypeConversionException(
          "'" + value + "' is not a number such as 2097152 or 0x200000");
    }
  }
}
