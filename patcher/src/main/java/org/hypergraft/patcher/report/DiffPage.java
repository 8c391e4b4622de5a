package org.hypergraft.patcher.report;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.patcher.diff.ImageDiff;
import org.hypergraft.patcher.diff.SiteChange;
import org.hypergraft.patcher.rewrite.HypergraftNote;

/**
 * The differences as one HTML file without any outside resource: the template {@code
 * diff-page.html} with the data as JSON in it, from which its script makes rows when they are
 * looked at.
 *
 * <p>The data repeats no text: {@code tables}, {@code operations}, {@code functions} and {@code
 * texts} (instructions, one per line) are lists, and each element of {@code changes} is {@code
 * [distance from the change before or, for the first, from base; kind as its sign's place in "+-~";
 * table; operation; function; offset in it; bytes before; bytes after; text before; text after]}.
 */
public final class DiffPage {
  private static final String TEMPLATE = "diff-page.html";
  private static final String DATA = "@DATA@";

  private final ImageDiff diff;

  public DiffPage(ImageDiff diff) {
    this.diff = diff;
  }

  /** Strings by their place of first use. */
  private static final class Pool {
    private final Map<String, Integer> places = new LinkedHashMap<>();

    int place(String s) {
      return places.computeIfAbsent(s, x -> places.size());
    }

    List<String> strings() {
      return List.copyOf(places.keySet());
    }
  }

  /** The page. */
  public String html() {
    String template = template();
    int at = template.indexOf(DATA);
    return template.substring(0, at) + data() + template.substring(at + DATA.length());
  }

  /**
   * JSON that may stand in a script element: there "<" must not begin a tag or a comment, and it
   * occurs in strings only.
   */
  private String data() {
    try {
      return JSON.std
          .with(JSON.Feature.WRITE_NULL_PROPERTIES)
          .asString(members())
          .replace("<", "\\u003c");
    } catch (IOException e) {
      throw new UncheckedIOException("writing JSON to memory", e);
    }
  }

  private Map<String, Object> members() {
    Pool tables = new Pool();
    Pool operations = new Pool();
    Pool functions = new Pool();
    Pool texts = new Pool();
    HexFormat hex = HexFormat.of();
    List<Object> rows = new ArrayList<>(diff.changes().size());
    long last = diff.changes().isEmpty() ? 0 : diff.changes().get(0).address();
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("kernel", diff.first().banner().orElse(""));
    m.put("first", image(diff.first()));
    m.put("second", image(diff.second()));
    m.put("data", diff.data());
    m.put("base", Json.hex(last));
    for (SiteChange c : diff.changes()) {
      rows.add(
          List.of(
              c.address() - last,
              c.kind().ordinal(),
              tables.place(c.table()),
              operations.place(c.operation()),
              functions.place(c.function()),
              c.offset(),
              hex.formatHex(c.before()),
              hex.formatHex(c.after()),
              texts.place(String.join("\n", diff.before(c))),
              texts.place(String.join("\n", diff.after(c)))));
      last = c.address();
    }
    m.put("tables", tables.strings());
    m.put("operations", operations.strings());
    m.put("functions", functions.strings());
    m.put("texts", texts.strings());
    m.put("changes", rows);
    return m;
  }

  private static Map<String, Object> image(GuestImage image) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("name", image.name());
    m.put("sha256", image.sha256());
    m.put("options", HypergraftNote.of(image).map(HypergraftNote::options).orElse(""));
    return m;
  }

  private static String template() {
    try (InputStream in = DiffPage.class.getResourceAsStream(TEMPLATE)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("reading " + TEMPLATE, e);
    }
  }
}
