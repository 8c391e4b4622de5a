package org.hypergraft.patcher.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.patcher.diff.ImageDiff;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.hypergraft.patcher.rewrite.Patcher;
import org.junit.jupiter.api.Test;

class DiffPageTest {
  private static final Pattern DATA =
      Pattern.compile("<script type=\"application/json\" id=\"data\">(.*?)</script>");

  private static ImageDiff diff(String kernel, String name) {
    GuestImage image = Kernels.image(kernel);
    byte[] patched = Patcher.patch(image, PlanOptions.of(Target.KVM), false).file();
    return ImageDiff.of(image, GuestImage.parse(patched, name));
  }

  private static Map<String, Object> data(String page) throws IOException {
    Matcher m = DATA.matcher(page);
    assertTrue(m.find());
    return JSON.std.mapFrom(m.group(1));
  }

  @Test
  @SuppressWarnings("unchecked")
  void theDataOfThePageIsThatOfTheJsonReport() throws IOException {
    ImageDiff diff = diff("6.1 cloud", "patched");
    Map<String, Object> page = data(new DiffPage(diff).html());
    Map<String, Object> report =
        JSON.std.mapFrom(new DiffReport(diff, DiffReport.Detail.OPERATIONS).json().toString());
    assertEquals(DiffReport.SCHEMA, report.get("schema"));
    assertEquals(report.get("data"), page.get("data"));
    List<List<Object>> rows = (List<List<Object>>) page.get("changes");
    List<Map<String, Object>> sites = (List<Map<String, Object>>) report.get("changes");
    assertEquals(report.get("count"), rows.size());
    assertTrue(rows.size() > 3_600, rows.size() + " sites");
    List<String> tables = (List<String>) page.get("tables");
    List<String> operations = (List<String>) page.get("operations");
    List<String> functions = (List<String>) page.get("functions");
    List<String> texts = (List<String>) page.get("texts");
    long address = Long.parseUnsignedLong(((String) page.get("base")).substring(2), 16);
    for (int i = 0; i < rows.size(); i++) {
      List<Object> row = rows.get(i);
      Map<String, Object> site = sites.get(i);
      address += number(row, 0);
      assertEquals(site.get("address"), Json.hex(address));
      assertEquals(site.get("kind"), "+-~".substring(number(row, 1), number(row, 1) + 1));
      assertEquals(site.get("table"), tables.get(number(row, 2)));
      assertEquals(site.get("operation"), operations.get(number(row, 3)));
      int offset = number(row, 5);
      assertEquals(
          site.get("symbol"),
          functions.get(number(row, 4)) + (offset == 0 ? "" : "+0x" + Integer.toHexString(offset)));
      assertEquals(((String) site.get("before")).replace(" ", ""), row.get(6));
      assertEquals(((String) site.get("after")).replace(" ", ""), row.get(7));
      assertEquals(
          String.join("\n", (List<String>) site.get("beforeText")), texts.get(number(row, 8)));
      assertEquals(
          String.join("\n", (List<String>) site.get("afterText")), texts.get(number(row, 9)));
    }
    int counted = 0;
    for (Map<String, Object> o : (List<Map<String, Object>>) report.get("byFunction")) {
      counted += (int) o.get("added") + (int) o.get("removed") + (int) o.get("changed");
    }
    assertEquals(rows.size(), counted);
  }

  private static int number(List<Object> row, int i) {
    return ((Number) row.get(i)).intValue();
  }

  @Test
  void thePageIsTheSameEachTimeAndNeedsNoOtherFile() {
    ImageDiff diff = diff("6.1 686", "patched");
    String page = new DiffPage(diff).html();
    assertEquals(page, new DiffPage(diff).html());
    assertFalse(page.contains("@DATA@"));
    assertFalse(Pattern.compile("(src|href|url)\\s*[=(]|@import|https?:").matcher(page).find());
  }

  @Test
  void aNameCannotBreakOutOfThePage() throws IOException {
    String name = "</script><script>alert('\"&')</script><!--";
    String page = new DiffPage(diff("6.1 686", name)).html();
    assertFalse(page.contains("alert('\"") || page.contains("<!--"), "raw name");
    Map<?, ?> second = (Map<?, ?>) data(page).get("second");
    assertEquals(name, second.get("name"));
  }
}
