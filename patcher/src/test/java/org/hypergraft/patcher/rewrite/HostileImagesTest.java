package org.hypergraft.patcher.rewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.profile.Profile;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.ParavirtTable;
import org.hypergraft.annotator.site.SyntheticKernel;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Damaged tables through the whole patcher: refused with one sentence, or patched into an image
 * that reverts to exactly the input.
 */
class HostileImagesTest {
  private static final int MUTANTS = 10_000;

  /** In the order in which 6.1 to 6.12 apply them. */
  private static final List<String> TABLES =
      List.of(
          ParavirtTable.NAME,
          ".retpoline_sites",
          ".return_sites",
          AlternativeTable.NAME,
          ".ibt_endbr_seal",
          ".smp_locks");

  /** Where the function that does nothing lies in .text. */
  private static final int NOTHING = 0x1f00;

  private static SyntheticKernel kernel(boolean separateFlags) {
    SyntheticKernel k = new SyntheticKernel(separateFlags);
    k.function("nop_func", NOTHING).function("paravirt_BUG", 0x1f10);
    k.function("__x86_return_thunk", 0x1800).function("__x86_indirect_thunk_array", 0x1900);
    k.replacement(0, "e800000000").replacement(8, "0f01d9").replacement(16, "e9fbdfffff");
    k.replacement(24, "488b0510000000750290909090");
    if (separateFlags) {
      k.indirectCall(0x100, 1).alternative(0x100, 6, 0, 5, 117, 2);
      k.alternative(0x100, 6, 8, 3, 272, 1);
    } else {
      k.paravirt(0x100, 1).paravirt(0x120, 2).alternative(0x120, 6, 8, 3, 272, 1);
    }
    k.code(0x200, "90".repeat(16)).alternative(0x200, 16, 24, 13, 97, 0);
    k.code(0x300, "90".repeat(8)).alternative(0x300, 8, 16, 5, 97, 0);
    k.code(0x400, "e9fb130000").place(AddressTable.Kind.RETURN_SITES, 0x400);
    k.code(0x500, "e8fb130000").place(AddressTable.Kind.RETPOLINE_SITES, 0x500);
    k.code(0x600, "f30f1efa").place(AddressTable.Kind.IBT_ENDBR_SEAL, 0x600);
    k.code(0x700, "f0ff00").place(AddressTable.Kind.SMP_LOCKS, 0x700);
    int text = (int) SyntheticKernel.TEXT;
    int body = (int) SyntheticKernel.REPLACEMENT;
    k.tail(new int[] {}, new int[] {body + 27}, new int[] {text + 0x204});
    applies(k, TABLES);
    return k;
  }

  /** The function that loads the end and the start of tables. */
  private static void applies(SyntheticKernel k, List<String> tables) {
    GuestImage image = k.function("alternative_instructions", 0x1e00).parse();
    StringBuilder code = new StringBuilder();
    for (String table : tables) {
      image
          .section(table)
          .ifPresent(s -> code.append(move(6, s.end())).append(move(7, s.address())));
    }
    k.code(0x1e00, code.toString());
  }

  /** {@code mov $value,%register}. */
  private static String move(int register, long value) {
    return "48c7c%d".formatted(register)
        + HexFormat.of().toHexDigits(Integer.reverseBytes((int) value));
  }

  @Test
  void aTableThatTheKernelDoesNotApplyIsRefused() {
    SyntheticKernel k = kernel(true);
    List<String> fewer = new ArrayList<>(TABLES);
    fewer.remove(".ibt_endbr_seal");
    k.code(0x1e00, "cc".repeat(0x100));
    applies(k, fewer);
    GuestImage image = k.parse();
    ImageException e =
        assertThrows(ImageException.class, () -> Patcher.patch(image, options().get(1), false));
    assertTrue(e.getMessage().contains("there is a table .ibt_endbr_seal"), e.getMessage());
  }

