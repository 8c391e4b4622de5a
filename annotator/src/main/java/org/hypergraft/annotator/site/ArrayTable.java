package org.hypergraft.annotator.site;

/** A table of equal entries whose sites were read into an array. */
abstract class ArrayTable implements SiteTable {
  private final Extent extent;
  private final int stride;

  /** Link addresses of the sites, by entry; filled while the table is read, never after. */
  final long[] site;

  /**
   * @param stride bytes from one entry to the next
   * @param site link addresses of the sites, one for each entry; kept
   */
  ArrayTable(Extent extent, int stride, long[] site) {
    this.extent = extent;
    this.stride = stride;
    this.site = site;
  }

  @Override
  public final Extent extent() {
    return extent;
  }

  @Override
  public final int entries() {
    return site.length;
  }

  @Override
  public final int entrySize() {
    return stride;
  }

  @Override
  public final long address(int i) {
    return site[i];
  }

  /** Payload offset of entry {@code i}. */
  final int offsetOf(int i) {
    return extent.offset() + i * stride;
  }

  /** Link address of entry {@code i}, which the offsets in it are relative to. */
  final long addressOf(int i) {
    return extent.address() + (long) i * stride;
  }
}
