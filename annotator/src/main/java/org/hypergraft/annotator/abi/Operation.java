package org.hypergraft.annotator.abi;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a patchable site does: one vocabulary for every annotation scheme. Names and grouping follow
 * {@code struct paravirt_patch_template} (Linux {@code arch/x86/include/asm/paravirt_types.h}, 5.10
 * to 7.2), so that a name read from a kernel's own type information is found here.
 */
public enum Operation {
  INIT_PATCH,
  TIME_SCHED_CLOCK,
  TIME_STEAL_CLOCK,
  CPU_IO_DELAY,
  CPU_GET_DEBUGREG,
  CPU_SET_DEBUGREG,
  CPU_READ_CR0,
  CPU_WRITE_CR0,
  CPU_WRITE_CR4,
  CPU_LOAD_TR_DESC,
  CPU_LOAD_GDT,
  CPU_LOAD_IDT,
  CPU_SET_LDT,
  CPU_STORE_TR,
  CPU_LOAD_TLS,
  CPU_LOAD_GS_INDEX,
  CPU_WRITE_LDT_ENTRY,
  CPU_WRITE_GDT_ENTRY,
  CPU_WRITE_IDT_ENTRY,
  CPU_ALLOC_LDT,
  CPU_FREE_LDT,
  CPU_LOAD_SP0,
  CPU_INVALIDATE_IO_BITMAP,
  CPU_UPDATE_IO_BITMAP,
  CPU_WBINVD,
  CPU_CPUID,
  CPU_READ_MSR,
  CPU_WRITE_MSR,
  CPU_READ_MSR_SAFE,
  CPU_WRITE_MSR_SAFE,
  CPU_READ_PMC,
  CPU_IRET,
  CPU_START_CONTEXT_SWITCH,
  CPU_END_CONTEXT_SWITCH,
  IRQ_SAVE_FL,
  IRQ_RESTORE_FL,
  IRQ_IRQ_DISABLE,
  IRQ_IRQ_ENABLE,
  IRQ_SAFE_HALT,
  IRQ_HALT,
  MMU_FLUSH_TLB_USER,
  MMU_FLUSH_TLB_KERNEL,
  MMU_FLUSH_TLB_ONE_USER,
  MMU_FLUSH_TLB_OTHERS,
  MMU_FLUSH_TLB_MULTI,
  MMU_TLB_REMOVE_TABLE,
  MMU_EXIT_MMAP,
  MMU_NOTIFY_PAGE_ENC_STATUS_CHANGED,
  MMU_READ_CR2,
  MMU_WRITE_CR2,
  MMU_READ_CR3,
  MMU_WRITE_CR3,
  MMU_ACTIVATE_MM,
  MMU_DUP_MMAP,
  MMU_ENTER_MMAP,
  MMU_PGD_ALLOC,
  MMU_PGD_FREE,
  MMU_ALLOC_PTE,
  MMU_ALLOC_PMD,
  MMU_ALLOC_PUD,
  MMU_ALLOC_P4D,
  MMU_RELEASE_PTE,
  MMU_RELEASE_PMD,
  MMU_RELEASE_PUD,
  MMU_RELEASE_P4D,
  MMU_SET_PTE,
  MMU_SET_PMD,
  MMU_PTEP_MODIFY_PROT_START,
  MMU_PTEP_MODIFY_PROT_COMMIT,
  MMU_PTE_VAL,
  MMU_MAKE_PTE,
  MMU_PGD_VAL,
  MMU_MAKE_PGD,
  MMU_SET_PUD,
  MMU_PMD_VAL,
  MMU_MAKE_PMD,
  MMU_PUD_VAL,
  MMU_MAKE_PUD,
  MMU_SET_P4D,
  MMU_P4D_VAL,
  MMU_MAKE_P4D,
  MMU_SET_PGD,
  MMU_LAZY_MODE_ENTER("mmu.lazy_mode.enter"),
  MMU_LAZY_MODE_LEAVE("mmu.lazy_mode.leave"),
  MMU_LAZY_MODE_FLUSH("mmu.lazy_mode.flush"),
  /** 7.2 flattened the three lazy-mode slots into this one. */
  MMU_LAZY_MODE_FLUSH_ONLY("mmu.lazy_mode_flush"),
  MMU_SET_FIXMAP,
  LOCK_QUEUED_SPIN_LOCK_SLOWPATH,
  LOCK_QUEUED_SPIN_UNLOCK,
  LOCK_WAIT,
  LOCK_KICK,
  LOCK_VCPU_IS_PREEMPTED,
  /** A VMCALL or VMMCALL issued in place. */
  HYPERCALL("hypercall");

  private static final Map<String, Operation> BY_ID = new HashMap<>();

  static {
    for (Operation o : values()) {
      BY_ID.put(o.id, o);
    }
  }

  private final String id;

  Operation() {
    String lower = name().toLowerCase(Locale.ROOT);
    int split = lower.indexOf('_');
    id = lower.substring(0, split) + '.' + lower.substring(split + 1);
  }

  Operation(String id) {
    this.id = id;
  }

  /** Group and member, such as {@code irq.save_fl}. */
  public String id() {
    return id;
  }

  /**
   * Whether it belongs to the paravirtual spin locks, whose slots change together or not at all.
   */
  public boolean isQueuedLock() {
    return this == LOCK_QUEUED_SPIN_LOCK_SLOWPATH
        || this == LOCK_QUEUED_SPIN_UNLOCK
        || this == LOCK_WAIT
        || this == LOCK_KICK;
  }

  /** The operation of that id. */
  public static Optional<Operation> named(String id) {
    return Optional.ofNullable(BY_ID.get(id));
  }
}
