package org.hypergraft.annotator.image;

/**
 * One ELF program header (gABI chapter 5), checked: {@code [offset, offset+fileSize)} lies inside
 * the payload and {@code fileSize <= memorySize} for loaded segments.
 *
 * @param type p_type
 * @param flags p_flags
 * @param offset payload offset of the bytes
 * @param virtualAddress link address
 * @param physicalAddress where a loader puts it when the kernel is not moved
 * @param fileSize bytes present in the payload
 * @param memorySize bytes in memory; those after fileSize are zero
 */
public record Segment(
    int type,
    int flags,
    int offset,
    long virtualAddress,
    long physicalAddress,
    long fileSize,
    long memorySize) {
  static final int PT_LOAD = 1;
  static final int PT_INTERP = 3;
  static final int PT_NOTE = 4;

  /** Whether the segment is loaded into memory. */
  public boolean loaded() {
    return type == PT_LOAD;
  }

  public boolean executable() {
    return (flags & 1) != 0;
  }

  public boolean writable() {
    return (flags & 2) != 0;
  }
}
