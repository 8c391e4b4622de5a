package org.hypergraft.annotator.image;

/** Link addresses to payload offsets and back, by the loaded segments. */
final class AddressMap {
  private final long[] address;
  private final long[] alias;
  private final long[] size;
  private final int[] offset;

  AddressMap(Elf elf) {
    Segment[] loads =
        elf.segments().stream().filter(s -> s.loaded() && s.fileSize() > 0).toArray(Segment[]::new);
    address = new long[loads.length];
    alias = new long[loads.length];
    size = new long[loads.length];
    offset = new int[loads.length];
    // Kernels before 6.15 link per-CPU data at 0 but load it among the rest; its relocations use
    // the address it is loaded at, which is off from the physical one as all other segments are.
    long delta = 0;
    for (Segment s : loads) {
      if (s.virtualAddress() != 0) {
        delta = s.virtualAddress() - s.physicalAddress();
        break;
      }
    }
    for (int i = 0; i < loads.length; i++) {
      address[i] = loads[i].virtualAddress();
      alias[i] = loads[i].physicalAddress() + delta;
      size[i] = loads[i].fileSize();
      offset[i] = loads[i].offset();
    }
  }

  /** Payload offset of {@code length} bytes that lie in one segment's file bytes, or -1. */
  int offsetOf(long linkAddress, int length) {
    int at = find(address, linkAddress, length);
    return at >= 0 ? at : find(alias, linkAddress, length);
  }

  private int find(long[] bases, long linkAddress, int length) {
    for (int i = 0; i < bases.length; i++) {
      long in = linkAddress - bases[i];
      if (in >= 0 && in < size[i]) {
        return length <= size[i] - in ? offset[i] + (int) in : -1;
      }
    }
    return -1;
  }

  /** Link address of a payload byte, or -1 when it is not loaded. */
  long addressOf(int payloadOffset) {
    for (int i = 0; i < offset.length; i++) {
      long in = (long) payloadOffset - offset[i];
      if (in >= 0 && in < size[i]) {
        return address[i] + in;
      }
    }
    return -1;
  }
}
