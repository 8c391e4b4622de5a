package org.hypergraft.patcher.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A size of memory as users write it: {@code 256M}, {@code 1G}, {@code 0x10000000}. */
final class MemorySize implements ITypeConverter<Long> {
  private static final Pattern SIZE = Pattern.compile("(0x[0-9a-f]+|[0-9]+)([kmg]?)(i?b)?");

  @Override
  public Long convert(String value) {
    Matcher m = SIZE.matcher(value.toLowerCase(Locale.ROOT));
    try {
      if (m.matches()) {
        long bytes = Math.multiplyExact(Long.decode(decimal(m.group(1))), unit(m.group(2)));
        if (bytes > 0) {
          return bytes;
        }
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // falls through to the sentence below
    }
    throw new TypeConversionException("'" + value + "' is not a size of memory such as 256M or 1G");
  }

  /** Without leading zeros, which would mean octal. */
  private static String decimal(String digits) {
    return digits.startsWith("0x") ? digits : digits.replaceFirst("^0+(?=.)", "");
  }

  private static long unit(String letter) {
    return switch (letter) {
      case "k" -> 1L << 10;
      case "m" -> 1L << 20;
      case "g" -> 1L << 30;
      default -> 1;
    };
  }
}
