package org.hypergraft.patcher.verify;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.site.SiteIndex;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.patcher.rewrite.HypergraftNote;
import org.hypergraft.patcher.rewrite.Patcher;
import org.hypergraft.patcher.rewrite.Rewriter;
import org.hypergraft.patcher.rewrite.UndoLog;

/** Proves a patched image without running it. */
public final class Verifier {
  private Verifier() {}

  /**
   * Verifies an image that this tool patched.
   *
   * @param patched the image
   * @param against the original, when it is at hand: proves that the undo log tells the truth
   * @throws ImageException when the image was not patched, or cannot be read
   */
  public static Verification verify(GuestImage patched, Optional<GuestImage> against) {
    HypergraftNote note =
        HypergraftNote.of(patched)
            .orElseThrow(
                () ->
                    new ImageException(
                        patched.name() + ": no Hypergraft note; this image was not patched"));
    Optional<UndoLog> log = UndoLog.of(patched);
    if (log.isEmpty()) {
      return withoutUndo(
          patched,
          note,
          against.orElseThrow(
              () ->
                  new ImageException(
                      "%s: it carries no undo log (section %s); name its original with --against"
                          .formatted(patched.name(), UndoLog.SECTION))));
    }
    return revertible(patched, note, log.get(), against, true);
  }

  /**
   * Verifies an image from what it carries.
   *
   * @param repeat whether to patch once more and compare
   */
  private static Verification revertible(
      GuestImage patched,
      HypergraftNote note,
      UndoLog undo,
      Optional<GuestImage> against,
      boolean repeat) {
    Findings findings = new Findings(patched);
    byte[] restored = undo.restore(patched);
    for (int page : undo.damagedPages(restored)) {
      findings.add(
          "integrity",
          addressOf(patched, page),
          "payload bytes 0x%x to 0x%x were changed after patching"
              .formatted(page, Math.min(page + UndoLog.PAGE, restored.length) - 1));
    }
    findings.looked("integrity", restored.length / UndoLog.PAGE);
    GuestImage original = GuestImage.parse(restored, patched.name());
    against.ifPresent(o -> compare(Patcher.original(o), original, findings));
    SiteMap originalSites = SiteMap.of(original);
    SiteMap sites = SiteMap.of(patched);
    ChangedCode changed = new ChangedCode(patched, originalSites, new SiteIndex(originalSites));
    EmptiedTables emptied = new EmptiedTables(patched, sites);
    changed.check(undo.runs(), emptied, findings);
    new BranchCheck(patched, originalSites, changed, findings).run();
    new RelocationCheck(patched, findings).run(changed);
    boolean sitesKnownToBuild = originalSites.pvOps().flatMap(o -> o.slot("init.patch")).isEmpty();
    new UnwindCheck(patched, findings).run(changed, sitesKnownToBuild);
    TableCheck tables = new TableCheck(patched, sites, findings);
    tables.directCalls();
    tables.branches(emptied);
    tables.oneInterface(changed, note.target());
    new EndbrCheck(patched, findings).run(sites);
    if (repeat) {
      again(patched, original, note, findings);
    }
    return findings.result();
  }

  /**
   * An image that left its undo log behind is proved by its original: the same patch is made again,
   * with the log, and verified; the image must be that, log aside.
   */
  private static Verification withoutUndo(
      GuestImage patched, HypergraftNote note, GuestImage against) {
    GuestImage original = Patcher.original(against);
    Plan plan = Patcher.plan(original, note.planOptions());
    Rewriter rewriter = Patcher.rewriter(plan, note.sourceSha256());
    Findings findings = new Findings(patched);
    findings.looked("reproduction", 1);
    differences(patched, rewriter.file(false), "reproduction", findings);
    if (!findings.result().passed()) {
      return findings.result();
    }
    GuestImage full = GuestImage.parse(rewriter.file(true), patched.name());
    return revertible(full, note, UndoLog.of(full).orElseThrow(), Optional.of(against), false);
  }

  private static void compare(GuestImage against, GuestImage original, Findings findings) {
    findings.looked("original", 1);
    int at = Arrays.mismatch(against.payload(), original.payload());
    if (at >= 0) {
      findings.add(
          "original",
          addressOf(original, at),
          "the image was not made from %s: payload byte 0x%x differs"
              .formatted(against.name(), at));
    }
  }

  /** Link address of a payload byte; 0 when it is not loaded. */
  private static long addressOf(GuestImage image, int at) {
    long address = image.addressOf(at);
    return address == -1 ? 0 : address;
  }

  /** Plans once more from the recorded options: every byte of the file must come out the same. */
  private static void again(
      GuestImage patched, GuestImage original, HypergraftNote note, Findings findings) {
    String check = "reproduction";
    findings.looked(check, 1);
    if (!note.toolVersion().equals(HypergraftNote.TOOL_VERSION)) {
      findings.add(
          check,
          0,
          "made by version %s; this is %s, which may decide otherwise"
              .formatted(note.toolVersion(), HypergraftNote.TOOL_VERSION));
      return;
    }
    Plan plan = Patcher.plan(original, note.planOptions());
    byte[] repeated = Patcher.rewriter(plan, note.sourceSha256()).file(true);
    differences(patched, repeated, check, findings);
  }

  /** One finding for each run of bytes that is not as expected. */
  private static void differences(
      GuestImage patched, byte[] expected, String check, Findings findings) {
    byte[] found = patched.payload();
    int at = Arrays.mismatch(expected, found);
    int n = Math.min(expected.length, found.length);
    while (at >= 0) {
      if (at >= n) {
        findings.add(
            check,
            0,
            "expected a file of %d bytes, found %d".formatted(expected.length, found.length));
        return;
      }
      int end = at + 1;
      while (end < n && end - at < 16 && expected[end] != found[end]) {
        end++;
      }
      findings.add(
          check,
          addressOf(patched, at),
          "payload byte 0x%x: these options give %s, found %s"
              .formatted(
                  at,
                  HexFormat.of().formatHex(expected, at, end),
                  HexFormat.of().formatHex(found, at, end)));
      int next = Arrays.mismatch(expected, end, n, found, end, n);
      at = next < 0 ? (expected.length == found.length ? -1 : n) : end + next;
    }
  }
}
