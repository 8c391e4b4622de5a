package org.hypergraft.annotator.site;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Symbol;

/**
 * The paravirtual function table ({@code pv_ops}, and {@code pv_ops_lock} in 7.2): where it lies,
 * what its slots are called and what the linker put into them. Slots are numbered through: those of
 * the lock table follow those of {@code pv_ops}.
 */
public final class PvOps {
  /**
   * One function pointer.
   *
   * @param index number of the slot
   * @param address link address of the pointer
   * @param operation such as {@code irq.save_fl}; {@code pv_ops[n]} when nothing tells its name
   * @param initial function that the pointer is initialised with; 0 = none
   */
  public record Slot(int index, long address, String operation, long initial) {}

  /** Kernels have up to 85; far more means that the table was misread. */
  private static final int MAX_SLOTS = 256;

  private final long base;
  private final int mainSlots;
  private final long lockBase;
  private final int wordSize;
  private final List<Slot> slots;

  private PvOps(long base, int mainSlots, long lockBase, int wordSize, List<Slot> slots) {
    this.base = base;
    this.mainSlots = mainSlots;
    this.lockBase = lockBase;
    this.wordSize = wordSize;
    this.slots = List.copyOf(slots);
  }

  /**
   * Finds the table by its symbol or, without one, by what the call sites point at.
   *
   * @throws ImageException when the sites disagree about where it lies
   */
  static Optional<PvOps> find(
      GuestImage image,
      CodeMap code,
      Optional<ParavirtTable> sites,
      Optional<AlternativeTable> alternatives) {
    long base = base(image, code, sites);
    if (base == 0) {
      return Optional.empty();
    }
    int word = image.elf().wordSize();
    List<String> names = PvSlotNames.of(image, "paravirt_patch_template", "");
    long lockBase = image.symbols().find("pv_ops_lock").map(Symbol::address).orElse(0L);
    int highest = -1;
    int highestLock = -1;
    if (sites.isPresent()) {
      for (int i = 0; i < sites.get().entries(); i++) {
        highest = Math.max(highest, sites.get().slot(i));
      }
    }
    if (names.isEmpty() && alternatives.isPresent()) {
      // Without type information the direct calls tell how far the tables are used.
      AlternativeTable t = alternatives.get();
      for (int i = 0; i < t.entries(); i++) {
        long pointer = t.directCall(i) ? pointer(image, code, t, i) : 0;
        highest = Math.max(highest, slotIn(base, pointer, word));
        highestLock = lockBase == 0 ? -1 : Math.max(highestLock, slotIn(lockBase, pointer, word));
      }
    }
    int known = names.isEmpty() && word == 4 ? PvSlotNames.FALLBACK.size() : names.size();
    int n = Math.max(known, highest + 1);
    List<String> lockNames = lockNames(image, lockBase, highestLock);
    if (n > MAX_SLOTS || lockNames.size() > MAX_SLOTS) {
      throw new ImageException("pv_ops at 0x%x has %d slots by its type".formatted(base, n));
    }
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      long at = base + (long) word * i;
      slots.add(new Slot(i, at, i < names.size() ? names.get(i) : "", image.word(at)));
    }
    if (names.isEmpty()) {
      slots = PvSlotNames.byInitialiser(image, slots);
    }
    for (int i = 0; i < lockNames.size(); i++) {
      long at = lockBase + (long) word * i;
      slots.add(new Slot(n + i, at, lockNames.get(i), image.word(at)));
    }
    return Optional.of(new PvOps(base, n, lockBase, word, slots));
  }

  /** Where the table starts: its symbol and all call sites must agree; 0 when nothing tells. */
  private static long base(GuestImage image, CodeMap code, Optional<ParavirtTable> sites) {
    long base = image.symbols().find("pv_ops").map(Symbol::address).orElse(0L);
    for (int i = 0; sites.isPresent() && i < sites.get().entries(); i++) {
      ParavirtTable t = sites.get();
      int at = code.offsetOf(t.address(i), t.length(i));
      long pointer =
          IndirectCall.pointer(code.bytes(), at, t.length(i), t.address(i), image.is64Bit());
      if (pointer == 0) {
        continue; // rewritten already, or damaged: the planner looks at the bytes itself
      }
      long implied = pointer - (long) image.elf().wordSize() * t.slot(i);
      if (base == 0) {
        base = implied;
      } else if (base != implied) {
        throw new ImageException(
            "table %s entry %d: the call at 0x%x goes through 0x%x, expected slot %d of pv_ops at"
                    .formatted(ParavirtTable.NAME, i, t.address(i), pointer, t.slot(i))
                + " 0x%x".formatted(base));
      }
    }
    return base;
  }

  private static List<String> lockNames(GuestImage image, long lockBase, int highest) {
    List<String> names = lockBase == 0 ? List.of() : PvSlotNames.of(image, "pv_lock_ops", "lock.");
    if (!names.isEmpty()) {
      return names;
    }
    List<String> numbered = new ArrayList<>();
    for (int i = 0; i <= highest; i++) {
      numbered.add("pv_ops_lock[" + i + "]");
    }
    return numbered;
  }

  private static long pointer(GuestImage image, CodeMap code, AlternativeTable t, int i) {
    int at = code.offsetOf(t.address(i), t.length(i));
    return IndirectCall.pointer(code.bytes(), at, t.length(i), t.address(i), image.is64Bit());
  }

  private static int slotIn(long base, long pointer, int word) {
    long in = pointer - base;
    return in >= 0 && in < (long) MAX_SLOTS * word && in % word == 0 ? (int) (in / word) : -1;
  }

  /** Link address of {@code pv_ops}. */
  public long address() {
    return base;
  }

  /** Number of slots of {@code pv_ops} itself, the lock table's not counted. */
  public int mainSlots() {
    return mainSlots;
  }

  public List<Slot> slots() {
    return slots;
  }

  public Slot slot(int index) {
    return slots.get(index);
  }

  /** The slot of an operation. */
  public Optional<Slot> slot(String operation) {
    for (Slot s : slots) {
      if (s.operation().equals(operation)) {
        return Optional.of(s);
      }
    }
    return Optional.empty();
  }

  /** Number of the slot whose pointer lies at a link address, or -1. */
  public int slotAt(long pointer) {
    long in = pointer - base;
    if (in >= 0 && in < (long) mainSlots * wordSize && in % wordSize == 0) {
      return (int) (in / wordSize);
    }
    in = pointer - lockBase;
    int locks = slots.size() - mainSlots;
    if (lockBase != 0 && in >= 0 && in < (long) locks * wordSize && in % wordSize == 0) {
      return mainSlots + (int) (in / wordSize);
    }
    return -1;
  }
}
