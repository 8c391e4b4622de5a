package org.hypergraft.patcher.verify;

import java.util.Arrays;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.SiteMap;

/**
 * No pointer that the image's relocations name leads to a function whose ENDBR64 was taken away:
 * with indirect branch tracking a call through it would fault.
 *
 * <p>Kprobes' list of functions that must not be probed is the exception: its addresses are
 * compared, not called ({@code _ASM_NOKPROBE()} of Linux {@code arch/x86/include/asm/asm.h}).
 */
final class EndbrCheck {
  private static final String CHECK = "sealed entries";

  /** ENDBR64, read little-endian. */
  private static final int ENDBR64 = 0xfa1e0ff3;

  private final GuestImage image;
  private final Findings findings;

  EndbrCheck(GuestImage image, Findings findings) {
    this.image = image;
    this.findings = findings;
  }

  void run(SiteMap sites) {
    long[] sealed =
        sites.addresses(AddressTable.Kind.IBT_ENDBR_SEAL).map(this::sealed).orElse(new long[0]);
    if (sealed.length == 0) {
      return;
    }
    long from = address("__start_kprobe_blacklist");
    long to = address("__stop_kprobe_blacklist");
    for (long at : image.relocations().addresses(Relocations.Kind.ABSOLUTE_64)) {
      long target = image.u64(at);
      if ((at < from || at >= to) && Arrays.binarySearch(sealed, target) >= 0) {
        findings.add(
            CHECK,
            at,
            "points to %s, whose entry no longer admits indirect calls"
                .formatted(image.symbols().describe(target)));
      }
    }
    findings.looked(CHECK, sealed.length);
  }

  /** Addresses of the listed entries that do not start with ENDBR64 any more, ascending. */
  private long[] sealed(AddressTable table) {
    long[] sealed = new long[table.entries()];
    int n = 0;
    for (int i = 0; i < table.entries(); i++) {
      if (image.s32(table.address(i)) != ENDBR64) {
        sealed[n++] = table.address(i);
      }
    }
    sealed = Arrays.copyOf(sealed, n);
    Arrays.sort(sealed);
    return sealed;
  }

  private long address(String symbol) {
    Optional<Symbol> s = image.symbols().find(symbol);
    return s.map(Symbol::address).orElse(0L);
  }
}
