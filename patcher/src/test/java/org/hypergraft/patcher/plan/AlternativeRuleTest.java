package org.hypergraft.patcher.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.SyntheticKernel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules of {@code apply_alternatives()} and its like, one small site at a time. */
class AlternativeRuleTest {
  private static final int ON = 3 * 32 + 1;
  private static final int OFF = 3 * 32 + 2;
  private static final int NOT = AlternativeTable.NOT;

  private static Plan plan(SyntheticKernel k) {
    List<Integer> words = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      words.add(0);
    }
    words.set(3, 1 << (ON & 31) | 1 << (CpuFeature.ALWAYS & 31));
    List<Long> slots = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      slots.add(SyntheticKernel.TEXT + 0x1000 + 16L * i);
      k.function("operation" + i, 0x1000 + 16 * i);
    }
    slots.set(5, 0L);
    slots.set(6, SyntheticKernel.TEXT + 0xf00);
    k.function("nop_func", 0xf00).function("paravirt_BUG", 0xf10);
    return Planner.plan(
        SiteMap.of(k.parse()),
        PlanOptions.of(Target.NATIVE).withProfile(Profile.of(slots, words, 2)));
  }

  private static String bytesAt(Plan plan, int at) {
    Plan.Entry e = plan.entry(plan.covering(SyntheticKernel.TEXT + at));
    assertEquals(Action.PATCH, e.action(), e.reason());
    return HexFormat.of().formatHex(e.replacement());
  }

  @ParameterizedTest
  @CsvSource({
    // old, feature, flags, length, replacement, expected
    "false, 97, 0, 3, 0f01d9, 0f01d9",
    "false, 98, 0, 3, 0f01d9, 909090->0f1f00",
    "false, 98, 1, 3, 0f01d9, 0f01d9",
    "false, 97, 0, 6, fa, fa660f1f4400->fa0f1f440000",
    "false, 97, 0, 8, '', 0f1f840000000000",
    "false, 97, 0, 12, fb, fb0f1f8400000000000f1f00",
    "true, 97, 0, 6, fa, fa0f1f440000",
    "true, 98, 0, 4, 0f01d9, 0f1f4000",
    "true, 97, 0, 12, '', eb0acccccccccccccccccccc",
    "true, 97, 0, 11, '', NOP11"
  })
  void takesPadsAndTidies(
      boolean later, int feature, int flags, int length, String replacement, String expected) {
    String want = expected.substring(expected.indexOf('>') + 1);
    if (want.equals("NOP11")) {
      want = "eb09cccccccccccccccccc"; // without symbols the longest known NOP has 8 bytes
    }
    SyntheticKernel k =
        new SyntheticKernel(later)
            .code(0x100, "90".repeat(length))
            .replacement(0, replacement)
            .alternative(0x100, length, 0, replacement.length() / 2, feature, flags);
    assertEquals(want, bytesAt(plan(k), 0x100));
  }

  @Test
  void oldKernelsMoveALoneCallAndShortenForwardJumps() {
    SyntheticKernel k = new SyntheticKernel(false);
    // call TEXT+0x800 from the replacement
    k.code(0x100, "9090909090").replacement(0, "e8fbe7ffff");
    k.alternative(0x100, 5, 0, 5, ON, 0);
    // jmp forward to TEXT+0x220: short; jmp backward to TEXT+0x2f0: stays long
    k.code(0x200, "9090909090").replacement(0x10, "e90be2ffff");
    k.alternative(0x200, 5, 0x10, 5, ON, 0);
    k.code(0x300, "9090909090").replacement(0x20, "e9cbe2ffff");
    k.alternative(0x300, 5, 0x20, 5, ON, 0);
    Plan plan = plan(k);
    assertEquals("e8fb060000", bytesAt(plan, 0x100));
    assertEquals("eb1e0f1f00", bytesAt(plan, 0x200));
    assertEquals("e9ebffffff", bytesAt(plan, 0x300));
  }

  @Test
  void laterKernelsMoveEveryRelativeOperandThatLeaves() {
    SyntheticKernel k = new SyntheticKernel(true);
    // jne +2 (inside); mov 0x10(%rip) (leaves); jmp TEXT+0x120 (leaves, becomes short)
    k.code(0x100, "90".repeat(20));
    k.replacement(0, "75029090" + "8b0510000000" + "e911e1ffff");
    k.alternative(0x100, 20, 0, 15, ON, 0);
    Plan plan = plan(k);
    String got = bytesAt(plan, 0x100);
    // The load's target is replacement + 10 + 0x10; seen from the site it is 0x1f00 further away.
    assertEquals("7502" + "6690" + "8b05101f0000" + "eb14cccccc", got.substring(0, 30));
    assertEquals("0f1f440000", got.substring(30));
  }

  @Test
  void theLastEntryThatIsTakenDecidesOverTheLongestLength() {
    SyntheticKernel k = new SyntheticKernel(true);
    k.code(0x100, "90".repeat(8)).replacement(0, "fa").replacement(8, "0f09");
    k.alternative(0x100, 4, 0, 1, ON, 0).alternative(0x100, 8, 8, 2, OFF, NOT);
    k.code(0x200, "90".repeat(8));
    k.alternative(0x200, 4, 0, 1, ON, 0).alternative(0x200, 8, 8, 2, OFF, 0);
    Plan plan = plan(k);
    assertEquals("0f09660f1f440000", bytesAt(plan, 0x100));
    assertEquals("fa0f1f8000000000", bytesAt(plan, 0x200));
  }

  @Test
  void oldKernelsApplyEntriesInTurn() {
    SyntheticKernel k = new SyntheticKernel(false);
    k.code(0x100, "90".repeat(6)).replacement(0, "0f01d9").replacement(8, "fa");
    k.alternative(0x100, 6, 0, 3, ON, 0).alternative(0x100, 4, 8, 1, ON, 0);
    // The second writes four bytes; of the first one's padding two remain, which are no NOP run
    // that starts with 90 any more.
    assertEquals("fa0f1f001f00", bytesAt(plan(k), 0x100));
  }

  @Test
  void directCallsComeFromTheSlot() {
    SyntheticKernel k = new SyntheticKernel(true).replacement(0, "e8000000ff");
    for (int slot = 4; slot <= 6; slot++) {
      k.indirectCall(0x100 * slot, slot);
      k.alternative(0x100 * slot, 6, 0, 5, CpuFeature.ALWAYS, AlternativeTable.DIRECT_CALL);
    }
    Plan plan = plan(k);
    assertEquals("e83b0c000090", bytesAt(plan, 0x400));
    assertEquals("660f1f440000", bytesAt(plan, 0x600));
    // A null slot leaves the replacement's own target, which reports the bug.
    assertEquals("e8001b00ff90", bytesAt(plan, 0x500));
    assertEquals(3, plan.edits().size());
  }

  @Test
  void refusesADirectCallThatIsNone() {
    SyntheticKernel k = new SyntheticKernel(true).replacement(0, "e800000000");
    k.code(0x100, "e80000000090").indirectCall(0x200, 1);
    k.alternative(0x100, 6, 0, 5, CpuFeature.ALWAYS, AlternativeTable.DIRECT_CALL);
    k.alternative(0x200, 6, 0, 5, CpuFeature.ALWAYS, AlternativeTable.DIRECT_CALL);
    Plan plan = plan(k);
    Plan.Entry e = plan.entry(plan.covering(SyntheticKernel.TEXT + 0x100));
    assertEquals(Action.REFUSE, e.action());
    assertTrue(e.reason().contains("found e80000000090"), e.reason());
    assertEquals(1, plan.edits().size(), "the entry of a refused site stays");
  }

  @Test
  void paravirtualCallsBecomeDirectOnes() {
    SyntheticKernel k = new SyntheticKernel(false);
    k.paravirt(0x100, 1).paravirt(0x200, 5).paravirt(0x300, 6);
    Plan plan = plan(k);
    assertEquals("e80b0f000090", bytesAt(plan, 0x100));
    assertEquals("e80b0d000090", bytesAt(plan, 0x200), "a null slot calls paravirt_BUG");
    assertEquals("660f1f440000", bytesAt(plan, 0x300));
  }

  @Test
  void relocatedOperandsMoveWithTheBytes() {
    int site = (int) SyntheticKernel.TEXT + 0x100;
    int body = (int) SyntheticKernel.REPLACEMENT;
    SyntheticKernel k = new SyntheticKernel(true);
    // mov $imm32,%rax at the site, mov disp32(%rip),%rax of per-CPU data in the replacement
    k.code(0x100, "48c7c000000081").replacement(0, "488b0510000000");
    k.alternative(0x100, 7, 0, 7, ON, 0);
    k.tail(new int[] {}, new int[] {body + 3}, new int[] {site + 3});
    Plan plan = plan(k);
    assertEquals(
        List.of(new Relocations.Entry(Relocations.Kind.ABSOLUTE_32, SyntheticKernel.TEXT + 0x103)),
        plan.removedRelocations());
    assertEquals(
        List.of(new Relocations.Entry(Relocations.Kind.INVERSE_32, SyntheticKernel.TEXT + 0x103)),
        plan.addedRelocations());
    assertEquals("488b05101f0000", bytesAt(plan, 0x100));
  }

  @Test
  void refusesToCutARelocatedFieldInTwo() {
    int site = (int) SyntheticKernel.TEXT + 0x100;
    SyntheticKernel k = new SyntheticKernel(false);
    k.code(0x100, "9090909090").replacement(0, "0f01d9").alternative(0x100, 3, 0, 3, ON, 0);
    k.tail(new int[] {}, new int[] {}, new int[] {site + 1});
    Plan plan = plan(k);
    Plan.Entry e = plan.entry(0);
    assertEquals(Action.REFUSE, e.action());
    assertTrue(e.reason().contains("border"), e.reason());
  }

  @Test
  void returnsAndBranchesWithoutMitigations() {
    SyntheticKernel k = new SyntheticKernel(false);
    k.code(0x100, "90").replacement(0, "90").alternative(0x100, 1, 0, 1, ON, 0);
    k.function("__x86_return_thunk", 0x1800).function("__x86_indirect_thunk_array", 0x1900);
    k.code(0x200, "e9fb150000").place(AddressTable.Kind.RETURN_SITES, 0x200);
    k.code(0x300, "e8fb150000").place(AddressTable.Kind.RETPOLINE_SITES, 0x300); // rax
    k.code(0x400, "e91b150000").place(AddressTable.Kind.RETPOLINE_SITES, 0x400); // rcx
    k.code(0x500, "2ee97a150000").place(AddressTable.Kind.RETPOLINE_SITES, 0x500); // r12
    Plan plan = plan(k);
    assertEquals("c3cccccccc", bytesAt(plan, 0x200));
    assertEquals("ffd00f1f00", bytesAt(plan, 0x300));
    assertEquals("ffe1cc6690", bytesAt(plan, 0x400));
    assertEquals("41ffe4cc6690", bytesAt(plan, 0x500));
  }
}
