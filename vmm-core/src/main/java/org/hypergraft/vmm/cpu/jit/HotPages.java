package org.hypergraft.vmm.cpu.jit;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.isa.Insn;

/**
 * Which memory operands of a loop find their page in JVM locals. Operands that share base and index
 * registers and lie near each other mostly stay in one page from one trip around a loop to the
 * next; each of the busiest such groups keeps a copy of the TLB entry that it used last. While
 * compiled code runs nothing changes the TLB, so a copy holds until something outside is called.
 */
final class HotPages {
  /**
   * Most groups with a copy of their own: more would cost more in spilled locals than they save.
   */
  private static final int MOST = 4;

  /** Trips around the loop that are counted on when the region is entered once. */
  private static final int TRIPS = 8;

  /** Uses per entry of the region that pay for a copy. */
  private static final int WORTH = 3;

  private static final int PAGE_SHIFT = 12;

  /**
   * Where an operand lies: what is added up and the page, to the nearest, of what is constant.
   * Registers are -1 when there is none.
   */
  record Place(int segment, int base, int index, int scale, long page) {
    static Place of(Insn i) {
      boolean relative = i.base == Insn.RIP;
      long constant = relative ? i.ripTarget() : i.disp;
      int base = relative ? -1 : i.base;
      boolean fixed = base < 0 && i.index < 0;
      long page = (fixed ? constant : constant + (1 << PAGE_SHIFT - 1)) >> PAGE_SHIFT;
      return new Place(
          i.segment < 4 ? 3 : i.segment, base, i.index, i.index < 0 ? 1 : i.scale, page);
    }

    /** What lies at the address in a general register. */
    static Place at(int register) {
      return new Place(3, register, -1, 1, 0);
    }
  }

  /** Locals with the fields of a TLB entry. */
  record Copy(int readTag, int writeTag, int addend) {}

  private final Map<Place, Copy> copies = new LinkedHashMap<>();

  HotPages(RegionShape shape) {
    if (!shape.resident()) {
      return;
    }
    int local = Locals.COPIES;
    for (Place place : busiest(shape)) {
      copies.put(place, new Copy(local, local + 2, local + 4));
      local += 6;
    }
  }

  private static List<Place> busiest(RegionShape shape) {
    Map<Place, Long> uses = new LinkedHashMap<>();
    for (RegionBlock b : shape.blocks()) {
      long entries = Math.max(1, b.block().entries());
      for (Insn i : b.insns()) {
        Place place = placeOf(i);
        if (place != null) {
          uses.merge(place, entries, Long::sum);
        }
      }
    }
    long once = Math.max(1, shape.blocks().get(0).block().entries());
    return uses.entrySet().stream()
        .filter(e -> e.getValue() * TRIPS >= WORTH * once)
        .sorted(Map.Entry.<Place, Long>comparingByValue().reversed())
        .limit(MOST)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** The copy that operands at a place use, or null. */
  Copy copy(Place place) {
    return copies.get(place);
  }

  Collection<Copy> all() {
    return copies.values();
  }

  private static Place placeOf(Insn i) {
    if (!Translatable.inline(i)) {
      return null;
    }
    switch (i.mnemonic) {
      case LEA, NOP, PREFETCHT0, PREFETCHW, PREFETCHNTA:
        return null;
      case PUSH, POP, CALL, RET:
        return Place.at(4);
      case LEAVE:
        return Place.at(5);
      default:
        return i.hasMemory() ? Place.of(i) : null;
    }
  }
}
