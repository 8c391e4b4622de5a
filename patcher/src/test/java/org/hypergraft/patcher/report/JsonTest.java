package org.hypergraft.patcher.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
  enum Colour {
    DARK_RED
  }

  @Test
  void keepsOrderAndNesting() throws IOException {
    Json json =
        new Json()
            .put("zebra", 1)
            .address("address", 0xffffffff81000000L)
            .put("colour", Colour.DARK_RED)
            .list("items", List.of(1, 2), i -> new Json().put("n", i))
            .put("none", null);
    Map<String, Object> back = JSON.std.mapFrom(json.toString());
    assertEquals(
        List.of("zebra", "address", "colour", "items", "none"), List.copyOf(back.keySet()));
    assertEquals("0xffffffff81000000", back.get("address"));
    assertEquals("dark-red", back.get("colour"));
    assertEquals(List.of(Map.of("n", 1), Map.of("n", 2)), back.get("items"));
  }

  @Test
  void hexHasSixteenDigits() {
    assertEquals("0x0000000000000001", Json.hex(1));
    assertEquals("0xffffffffffffffff", Json.hex(-1));
  }
}
