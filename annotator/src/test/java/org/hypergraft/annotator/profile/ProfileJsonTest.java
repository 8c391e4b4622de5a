package org.hypergraft.annotator.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.hypergraft.annotator.image.ImageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProfileJsonTest {
  private static Profile parse(String json) {
    return ProfileJson.parse(json.getBytes(StandardCharsets.UTF_8), "p.json");
  }

  private static Profile full() {
    return new Profile(
        Optional.of("Linux version 6.1"),
        Optional.of("ab12"),
        Optional.of("kvm"),
        Optional.of("max"),
        List.of(0xffffffff81000000L, 0L),
        List.of(0xffffffff81000010L),
        List.of(-1, 5),
        4,
        OptionalInt.of(8),
        Optional.of(false),
        OptionalLong.of(0xffffffff81e00000L),
        Optional.of("p6_nops"),
        List.of(new Profile.SlotWrite(3, 0xffffffff81000020L, 0xffffffff81000030L, "f")));
  }

  @Test
  void survivesTheWayThroughText() {
    Profile p = full();
    String text = ProfileJson.write(p);
    assertEquals(p, parse(text));
    assertEquals(text, ProfileJson.write(parse(text)));
    assertEquals(p.fingerprint(), parse(text).fingerprint());
    assertTrue(text.contains("\"0xffffffff81000000\""), text);
  }

  @Test
  void capabilityWordsAreAcceptedSignedAndUnsigned() {
    Profile p =
        parse(
            "{\"version\":1,\"pvOps\":[],\"cpuCapabilities\":[4294967295,-1,1],\"presentCpus\":1}");
    assertEquals(List.of(-1, -1, 1), p.cpuCapabilities());
    assertTrue(p.has(63) && p.has(64));
    assertFalse(p.has(65));
    assertFalse(p.has(32 * 40));
    assertEquals(OptionalLong.empty(), p.returnThunk());
    assertNotEquals(p.fingerprint(), full().fingerprint());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "| not JSON",
        "[] | not JSON",
        "{} | lacks \"version\"",
        "{\"version\":2} | version 2, expected 1",
        "{\"version\":1,\"cpuCapabilities\":[],\"presentCpus\":1} | lacks \"pvOps\"",
        "{\"version\":1,\"pvOps\":[],\"presentCpus\":1} | lacks \"cpuCapabilities\"",
        "{\"version\":1,\"pvOps\":[],\"cpuCapabilities\":[]} | lacks \"presentCpus\"",
        "{\"version\":1,\"pvOps\":[7],\"cpuCapabilities\":[],\"presentCpus\":1} | an address",
        "{\"version\":1,\"pvOps\":[],\"cpuCapabilities\":[1.5],\"presentCpus\":1} | a whole number",
        "{\"version\":1,\"pvOps\":[],\"cpuCapabilities\":[],\"presentCpus\":0} | from 1 to",
        "{\"version\":1,\"pvOps\":{},\"cpuCapabilities\":[],\"presentCpus\":1} | a list"
      })
  void refusesWithTheMembersName(String json, String expected) {
    ImageException e = assertThrows(ImageException.class, () -> parse(json == null ? "" : json));
    assertTrue(e.getMessage().startsWith("p.json: "), e.getMessage());
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  @Test
  void refusesDeepNestingWithoutOverflow() {
    ImageException e =
        assertThrows(ImageException.class, () -> parse("{\"a\":" + "[".repeat(100_000)));
    assertTrue(e.getMessage().startsWith("p.json: "), e.getMessage());
  }
}
