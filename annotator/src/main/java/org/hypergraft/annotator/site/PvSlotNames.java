package org.hypergraft.annotator.site;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.Btf;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Symbol;

/** Names of the paravirtual slots: from the image's type information, else from its symbols. */
final class PvSlotNames {
  /**
   * The 32-bit table, which has no type information in the images that ship: order of {@code struct
   * paravirt_patch_template} without CONFIG_PARAVIRT_XXL, Linux 6.1 {@code
   * arch/x86/include/asm/paravirt_types.h}; each with the start of its initialiser's name, empty
   * for the shared no-op.
   */
  static final List<String[]> FALLBACK =
      List.of(
          new String[] {"cpu.io_delay", "native_io_delay"},
          new String[] {"mmu.flush_tlb_user", "native_flush_tlb_local"},
          new String[] {"mmu.flush_tlb_kernel", "native_flush_tlb_global"},
          new String[] {"mmu.flush_tlb_one_user", "native_flush_tlb_one_user"},
          new String[] {"mmu.flush_tlb_multi", "native_flush_tlb_multi"},
          new String[] {"mmu.tlb_remove_table", ""},
          new String[] {"mmu.exit_mmap", ""},
          new String[] {"mmu.notify_page_enc_status_changed", ""},
          new String[] {"lock.queued_spin_lock_slowpath", "native_queued_spin_lock_slowpath"},
          new String[] {"lock.queued_spin_unlock", "__raw_callee_save___native_queued_spin_unlock"},
          new String[] {"lock.wait", ""},
          new String[] {"lock.kick", ""},
          new String[] {"lock.vcpu_is_preempted", "__raw_callee_save___native_vcpu_is_preempted"});

  private PvSlotNames() {}

  /**
   * Names by slot from a structure of function pointers, each preceded by {@code prefix}; empty
   * without type information.
   */
  static List<String> of(GuestImage image, String structure, String prefix) {
    List<String> names = new ArrayList<>();
    if (image.btf().isEmpty()) {
      return names;
    }
    int word = image.elf().wordSize();
    for (Btf.Member m : image.btf().get().structMembers(structure).orElse(List.of())) {
      // Callee-save slots are a structure around the pointer.
      String path = m.name();
      String name = path.endsWith(".func") ? path.substring(0, path.length() - 5) : path;
      if (m.offset() == (long) word * names.size()) {
        names.add(prefix + name);
      }
    }
    return names;
  }

  /** Names by the fallback table when every initialiser agrees with it, else by number. */
  static List<PvOps.Slot> byInitialiser(GuestImage image, List<PvOps.Slot> slots) {
    boolean agree = slots.size() == FALLBACK.size();
    for (int i = 0; agree && i < slots.size(); i++) {
      String expected = FALLBACK.get(i)[1];
      if (!expected.isEmpty()) {
        String found =
            image
                .symbols()
                .covering(slots.get(i).initial())
                .filter(at(slots.get(i).initial()))
                .map(Symbol::name)
                .orElse("");
        agree = found.equals(expected) || hasSymbol(image, expected, slots.get(i).initial());
      }
    }
    List<PvOps.Slot> named = new ArrayList<>();
    for (PvOps.Slot s : slots) {
      String name = agree ? FALLBACK.get(s.index())[0] : "pv_ops[" + s.index() + "]";
      named.add(new PvOps.Slot(s.index(), s.address(), name, s.initial()));
    }
    return named;
  }

  private static java.util.function.Predicate<Symbol> at(long address) {
    return s -> s.address() == address;
  }

  private static boolean hasSymbol(GuestImage image, String name, long address) {
    return image.symbols().find(name).filter(at(address)).isPresent();
  }
}
