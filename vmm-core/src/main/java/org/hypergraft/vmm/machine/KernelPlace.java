package org.hypergraft.vmm.machine;

import java.util.Optional;
import java.util.OptionalLong;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Segment;
import org.hypergraft.annotator.image.Symbol;

/**
 * Where a kernel lies, and what its addresses are called.
 *
 * @param image the kernel
 * @param offset its run-time addresses less its link addresses, physical and virtual alike
 * @param linkBase link addresses less physical ones
 */
record KernelPlace(GuestImage image, long offset, long linkBase) {
  static KernelPlace of(GuestImage image, long offset) {
    Segment first =
        image.elf().segments().stream().filter(Segment::loaded).findFirst().orElseThrow();
    return new KernelPlace(image, offset, first.virtualAddress() - first.physicalAddress());
  }

  /** Run-time address of a symbol; of several, the lowest. */
  OptionalLong address(String symbol) {
    Optional<Symbol> found = image.symbols().find(symbol);
    return found.isPresent()
        ? OptionalLong.of(found.get().address() + offset)
        : OptionalLong.empty();
  }

  /** Guest-physical address of a link address. */
  long physical(long link) {
    return link - linkBase + offset;
  }

  /** Link address of what lies at a guest-physical one. */
  long linkOf(long physical) {
    return physical - offset + linkBase;
  }

  /** Symbol around a run-time address, virtual or (before paging) physical. */
  Optional<String> function(long runtime) {
    return cover(runtime).map(Symbol::name);
  }

  /** The same; else the number. */
  String symbol(long runtime) {
    return function(runtime).orElse("0x" + Long.toHexString(runtime));
  }

  /** Symbol and distance, or null. */
  String name(long runtime) {
    return cover(runtime)
        .map(s -> "%s+0x%x".formatted(s.name(), link(runtime) - s.address()))
        .orElse(null);
  }

  /** Address, and symbol and distance where known. */
  String describe(long runtime) {
    String hex = "0x" + Long.toHexString(runtime);
    String name = name(runtime);
    return name == null ? hex : hex + " (" + name + ")";
  }

  /** Whether an address looks like one in the kernel's text. */
  boolean isText(long runtime) {
    return runtime >>> 32 != 0 == image.is64Bit() && cover(runtime).isPresent();
  }

  private Optional<Symbol> cover(long runtime) {
    return image.symbols().covering(link(runtime));
  }

  /** Link address of a run-time one; identity-mapped early code runs at physical addresses. */
  long link(long runtime) {
    long link = runtime - offset;
    return runtime >= 0 && image.is64Bit() && runtime < 1L << 32 ? link + linkBase : link;
  }
}
