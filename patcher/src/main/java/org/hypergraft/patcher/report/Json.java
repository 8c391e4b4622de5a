package org.hypergraft.patcher.report;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.FilterWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A JSON object under construction. Keys keep the order in which they were put. */
public final class Json {
  private static final JSON WRITER =
      JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT, JSON.Feature.WRITE_NULL_PROPERTIES);

  private final Map<String, Object> members = new LinkedHashMap<>();

  /**
   * Adds a member: a string, a number, a boolean, an enum constant (as its lower-case name),
   * another object, a list of these, or null.
   */
  public Json put(String key, Object value) {
    members.put(key, plain(value));
    return this;
  }

  /** Adds an address as a string, {@code 0x} and 16 digits: JSON numbers lose its low bits. */
  public Json address(String key, long address) {
    return put(key, hex(address));
  }

  /** Adds one element per item; elements are made when they are written, one at a time. */
  public <T> Json list(String key, Collection<T> items, Function<T, ?> element) {
    members.put(
        key, (Iterable<Object>) () -> items.stream().map(element).map(Json::plain).iterator());
    return this;
  }

  /** Writes it, indented, with a line end. */
  public void writeTo(PrintWriter out) {
    try {
      WRITER.write(members, new CloseShield(out));
    } catch (IOException e) {
      throw new UncheckedIOException("writing JSON", e);
    }
    out.println();
  }

  /** Keeps the generator from closing a stream that is not its own. */
  private static final class CloseShield extends FilterWriter {
    CloseShield(Writer out) {
      super(out);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }

  @Override
  public String toString() {
    try {
      return WRITER.asString(members);
    } catch (IOException e) {
      throw new UncheckedIOException("writing JSON to memory", e);
    }
  }

  /** {@code 0x} and 16 digits. */
  public static String hex(long address) {
    StringBuilder s = new StringBuilder(18).append("0x");
    for (int shift = 60; shift >= 0; shift -= 4) {
      s.append(Character.forDigit((int) (address >>> shift) & 15, 16));
    }
    return s.toString();
  }

  private static Object plain(Object value) {
    if (value instanceof Json object) {
      return object.members;
    }
    if (value instanceof Enum<?> constant) {
      return Text.name(constant);
    }
    if (value instanceof Collection<?> items) {
      List<Object> list = new ArrayList<>(items.size());
      for (Object item : items) {
        list.add(plain(item));
      }
      return list;
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> copy = new LinkedHashMap<>();
      map.forEach((k, v) -> copy.put(String.valueOf(plain(k)), plain(v)));
      return copy;
    }
    return value;
  }
}
