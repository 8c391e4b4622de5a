package org.hypergraft.vmm.observe;

import java.util.OptionalLong;
import org.hypergraft.vmm.machine.GuestControl;

/**
 * A point of a run as users name it: {@code SYMBOL}, {@code SYMBOL+0x10} or {@code 0xADDRESS}, with
 * {@code :N} for the N-th time it is reached.
 *
 * @param symbol name, or null where {@code offset} is a run-time address
 * @param offset bytes from the symbol
 * @param arrival which time, from 1
 */
public record Waypoint(String symbol, long offset, long arrival) {
  /**
   * Reads what a user wrote.
   *
   * @throws IllegalArgumentException when it is none, with the reason
   */
  public static Waypoint parse(String text) {
    int colon = text.lastIndexOf(':');
    String place = colon < 0 ? text : text.substring(0, colon);
    long arrival = colon < 0 ? 1 : number(text.substring(colon + 1), text);
    if (arrival < 1) {
      throw new IllegalArgumentException("'" + text + "': times are counted from 1");
    }
    if (place.startsWith("0x")) {
      return new Waypoint(null, number(place, text), arrival);
    }
    int plus = place.indexOf('+');
    String name = plus < 0 ? place : place.substring(0, plus);
    if (name.isEmpty() || Character.isDigit(name.charAt(0))) {
      throw new IllegalArgumentException(
          "'" + text + "' is neither a symbol nor an address such as 0xffffffff81000000");
    }
    return new Waypoint(name, plus < 0 ? 0 : number(place.substring(plus + 1), text), arrival);
  }

  private static long number(String digits, String all) {
    try {
      return digits.startsWith("0x")
          ? Long.parseUnsignedLong(digits.substring(2), 16)
          : Long.parseUnsignedLong(digits);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'%s': '%s' is no number".formatted(all, digits));
    }
  }

  /** Its run-time address; empty when the kernel has no such symbol. */
  public OptionalLong address(GuestControl guest) {
    if (symbol == null) {
      return OptionalLong.of(offset);
    }
    OptionalLong base = guest.address(symbol);
    return base.isPresent() ? OptionalLong.of(base.getAsLong() + offset) : base;
  }

  @Override
  public String toString() {
    String at = symbol == null ? "" : symbol;
    if (symbol == null || offset != 0) {
      at += (symbol == null ? "0x" : "+0x") + Long.toHexString(offset);
    }
    return arrival == 1 ? at : at + ":" + arrival;
  }
}
