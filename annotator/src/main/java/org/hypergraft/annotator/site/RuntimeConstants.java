package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;

/**
 * Instruction immediates into which the kernel writes values that it computes at boot, such as the
 * address of its dentry hash table (Linux {@code arch/x86/include/asm/runtime-const.h}, 6.11+). One
 * section per value lists the immediates, as offsets relative to each entry; the section's prefix
 * tells how wide they are.
 */
public final class RuntimeConstants {
  private static final int STRIDE = 4;

  /** Gets the immediates, one after the other. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Gets one immediate.
     *
     * @param section the section that lists it, such as {@code runtime_ptr_USER_PTR_MAX}
     * @param address link address of the immediate
     * @param length its bytes
     */
    void immediate(String section, long address, int length);
  }

  private RuntimeConstants() {}

  /** The sections that list such immediates, by their order in the file. */
  public static List<String> sections(GuestImage image) {
    List<String> names = new ArrayList<>();
    for (Section s : image.elf().sections()) {
      if (width(s.name()) > 0) {
        names.add(s.name());
      }
    }
    return names;
  }

  /**
   * Visits every immediate.
   *
   * @throws org.hypergraft.annotator.image.ImageException when an entry names no code
   */
  public static void forEach(SiteMap sites, Visitor visitor) {
    CodeMap code = sites.code();
    ByteBuffer b = code.bytes();
    for (String name : sections(sites.image())) {
      Extent extent = Extent.ofSection(sites.image(), name).orElse(null);
      if (extent == null) {
        continue;
      }
      int n = extent.entries(STRIDE);
      for (int i = 0; i < n; i++) {
        long entry = extent.address() + (long) i * STRIDE;
        long address = entry + b.getInt(extent.offset() + i * STRIDE);
        code.require(extent, i, address, width(name));
        visitor.immediate(name, address, width(name));
      }
    }
  }

  /** A pointer is the imm64 of a MOV, a shift count the imm8 of a SHR. */
  private static int width(String section) {
    if (section.startsWith("runtime_ptr_")) {
      return 8;
    }
    return section.startsWith("runtime_shift_") ? 1 : 0;
  }
}
