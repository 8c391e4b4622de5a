package org.hypergraft.annotator.profile;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Sha256;

/** Profiles as JSON: addresses are strings, {@code 0x} and hexadecimal digits. */
public final class ProfileJson {
  /** A profile is a few kilobytes; pv_ops writes may add some. */
  public static final int MAX_BYTES = 4 << 20;

  private static final int MAX_LIST = 1 << 16;

  private static final int FINGERPRINT_DIGITS = 32;

  private ProfileJson() {}

  /**
   * Reads a profile's file, and no more of it than a profile may have.
   *
   * @throws IOException when it cannot be read
   * @throws ImageException when it is no profile of a version this tool knows
   */
  public static Profile read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return parse(in.readNBytes(MAX_BYTES + 1), file.toString());
    }
  }

  /**
   * Reads a profile.
   *
   * @param json the bytes of the file
   * @param name what to call it in messages
   * @throws ImageException when it is no profile of a version this tool knows
   */
  public static Profile parse(byte[] json, String name) {
    if (json.length > MAX_BYTES) {
      throw new ImageException(
          "%s: more than %d bytes, too many for a profile".formatted(name, MAX_BYTES));
    }
    Map<String, Object> root;
    try {
      root = JSON.std.mapFrom(json);
    } catch (IOException | StackOverflowError e) {
      throw new ImageException(name + ": not JSON, or not an object: " + firstLine(e), e);
    }
    if (root == null) {
      throw new ImageException(name + ": expected a JSON object");
    }
    Reader r = new Reader(root, name);
    long version = r.integer("version").orElseThrow(() -> r.missing("version"));
    if (version != Profile.VERSION) {
      throw new ImageException(
          "%s: profile version %d, expected %d".formatted(name, version, Profile.VERSION));
    }
    List<Integer> capabilities = new ArrayList<>();
    for (Object o : r.list("cpuCapabilities", true)) {
      capabilities.add((int) r.number("cpuCapabilities", o, Integer.MIN_VALUE, 0xffff_ffffL));
    }
    int present = r.cpus("presentCpus").orElseThrow(() -> r.missing("presentCpus"));
    return new Profile(
        r.string("kernel"),
        r.string("buildId"),
        r.string("hypervisor"),
        r.string("cpuModel"),
        r.addresses("pvOps", true),
        r.addresses("pvOpsLock", false),
        capabilities,
        present,
        r.cpus("possibleCpus"),
        r.bool("uniprocessor"),
        r.address("returnThunk"),
        r.string("idealNops"),
        r.writes());
  }

  private static String firstLine(Throwable e) {
    String m = String.valueOf(e.getMessage());
    int end = m.indexOf('\n');
    return end < 0 ? m : m.substring(0, end);
  }

  /** The profile as JSON, always the same text for the same profile. */
  public static String write(Profile p) {
    try {
      return JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(members(p)) + "\n";
    } catch (IOException e) {
      throw new IllegalStateException("writing JSON to memory", e);
    }
  }

  static String fingerprint(Profile p) {
    try {
      byte[] canonical = JSON.std.asString(members(p)).getBytes(StandardCharsets.UTF_8);
      return Sha256.of(canonical).substring(0, FINGERPRINT_DIGITS);
    } catch (IOException e) {
      throw new IllegalStateException("writing JSON to memory", e);
    }
  }

  /** The profile as JSON-ready members, in a fixed order. */
  public static Map<String, Object> members(Profile p) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("version", Profile.VERSION);
    p.kernel().ifPresent(v -> m.put("kernel", v));
    p.buildId().ifPresent(v -> m.put("buildId", v));
    p.hypervisor().ifPresent(v -> m.put("hypervisor", v));
    p.cpuModel().ifPresent(v -> m.put("cpuModel", v));
    m.put("pvOps", p.pvOps().stream().map(ProfileJson::hex).toList());
    if (!p.pvOpsLock().isEmpty()) {
      m.put("pvOpsLock", p.pvOpsLock().stream().map(ProfileJson::hex).toList());
    }
    m.put("cpuCapabilities", p.cpuCapabilities().stream().map(Integer::toUnsignedLong).toList());
    m.put("presentCpus", p.presentCpus());
    p.possibleCpus().ifPresent(v -> m.put("possibleCpus", v));
    p.uniprocessor().ifPresent(v -> m.put("uniprocessor", v));
    p.returnThunk().ifPresent(v -> m.put("returnThunk", hex(v)));
    p.idealNops().ifPresent(v -> m.put("idealNops", v));
    if (!p.pvOpsWrites().isEmpty()) {
      List<Object> writes = new ArrayList<>();
      for (Profile.SlotWrite w : p.pvOpsWrites()) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("slot", w.slot());
        one.put("value", hex(w.value()));
        one.put("instruction", hex(w.instruction()));
        one.put("symbol", w.symbol());
        writes.add(one);
      }
      m.put("pvOpsWrites", writes);
    }
    return m;
  }

  private static String hex(long address) {
    return "0x" + Long.toHexString(address);
  }

  /** Typed access with messages that name the member. */
  private record Reader(Map<String, Object> root, String name) {
    ImageException missing(String key) {
      return new ImageException("%s: profile lacks \"%s\"".formatted(name, key));
    }

    ImageException wrong(String key, String expected, Object found) {
      String text = found instanceof String s ? '"' + s + '"' : String.valueOf(found);
      return new ImageException(
          "%s: profile member \"%s\": expected %s, found %s"
              .formatted(name, key, expected, text.length() > 80 ? text.substring(0, 80) : text));
    }

    Optional<String> string(String key) {
      Object o = root.get(key);
      if (o == null) {
        return Optional.empty();
      }
      if (o instanceof String s) {
        return Optional.of(s);
      }
      throw wrong(key, "a string", o);
    }

    Optional<Boolean> bool(String key) {
      Object o = root.get(key);
      if (o == null) {
        return Optional.empty();
      }
      if (o instanceof Boolean b) {
        return Optional.of(b);
      }
      throw wrong(key, "true or false", o);
    }

    OptionalInt cpus(String key) {
      Object o = root.get(key);
      return o == null ? OptionalInt.empty() : OptionalInt.of((int) number(key, o, 1, 1 << 16));
    }

    Optional<Long> integer(String key) {
      Object o = root.get(key);
      return o == null
          ? Optional.empty()
          : Optional.of(number(key, o, Long.MIN_VALUE, Long.MAX_VALUE));
    }

    long number(String key, Object o, long min, long max) {
      if (o instanceof Integer || o instanceof Long) {
        long v = ((Number) o).longValue();
        if (v >= min && v <= max) {
          return v;
        }
      }
      throw wrong(key, "a whole number from %d to %d".formatted(min, max), o);
    }

    List<?> list(String key, boolean required) {
      Object o = root.get(key);
      if (o == null) {
        if (required) {
          throw missing(key);
        }
        return List.of();
      }
      if (o instanceof List<?> l && l.size() <= MAX_LIST) {
        return l;
      }
      throw wrong(key, "a list", o);
    }

    List<Long> addresses(String key, boolean required) {
      List<Long> out = new ArrayList<>();
      for (Object o : list(key, required)) {
        out.add(parseAddress(key, o));
      }
      return out;
    }

    OptionalLong address(String key) {
      Object o = root.get(key);
      return o == null ? OptionalLong.empty() : OptionalLong.of(parseAddress(key, o));
    }

    long parseAddress(String key, Object o) {
      if (o instanceof String s && s.matches("0x[0-9a-fA-F]{1,16}")) {
        return new BigInteger(s.substring(2), 16).longValue();
      }
      throw wrong(key, "an address such as \"0xffffffff81000000\"", o);
    }

    List<Profile.SlotWrite> writes() {
      List<Profile.SlotWrite> out = new ArrayList<>();
      for (Object o : list("pvOpsWrites", false)) {
        if (!(o instanceof Map<?, ?> m)) {
          throw wrong("pvOpsWrites", "objects", o);
        }
        out.add(
            new Profile.SlotWrite(
                (int) number("pvOpsWrites.slot", m.get("slot"), 0, 1 << 16),
                parseAddress("pvOpsWrites.value", m.get("value")),
                parseAddress("pvOpsWrites.instruction", m.get("instruction")),
                String.valueOf(m.get("symbol"))));
      }
      return out;
    }
  }
}
