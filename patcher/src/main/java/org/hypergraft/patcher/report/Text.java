package org.hypergraft.patcher.report;

import java.util.HexFormat;
import java.util.Locale;

/** How values look in text reports. */
public final class Text {
  private static final HexFormat SPACED = HexFormat.ofDelimiter(" ");

  private Text() {}

  /** Bytes as they stand in memory: {@code ff 15 22 4a 67 01}. */
  public static String bytes(byte[] bytes) {
    return SPACED.formatHex(bytes);
  }

  /** A count with its noun: {@code 1 site}, {@code 3,679 sites}. */
  public static String count(long n, String noun) {
    return number(n) + " " + noun + (n == 1 ? "" : "s");
  }

  /** Digits in groups of three. */
  public static String number(long n) {
    return String.format(Locale.ROOT, "%,d", n);
  }

  /** A size in bytes, rounded to what a person reads: {@code 53.4 MiB}. */
  public static String size(long bytes) {
    if (bytes < 1024) {
      return bytes + " bytes";
    }
    String[] units = {"KiB", "MiB", "GiB", "TiB"};
    double value = bytes / 1024.0;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
  }

  /** An enum constant as users write it: {@code XEN_PVH} is {@code xen-pvh}. */
  public static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
