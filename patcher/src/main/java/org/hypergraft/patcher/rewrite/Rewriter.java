package org.hypergraft.patcher.rewrite;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.Plan;

/** Applies a plan to a copy of its image. */
public final class Rewriter {
  /** Section type of notes, gABI chapter 4. */
  private static final int SHT_NOTE = 7;

  private static final int SHT_PROGBITS = 1;

  private Rewriter() {}

  /**
   * The patched image: a vmlinux whose last bytes are the relocation tail.
   *
   * @param plan what to do
   * @param sourceSha256 hash of the file that the plan's image came from
   * @param revertible whether the undo log goes along; without it the image is smaller, and the
   *     original is needed to revert or verify it
   * @throws ImageException when the image does not hold what the plan found in it
   */
  public static byte[] apply(Plan plan, String sourceSha256, boolean revertible) {
    GuestImage image = plan.image();
    byte[] before = image.payload();
    byte[] after = before.clone();
    List<UndoLog.Run> runs = new ArrayList<>();
    List<Plan.Edit> edits = plan.edits();
    int edit = 0;
    for (int i = 0; i < plan.size(); i++) {
      int at = plan.offset(i);
      while (edit < edits.size() && edits.get(edit).offset() < at) {
        apply(edits.get(edit++), before, after, runs);
      }
      if (plan.action(i) != Action.PATCH) {
        continue;
      }
      plan.copyReplacement(i, after, at);
      UndoLog.differences(before, after, at, at + plan.length(i), runs);
    }
    while (edit < edits.size()) {
      apply(edits.get(edit++), before, after, runs);
    }
    Relocations tail;
    try {
      tail = image.relocations().edited(plan.removedRelocations(), plan.addedRelocations());
    } catch (IllegalArgumentException e) {
      throw new ImageException(image.name() + ": relocation tail: " + e.getMessage(), e);
    }
    ElfExtender elf = new ElfExtender(image);
    keepHeader(before, image, runs);
    UndoLog undo =
        new UndoLog(
            before.length,
            UndoLog.pageCrcs(before),
            elf.kept(),
            Arrays.copyOfRange(before, elf.kept(), image.relocations().offset()),
            runs,
            plan.removedRelocations(),
            plan.addedRelocations());
    HypergraftNote note =
        new HypergraftNote(
            HypergraftNote.TOOL_VERSION,
            sourceSha256,
            plan.options().target().id(),
            plan.options().canonical(),
            plan.options().profile(),
            plan.counts(),
            plan.requires());
    List<ElfExtender.Added> added = new ArrayList<>();
    added.add(new ElfExtender.Added(HypergraftNote.SECTION, SHT_NOTE, note.toBytes()));
    if (revertible) {
      added.add(new ElfExtender.Added(UndoLog.SECTION, SHT_PROGBITS, undo.toBytes()));
    }
    return elf.extend(after, added, tail.toBytes());
  }

  private static void apply(Plan.Edit e, byte[] before, byte[] after, List<UndoLog.Run> runs) {
    int end = e.offset() + e.before().length;
    if (e.after().length != e.before().length
        || !Arrays.equals(before, e.offset(), end, e.before(), 0, e.before().length)) {
      throw new ImageException(
          "payload byte 0x%x: the plan expects %s (%s), found %s"
              .formatted(
                  e.offset(),
                  HexFormat.of().formatHex(e.before()),
                  e.purpose(),
                  HexFormat.of().formatHex(before, e.offset(), end)));
    }
    System.arraycopy(e.after(), 0, after, e.offset(), e.after().length);
    UndoLog.differences(before, after, e.offset(), end, runs);
  }

  /** Extending the ELF changes three fields of its header; they revert with the rest. */
  private static void keepHeader(byte[] before, GuestImage image, List<UndoLog.Run> runs) {
    boolean wide = image.is64Bit();
    int from = wide ? 40 : 32;
    int length = wide ? 24 : 20;
    runs.add(0, new UndoLog.Run(from, Arrays.copyOfRange(before, from, from + length)));
  }
}
