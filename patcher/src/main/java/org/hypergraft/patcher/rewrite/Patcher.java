package org.hypergraft.patcher.rewrite;

import java.util.Arrays;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.patcher.plan.PlanOptions;
import org.hypergraft.patcher.plan.Planner;

/** From an image and options to a patched file. */
public final class Patcher {
  /**
   * The outcome.
   *
   * @param file the bytes of the output
   * @param plan what was done; for an image that was already as asked, the plan that led to it
   * @param alreadyPatched whether the input was already what was asked for
   */
  @SuppressWarnings("ArrayRecordComponent") // the output, as large as the image: not copied
  public record Result(byte[] file, Plan plan, boolean alreadyPatched) {}

  private Patcher() {}

  /**
   * Patches an image, and lets the result be reverted. An image patched with the same options is
   * given back as it is.
   *
   * @param fromOriginal for an image patched with other options: revert it first
   * @throws ConflictException when the image was patched with other options
   * @throws ImageException when the image cannot be worked on
   */
  public static Result patch(GuestImage image, PlanOptions options, boolean fromOriginal) {
    return patch(image, options, fromOriginal, true);
  }

  /**
   * The same.
   *
   * @param revertible whether the undo log goes along; containers of fixed size have no room for it
   */
  public static Result patch(
      GuestImage image, PlanOptions options, boolean fromOriginal, boolean revertible) {
    Optional<HypergraftNote> note = HypergraftNote.of(image);
    if (note.isEmpty()) {
      Plan plan = plan(image, options);
      return new Result(rewriter(plan, image.sha256()).file(revertible), plan, false);
    }
    boolean same =
        note.get().options().equals(options.canonical())
            && note.get().toolVersion().equals(HypergraftNote.TOOL_VERSION);
    if (!same && !fromOriginal) {
      throw new ConflictException(
          "%s: already patched with other options (%s); use --from-original to start from the"
                  .formatted(image.name(), note.get().options())
              + " image it was made from");
    }
    Plan plan = plan(original(image), options);
    Rewriter rewriter = rewriter(plan, note.get().sourceSha256());
    byte[] file = rewriter.file(same || revertible);
    int changed = same ? Arrays.mismatch(file, image.payload()) : -1;
    if (changed >= 0) {
      throw new ConflictException(
          "%s: byte 0x%x is not what patching with these options gives; it was changed afterwards"
              .formatted(image.name(), changed));
    }
    return new Result(same && !revertible ? rewriter.file(false) : file, plan, same);
  }

  /** Reads the tables and plans. */
  public static Plan plan(GuestImage image, PlanOptions options) {
    return Planner.plan(SiteMap.of(image), options);
  }

  /**
   * The files of a plan.
   *
   * @param sourceSha256 hash of the file that the plan's image came from, for the note
   * @throws ConflictException when sealing was asked for and cannot be done
   */
  public static Rewriter rewriter(Plan plan, String sourceSha256) {
    if (!plan.sealObstacles().isEmpty()) {
      throw new ConflictException(
          "%s: cannot be sealed: %s"
              .formatted(plan.image().name(), String.join("; ", plan.sealObstacles())));
    }
    return new Rewriter(plan, sourceSha256);
  }

  /**
   * The image that a patched one was made from, as a vmlinux; an image that is not patched is
   * returned as it is.
   *
   * @throws ImageException when the image carries no undo log, or was changed afterwards
   */
  public static GuestImage original(GuestImage image) {
    if (HypergraftNote.of(image).isEmpty()) {
      return image;
    }
    UndoLog log =
        UndoLog.of(image)
            .orElseThrow(
                () ->
                    new ImageException(
                        "%s: patched, but its section %s is gone; the original file is needed"
                            .formatted(image.name(), UndoLog.SECTION)));
    return GuestImage.parse(log.revert(image), image.name());
  }
}
