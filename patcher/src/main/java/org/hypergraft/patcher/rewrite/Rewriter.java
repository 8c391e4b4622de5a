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

/**
 * Turns a plan into files. What changes is worked out once; the image is copied only into the file
 * itself.
 */
public final class Rewriter {
  /** Section type of notes, gABI chapter 4. */
  private static final int SHT_NOTE = 7;

  private static final int SHT_PROGBITS = 1;

  private final Plan plan;
  private final ElfExtender elf;
  private final byte[] tail;
  private final HypergraftNote note;
  private final UndoLog undo;

  /**
   * A rewriter of one plan.
   *
   * @param sourceSha256 hash of the file that the plan's image came from, for the note
   * @throws ImageException when the image does not hold what the plan found in it
   */
  public Rewriter(Plan plan, String sourceSha256) {
    this.plan = plan;
    GuestImage image = plan.image();
    byte[] before = image.payload();
    Relocations relocations;
    try {
      relocations = image.relocations().edited(plan.removedRelocations(), plan.addedRelocations());
    } catch (IllegalArgumentException e) {
      throw new ImageException(image.name() + ": relocation tail: " + e.getMessage(), e);
    }
    tail = relocations.toBytes();
    elf = new ElfExtender(image);
    undo =
        new UndoLog(
            before.length,
            UndoLog.pageCrcs(before),
            elf.kept(),
            Arrays.copyOfRange(before, elf.kept(), image.relocations().offset()),
            runs(),
            plan.removedRelocations(),
            plan.addedRelocations());
    note =
        new HypergraftNote(
            HypergraftNote.TOOL_VERSION,
            sourceSha256,
            plan.options().target().id(),
            plan.options().canonical(),
            plan.options().profile(),
            plan.counts(),
            plan.requires());
  }

  /**
   * The patched image: a vmlinux whose last bytes are the relocation tail.
   *
   * @param revertible whether the undo log goes along; without it the image is smaller, and the
   *     original is needed to revert or verify it
   */
  public byte[] file(boolean revertible) {
    List<ElfExtender.Added> added = new ArrayList<>();
    added.add(new ElfExtender.Added(HypergraftNote.SECTION, SHT_NOTE, note.toBytes()));
    if (revertible) {
      added.add(new ElfExtender.Added(UndoLog.SECTION, SHT_PROGBITS, undo.toBytes()));
    }
    byte[] out = elf.extend(added, tail);
    for (int i = 0; i < plan.size(); i++) {
      if (plan.action(i) == Action.PATCH) {
        plan.copyReplacement(i, out, plan.offset(i));
      }
    }
    for (Plan.Edit e : plan.edits()) {
      System.arraycopy(e.after(), 0, out, e.offset(), e.after().length);
    }
    return out;
  }

  /** The stretches that change, ascending, with what is there before. */
  private List<UndoLog.Run> runs() {
    byte[] before = plan.image().payload();
    List<UndoLog.Run> runs = new ArrayList<>();
    runs.add(header(before, plan.image()));
    List<Plan.Edit> edits = plan.edits();
    int edit = 0;
    byte[] after = new byte[512];
    for (int i = 0; i < plan.size(); i++) {
      int at = plan.offset(i);
      while (edit < edits.size() && edits.get(edit).offset() < at) {
        addRuns(edits.get(edit++), before, runs);
      }
      if (plan.action(i) != Action.PATCH) {
        continue;
      }
      int length = plan.length(i);
      if (at > elf.kept() - length) {
        throw new ImageException(
            "%s: the site at 0x%x lies in the ELF's own tables, at payload byte 0x%x"
                .formatted(plan.image().name(), plan.address(i), at));
      }
      if (length > after.length) {
        after = new byte[length * 2];
      }
      plan.copyReplacement(i, after, 0);
      UndoLog.differences(before, at, after, length, runs);
    }
    while (edit < edits.size()) {
      addRuns(edits.get(edit++), before, runs);
    }
    return runs;
  }

  private void addRuns(Plan.Edit e, byte[] before, List<UndoLog.Run> runs) {
    int end = e.offset() + e.before().length;
    if (e.after().length != e.before().length
        || end > elf.kept()
        || !Arrays.equals(before, e.offset(), end, e.before(), 0, e.before().length)) {
      throw new ImageException(
          "payload byte 0x%x: the plan expects %s (%s), found %s"
              .formatted(
                  e.offset(),
                  HexFormat.of().formatHex(e.before()),
                  e.purpose(),
                  HexFormat.of().formatHex(before, e.offset(), end)));
    }
    UndoLog.differences(before, e.offset(), e.after(), e.after().length, runs);
  }

  /** Extending the ELF changes three fields of its header; they revert with the rest. */
  private static UndoLog.Run header(byte[] before, GuestImage image) {
    boolean wide = image.is64Bit();
    int from = wide ? 40 : 32;
    int length = wide ? 24 : 20;
    return new UndoLog.Run(from, Arrays.copyOfRange(before, from, from + length));
  }
}
