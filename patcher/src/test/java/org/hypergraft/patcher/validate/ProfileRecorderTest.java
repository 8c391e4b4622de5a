package org.hypergraft.patcher.validate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.TreeMap;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.PvOps;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.Observer;
import org.hypergraft.vmm.machine.Stop;
import org.hypergraft.vmm.mmu.DataWatch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProfileRecorderTest {
  /** Sees what is written to the slots. */
  private static final class SlotWatch implements Observer {
    private final PvOps ops;
    private final int word;
    private final Map<String, Long> written = new TreeMap<>();
    private GuestControl guest;
    private boolean twice;

    SlotWatch(PvOps ops, int word) {
      this.ops = ops;
      this.word = word;
    }

    @Override
    public boolean begin(GuestControl control) {
      guest = control;
      boolean watched = true;
      for (PvOps.Slot slot : ops.slots()) {
        watched &= guest.watch(new DataWatch.Range(slot.address(), word, false, true));
      }
      return watched;
    }

    @Override
    public boolean stopped(Stop why) {
      if (why instanceof Stop.Accessed access) {
        PvOps.Slot slot = ops.slot(ops.slotAt(access.range().start()));
        long function = 0;
        byte[] bytes = guest.read(guest.current(), slot.address(), word);
        for (int i = word - 1; i >= 0; i--) {
          function = (function << 8) | (bytes[i] & 0xff);
        }
        Long before = written.put(slot.operation(), function);
        twice |= before != null && before != function;
      }
      return true;
    }
  }

  /** So the last function says all; profiles recorded here need no list of writes. */
  @ParameterizedTest
  @CsvSource({"5.10.262 cloud, kvm", "6.1 cloud, kvm", "7.2 cloud, kvm", "6.1 686, kvm"})
  void noSlotIsGivenTwoFunctions(String kernel, String hypervisor) {
    GuestImage image = Kernels.image(kernel);
    SiteMap sites = SiteMap.of(image);
    PvOps ops = sites.pvOps().orElseThrow();
    SlotWatch watch = new SlotWatch(ops, image.elf().wordSize());
    MachineConfig machine =
        MachineConfig.of(image).hypervisor(hypervisor).cpus(2).observer(watch).build();
    Profile profile = new ProfileRecorder(sites).record(machine).profile().orElseThrow();

    assertFalse(watch.twice, watch.written.toString());
    for (PvOps.Slot slot : ops.slots()) {
      long last =
          slot.index() < ops.mainSlots()
              ? profile.pvOps().get(slot.index())
              : profile.pvOpsLock().get(slot.index() - ops.mainSlots());
      assertEquals(
          watch.written.getOrDefault(slot.operation(), slot.initial()), last, slot.operation());
    }
    assertTrue(watch.written.containsKey("lock.queued_spin_unlock"), watch.written.toString());
  }
}
