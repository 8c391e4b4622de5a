package org.hypergraft.vmm.bus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PortSpaceTest {
  private final DeterministicClock clock = new DeterministicClock(() -> 0);
  private final PortSpace ports = new PortSpace(clock);
  private final List<String> log = new ArrayList<>();

  private PortDevice device(String name) {
    return new PortDevice() {
      @Override
      public int in(int port, int size) {
        log.add(name + " in " + Integer.toHexString(port) + "/" + size);
        return port;
      }

      @Override
      public void out(int port, int size, int value) {
        log.add(name + " out " + Integer.toHexString(port) + "/" + size + " " + value);
      }
    };
  }

  @Test
  void unclaimedPortsReadAsOnesOfTheAccessSize() {
    assertEquals(0xff, ports.in(0x2f9, 1));
    assertEquals(0xffff, ports.in(0xcfc, 2));
    assertEquals(-1, ports.in(0xcfc, 4));
    ports.out(0xcf8, 4, 1);
  }

  @Test
  void wideAccessesAreSplitLowPartFirst() {
    ports.claim("d", 0x10, 3, 1, device("d"));
    assertEquals(0xff121110, ports.in(0x10, 4));
    assertEquals(List.of("d in 10/1", "d in 11/1", "d in 12/1"), log);
    log.clear();
    ports.out(0x11, 2, 0x0102);
    assertEquals(List.of("d out 11/1 2", "d out 12/1 1"), log);
  }

  @Test
  void devicesTakeTheWidthTheyClaimed() {
    ports.claim("w", 0x600, 12, 4, device("w"));
    ports.in(0x608, 4);
    ports.out(0x604, 2, -1);
    assertEquals(List.of("w in 608/4", "w out 604/2 65535"), log);
  }

  @Test
  void everyAccessCostsTime() {
    ports.in(0x80, 1);
    ports.out(0x80, 4, 0);
    assertEquals(2 * PortSpace.ACCESS_NS, clock.now());
  }

  @Test
  void portsHaveOneOwner() {
    ports.claim("a", 0x60, 1, 1, device("a"));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> ports.claim("b", 0x5f, 3, 1, device("b")));
    assertEquals("b: port 0x60 belongs to a", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> ports.claim("c", 0xffff, 2, 1, device("c")));
  }
}
