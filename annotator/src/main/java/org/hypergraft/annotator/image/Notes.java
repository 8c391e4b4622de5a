package org.hypergraft.annotator.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The ELF notes of an image, from note sections, else from note segments. Immutable. */
public final class Notes {
  /** Owner of the note this tool leaves in what it patched. */
  public static final String HYPERGRAFT = "Hypergraft";

  public static final String XEN = "Xen";
  public static final String GNU = "GNU";

  /** Xen note types (Xen public header elfnote.h). */
  public static final int XEN_ENTRY = 1;

  public static final int XEN_HYPERCALL_PAGE = 2;
  public static final int XEN_VIRT_BASE = 3;
  public static final int XEN_PADDR_OFFSET = 4;
  public static final int XEN_VERSION = 5;
  public static final int XEN_GUEST_OS = 6;
  public static final int XEN_GUEST_VERSION = 7;
  public static final int XEN_LOADER = 8;
  public static final int XEN_PAE_MODE = 9;
  public static final int XEN_FEATURES = 10;
  public static final int XEN_HV_START_LOW = 12;
  public static final int XEN_L1_MFN_VALID = 13;
  public static final int XEN_SUSPEND_CANCEL = 14;
  public static final int XEN_INIT_P2M = 15;
  public static final int XEN_MOD_START_PFN = 16;
  public static final int XEN_SUPPORTED_FEATURES = 17;

  /** The PVH entry point, a physical address entered in 32-bit protected mode. */
  public static final int XEN_PHYS32_ENTRY = 18;

  public static final int XEN_PHYS32_RELOC = 19;

  /** NT_GNU_BUILD_ID. */
  public static final int GNU_BUILD_ID = 3;

  private static final int MAX_NOTES = 4096;
  private static final int MAX_OWNER = 64;

  /** Note sections may overlap, so their bytes are bounded together. */
  private static final int MAX_BYTES = 16 << 20;

  private final List<Note> all;

  private Notes(List<Note> all) {
    this.all = List.copyOf(all);
  }

  static Notes parse(byte[] b, Elf elf) {
    List<Note> out = new ArrayList<>();
    for (Section s : elf.sections()) {
      if (s.type() == Section.SHT_NOTE) {
        area(b, s.offset(), (int) (s.offset() + s.size()), "section " + s.name(), out);
      }
    }
    if (out.isEmpty()) {
      for (Segment s : elf.segments()) {
        if (s.type() == Segment.PT_NOTE) {
          area(b, s.offset(), (int) (s.offset() + s.fileSize()), "note segment", out);
        }
      }
    }
    return new Notes(out);
  }

  private static void area(byte[] b, int from, int to, String where, List<Note> out) {
    int at = from;
    long total = out.stream().mapToLong(Note::length).sum();
    while (to - at >= 12) {
      long nameSize = LittleEndian.u32(b, at);
      long size = LittleEndian.u32(b, at + 4);
      int type = LittleEndian.s32(b, at + 8);
      long name = at + 12L;
      long description = name + (nameSize + 3 & ~3L);
      long next = description + (size + 3 & ~3L);
      total += size;
      if (nameSize > MAX_OWNER
          || description + size > to
          || total > MAX_BYTES
          || out.size() == MAX_NOTES) {
        throw new ImageException(
            "%s has a note at payload byte 0x%x with a %d-byte name and %d-byte body that do not fit"
                .formatted(where, at, nameSize, size));
      }
      int n = (int) nameSize;
      while (n > 0 && b[(int) name + n - 1] == 0) {
        n--;
      }
      out.add(
          new Note(
              new String(b, (int) name, n, StandardCharsets.ISO_8859_1),
              type,
              (int) description,
              Arrays.copyOfRange(b, (int) description, (int) (description + size))));
      at = (int) Math.min(next, to);
    }
  }

  /** Every note in file order. */
  public List<Note> all() {
    return all;
  }

  /** The notes of one owner. */
  public List<Note> of(String owner) {
    return all.stream().filter(n -> n.owner().equals(owner)).toList();
  }

  /** The first note of that owner and type. */
  public Optional<Note> find(String owner, int type) {
    return all.stream().filter(n -> n.type() == type && n.owner().equals(owner)).findFirst();
  }

  /** Physical address of the PVH entry point, when the image has one. */
  public OptionalLong pvhEntry() {
    return find(XEN, XEN_PHYS32_ENTRY)
        .map(n -> OptionalLong.of(n.number()))
        .orElse(OptionalLong.empty());
  }

  /** The GNU build id as lower-case hex. */
  public Optional<String> buildId() {
    return find(GNU, GNU_BUILD_ID).map(n -> HexFormat.of().formatHex(n.bytes()));
  }
}