  private static List<PlanOptions> options() {
    List<Integer> words = new ArrayList<>();
    List<Long> slots = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      words.add(i == 3 ? 1 << 1 | 1 << 21 : 0);
      slots.add(SyntheticKernel.TEXT + NOTHING);
    }
    PlanOptions all =
        PlanOptions.of(Target.NATIVE)
            .withProfile(Profile.of(slots, words, 1))
            .withUniprocessor(true);
    return List.of(PlanOptions.of(Target.KVM), all);
  }

  @ParameterizedTest
  @CsvSource({
    "false, " + ParavirtTable.NAME,
    "false, " + AlternativeTable.NAME,
    "true, " + AlternativeTable.NAME,
    "false, .return_sites",
    "false, .retpoline_sites",
    "true, .ibt_endbr_seal",
    "true, .smp_locks",
    "true, code",
    "false, tail"
  })
  void mutants(boolean separateFlags, String where) {
    SyntheticKernel k = kernel(separateFlags);
    byte[] b = k.build();
    int at;
    int size;
    switch (where) {
      case "code" -> {
        at = 0x1100;
        size = 0x700;
      }
      case "tail" -> {
        at = b.length - 20;
        size = 20;
      }
      default -> {
        at = k.offsetOf(where);
        size = k.sizeOf(where);
      }
    }
    Random random = new Random(where.hashCode());
    List<PlanOptions> options = options();
    GuestImage whole = GuestImage.parse(b, "whole");
    options.forEach(o -> Patcher.patch(whole, o, false));
    int refused = 0;
    for (int i = 0; i < MUTANTS; i++) {
      byte[] mutant = b.clone();
      for (int c = 1 + random.nextInt(3); c > 0; c--) {
        mutant[at + random.nextInt(size)] = (byte) random.nextInt();
      }
      try {
        GuestImage image = GuestImage.parse(mutant, "mutant");
        byte[] out = Patcher.patch(image, options.get(i & 1), false).file();
        if ((i & 15) < 2) {
          assertArrayEquals(mutant, Patcher.original(GuestImage.parse(out, "out")).payload());
        }
      } catch (ImageException | ConflictException e) {
        assertTrue(!e.getMessage().isEmpty() && e.getMessage().length() < 500, e.getMessage());
        refused++;
      }
    }
    assertTrue(refused < MUTANTS, "at least harmless mutants pass");
  }

  /** An output whose note or undo log was damaged is refused, or leads to the original. */
  @ParameterizedTest
  @ValueSource(strings = {HypergraftNote.SECTION, UndoLog.SECTION})
  void mutantsOfWhatAnOutputSaysOfItself(String section) {
    GuestImage image = kernel(false).parse();
    byte[] out = Patcher.patch(image, options().get(1), false).file();
    Section s = GuestImage.parse(out, "out").section(section).orElseThrow();
    Random random = new Random(section.hashCode());
    int refused = 0;
    for (int i = 0; i < MUTANTS; i++) {
      byte[] mutant = out.clone();
      for (int c = 1 + random.nextInt(3); c > 0; c--) {
        // What a field of variable length becomes by 0xff or 0x7f is the most that it can say.
        int value = (i & 3) == 0 ? 0xff : (i & 3) == 1 ? 0x7f : random.nextInt();
        mutant[s.offset() + random.nextInt((int) s.size())] = (byte) value;
      }
      try {
        GuestImage damaged = GuestImage.parse(mutant, "mutant");
        assertArrayEquals(image.payload(), Patcher.original(damaged).payload());
        HypergraftNote.of(damaged).orElseThrow().planOptions();
      } catch (ImageException e) {
        assertTrue(!e.getMessage().isEmpty() && e.getMessage().length() < 500, e.getMessage());
        refused++;
      }
    }
    assertTrue(refused > MUTANTS / 10, refused + " refused");
  }

  /** Seven bytes that claim the largest run at the largest place, after one at the first. */
  @Test
  void runsOfAnUndoLogDoNotWrapAround() {
    GuestImage image = kernel(false).parse();
    byte[] out = Patcher.patch(image, options().get(1), false).file();
    Section s = GuestImage.parse(out, "out").section(UndoLog.SECTION).orElseThrow();
    UndoLog log = UndoLog.of(GuestImage.parse(out, "out")).orElseThrow();
    byte[] first = log.runs().get(0).before();
    int at = indexOf(out, first, s.offset()) + first.length;
    byte[] farthest = {-1, -1, -1, -1, 7}; // 0x7fffffff, 7 bits a byte
    System.arraycopy(farthest, 0, out, at, farthest.length);
    GuestImage damaged = GuestImage.parse(out, "damaged");
    ImageException e = assertThrows(ImageException.class, () -> UndoLog.of(damaged));
    assertTrue(e.getMessage().contains("is damaged at byte"), e.getMessage());
  }

  private static int indexOf(byte[] in, byte[] what, int from) {
    int at = from;
    while (!Arrays.equals(in, at, at + what.length, what, 0, what.length)) {
      at++;
    }
    return at;
  }
}
