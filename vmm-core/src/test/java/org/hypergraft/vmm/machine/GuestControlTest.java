package org.hypergraft.vmm.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What observers can do with a guest, before its first instruction. */
class GuestControlTest {
  private static final int RAM = 32 << 20;

  private static void with(Consumer<GuestControl> look) {
    SmallGuest guest = new SmallGuest().code("90").powerOff();
    Observer observer =
        control -> {
          look.accept(control);
          return false;
        };
    MachineConfig.Builder config = MachineConfig.of(guest.image()).memory(RAM).cpus(2);
    try (Machine machine = new Machine(config.observer(observer).build())) {
      assertEquals(Outcome.STOPPED, machine.run().outcome());
    }
  }

  @Test
  void readsEndWhereRamDoes() {
    with(
        guest -> {
          assertEquals(3, guest.readPhysical(RAM - 3, 10).length);
          assertEquals(0, guest.readPhysical(RAM, 1).length);
          assertEquals(0, guest.readPhysical(-1, 8).length);
          assertEquals(0, guest.readPhysical(1L << 32, 8).length);
          assertEquals(3, guest.read(guest.current(), RAM - 3, 10).length);
          assertEquals(0, guest.read(guest.current(), RAM, 10).length);
        });
  }

  @Test
  void writesGoOverPagesAndAreWholeOrNone() {
    with(
        guest -> {
          byte[] bytes = new byte[5000];
          bytes[0] = 1;
          bytes[4999] = 2;
          assertTrue(guest.write(guest.current(), 0x200ffe, bytes));
          assertArrayEquals(bytes, guest.readPhysical(0x200ffe, 5000));
          assertArrayEquals(bytes, guest.read(guest.current(), 0x200ffe, 5000));
          assertFalse(guest.write(guest.current(), RAM - 2, new byte[] {1, 2, 3}));
          assertFalse(guest.writePhysical(RAM - 2, new byte[] {1, 2, 3}));
          assertArrayEquals(new byte[2], guest.readPhysical(RAM - 2, 2));
        });
  }

  @Test
  void processorsThatDoNotRunSayWhy() {
    with(
        guest -> {
          assertEquals(Optional.empty(), guest.rest(0));
          assertEquals(Optional.of("not started"), guest.rest(1));
          guest.cpu(0).halted = true;
          assertEquals(Optional.of("halted"), guest.rest(0));
        });
  }
}
