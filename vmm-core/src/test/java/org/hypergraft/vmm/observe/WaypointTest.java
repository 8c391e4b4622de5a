package org.hypergraft.vmm.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WaypointTest {
  @Test
  void readsPlacesAndTimes() {
    assertEquals(new Waypoint("panic", 0, 1), Waypoint.parse("panic"));
    assertEquals(new Waypoint("do_one_initcall", 0, 12), Waypoint.parse("do_one_initcall:12"));
    assertEquals(new Waypoint("f.constprop.0", 0x1f, 1), Waypoint.parse("f.constprop.0+0x1f"));
    assertEquals(new Waypoint("f", 16, 2), Waypoint.parse("f+16:2"));
    assertEquals(
        new Waypoint(null, 0xffffffff81000000L, 3), Waypoint.parse("0xffffffff81000000:3"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"panic", "f+0x1f", "f:2", "0xffffffff81000000", "0x1000:7"})
  void printsAsItIsRead(String text) {
    assertEquals(text, Waypoint.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ":2", "+1", "f:", "f:0", "f:-1", "f:x", "f+", "12", "0x", "0xg"})
  void refusesWhatIsNoPlace(String text) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Waypoint.parse(text));
    assertEquals("'" + text + "'", e.getMessage().substring(0, text.length() + 2));
  }
}
