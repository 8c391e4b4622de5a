package org.hypergraft.vmm.bus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeterministicClockTest {
  private long retired;
  private final DeterministicClock clock = new DeterministicClock(() -> retired);
  private final List<String> ran = new ArrayList<>();

  @Test
  void timeFollowsInstructionsAndAdvances() {
    retired = 7;
    assertEquals(70, clock.now());
    clock.advance(1000);
    assertEquals(1070, clock.now());
    retired = 8;
    assertEquals(1080, clock.now());
  }

  @Test
  void eventsRunInOrderOfDeadlineThenOfScheduling() {
    clock.schedule(50, () -> ran.add("later"));
    clock.schedule(20, () -> ran.add("first of two"));
    clock.schedule(20, () -> ran.add("second of two"));
    retired = 2;
    clock.runDue();
    assertEquals(List.of("first of two", "second of two"), ran);
    retired = 5;
    clock.runDue();
    assertEquals(List.of("first of two", "second of two", "later"), ran);
  }

  @Test
  void stopIsTheFirstInstructionCountNotBeforeTheDeadline() {
    assertEquals(DeterministicClock.NEVER, clock.stopAt());
    VirtualClock.Timer timer = clock.schedule(101, () -> ran.add("x"));
    assertEquals(11, clock.stopAt());
    clock.advance(1);
    assertEquals(10, clock.stopAt());
    clock.advance(200);
    assertTrue(clock.stopAt() <= 0);
    timer.cancel();
    assertEquals(DeterministicClock.NEVER, clock.stopAt());
    clock.runDue();
    assertEquals(List.of(), ran);
  }

  @Test
  void idleJumpsExactlyToTheNextEvent() {
    retired = 3;
    clock.schedule(1_000_000, () -> ran.add("tick"));
    assertTrue(clock.skipToNext());
    assertEquals(1_000_000, clock.now());
    assertEquals(1_000_000 - 30, clock.skipped());
    assertEquals(List.of("tick"), ran);
    assertFalse(clock.skipToNext());
  }

  @Test
  void anEventMayScheduleAnotherThatIsDueAtOnce() {
    clock.schedule(
        10,
        () -> {
          ran.add("a");
          clock.schedule(15, () -> ran.add("b"));
          clock.schedule(25, () -> ran.add("c"));
        });
    retired = 2;
    clock.runDue();
    assertEquals(List.of("a", "b"), ran);
  }

  @Test
  void countersTickAtTheirFrequency() {
    for (long hz : new long[] {1_193_182, 3_579_545, VirtualClock.NS_PER_SECOND}) {
      for (long ticks : new long[] {1, 7, hz - 1, hz, 3 * hz + 1, 1L << 31}) {
        VirtualClock counted = new DeterministicClock(() -> 0);
        counted.advance(VirtualClock.whenTicks(ticks, hz) - 1);
        assertEquals(ticks - 1, counted.ticks(hz));
        counted.advance(1);
        assertEquals(ticks, counted.ticks(hz));
      }
    }
  }
}
