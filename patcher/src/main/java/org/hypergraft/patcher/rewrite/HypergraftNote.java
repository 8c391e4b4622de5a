package org.hypergraft.patcher.rewrite;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.profile.ProfileJson;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.PlanOptions;

/**
 * What a patched image says about itself: an ELF note of owner {@code Hypergraft}, whose
 * description is JSON.
 *
 * @param toolVersion version of the tool that made it
 * @param sourceSha256 hash of the file it was made from
 * @param target id of the target
 * @param options canonical text of all options: equal text means equal output
 * @param profile the profile the options name
 * @param counts sites by action
 * @param requires what the environment must offer, one item each, as {@link Plan#requires} has them
 */
public record HypergraftNote(
    String toolVersion,
    String sourceSha256,
    String target,
    String options,
    Optional<Profile> profile,
    Map<Action, Integer> counts,
    List<String> requires) {
  /** Owner name of the note. */
  public static final String OWNER = "Hypergraft";

  /** Section that holds the note; not loaded. */
  public static final String SECTION = ".note.hypergraft";

  /** Version of the tool as it is recorded; part of what makes two outputs equal. */
  public static final String TOOL_VERSION = "0.1.0";

  private static final int TYPE = 0x48470001; // "HG", version 1: no number that other owners use
  private static final int MAX_BYTES = 1 << 20;

  public HypergraftNote {
    counts = Map.copyOf(counts);
    requires = List.copyOf(requires);
  }

  /**
   * The note of an image, if it was patched.
   *
   * @throws ImageException when there is one that cannot be read
   */
  public static Optional<HypergraftNote> of(GuestImage image) {
    Optional<Section> s = image.section(SECTION);
    if (s.isEmpty() || !s.get().hasBytes()) {
      return Optional.empty();
    }
    int size = (int) Math.min(s.get().size(), MAX_BYTES);
    ByteBuffer b =
        ByteBuffer.wrap(image.payload(), s.get().offset(), size)
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
    int header = 12 + 12; // the name takes 11 bytes, padded to 12
    if (size < header || b.getInt(0) != OWNER.length() + 1) {
      throw damaged(image, "no note of owner " + OWNER);
    }
    int length = b.getInt(4);
    if (length < 0 || length > size - header) {
      throw damaged(image, "its description claims %d bytes of %d".formatted(length, size));
    }
    String json =
        new String(image.payload(), s.get().offset() + header, length, StandardCharsets.UTF_8);
    try {
      return Optional.of(fromJson(JSON.std.mapFrom(json)));
    } catch (IOException | ClassCastException | NullPointerException | StackOverflowError e) {
      throw damaged(image, "its description is no note of this tool");
    }
  }

  private static ImageException damaged(GuestImage image, String what) {
    return new ImageException(
        "%s: section %s is damaged: %s".formatted(image.name(), SECTION, what));
  }

  private static HypergraftNote fromJson(Map<String, Object> m) throws IOException {
    Map<Action, Integer> counts = new EnumMap<>(Action.class);
    Map<?, ?> sites = (Map<?, ?>) m.get("sites");
    for (Action a : Action.values()) {
      counts.put(a, ((Number) sites.get(a.id())).intValue());
    }
    List<String> requires = new ArrayList<>();
    for (Object o : (List<?>) m.get("requires")) {
      requires.add((String) o);
    }
    Optional<Profile> profile =
        m.containsKey("profile")
            ? Optional.of(
                ProfileJson.parse(
                    JSON.std.asString(m.get("profile")).getBytes(StandardCharsets.UTF_8), SECTION))
            : Optional.empty();
    return new HypergraftNote(
        text(m, "version"),
        text(m, "source"),
        text(m, "target"),
        text(m, "options"),
        profile,
        counts,
        requires);
  }

  private static String text(Map<String, Object> m, String key) {
    Object o = m.get(key);
    if (o instanceof String s) {
      return s;
    }
    throw new ClassCastException(key);
  }

  /** The note as JSON-ready members, in a fixed order. */
  public Map<String, Object> members() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("tool", OWNER.toLowerCase(Locale.ROOT));
    m.put("version", toolVersion);
    m.put("source", sourceSha256);
    m.put("target", target);
    m.put("options", options);
    Map<String, Object> sites = new LinkedHashMap<>();
    for (Action a : Action.values()) {
      sites.put(a.id(), counts.getOrDefault(a, 0));
    }
    m.put("sites", sites);
    m.put("requires", requires);
    profile.ifPresent(p -> m.put("profile", ProfileJson.members(p)));
    return m;
  }

  /**
   * The options as they were.
   *
   * @throws ImageException when this version does not understand them
   */
  public PlanOptions planOptions() {
    try {
      return PlanOptions.parse(options, profile);
    } catch (IllegalArgumentException e) {
      throw new ImageException("section %s: %s".formatted(SECTION, e.getMessage()), e);
    }
  }

  /** The ELF note: header, owner, description, each padded to 4 bytes (gABI, "Note Section"). */
  byte[] toBytes() {
    byte[] json;
    try {
      json = JSON.std.asString(members()).getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("writing JSON to memory", e);
    }
    byte[] owner = OWNER.getBytes(StandardCharsets.US_ASCII);
    int ownerSize = owner.length + 1 + 3 & ~3;
    ByteBuffer b =
        ByteBuffer.allocate(12 + ownerSize + (json.length + 3 & ~3)).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(owner.length + 1).putInt(json.length).putInt(TYPE).put(owner);
    b.position(12 + ownerSize);
    b.put(json);
    return b.array();
  }
}
