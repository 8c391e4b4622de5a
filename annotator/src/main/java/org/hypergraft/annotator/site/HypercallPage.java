package org.hypergraft.annotator.site;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;

/**
 * Xen's hypercall page: 128 stubs of 32 bytes, which the hypervisor writes when the guest asks for
 * it, and the code that calls them directly (Linux {@code arch/x86/xen/xen-head.S} and {@code
 * include/asm/xen/hypercall.h}). Kernels that mitigate XSA-466 have none: they make hypercalls
 * through a static call.
 *
 * @param address link address of the page
 * @param calls link addresses of the calls and jumps to its stubs, ascending within a section
 */
public record HypercallPage(long address, List<Long> calls) {
  /** What it is called in reports, as in the kernel. */
  public static final String NAME = "hypercall_page";

  private static final int PAGE = 4096;
  private static final int STUB = 32;

  /** Functions of the kernel are smaller; beyond, a call is taken for what its bytes say. */
  private static final int MAX_FUNCTION = 1 << 16;

  public HypercallPage {
    calls = List.copyOf(calls);
  }

  /** The page of an image and who calls it; reads the whole code of an image that has one. */
  public static Optional<HypercallPage> find(SiteMap sites) {
    GuestImage image = sites.image();
    Optional<Symbol> symbol = image.symbols().find(NAME);
    if (symbol.isEmpty() || sites.code().offsetOf(symbol.get().address(), PAGE) < 0) {
      return Optional.empty();
    }
    long page = symbol.get().address();
    List<Long> calls = new ArrayList<>();
    ByteBuffer b = sites.code().bytes();
    for (Section s : sites.code().sections()) {
      int end = (int) (s.offset() + s.size()) - 5;
      long delta = s.address() - s.offset();
      for (int at = s.offset(); at <= end; at++) {
        if ((b.get(at) & 0xfe) != 0xe8) {
          continue;
        }
        long in = at + delta + 5 + b.getInt(at + 1) - page;
        if (in >= 0 && in < PAGE && in % STUB == 0 && isInstruction(sites, at + delta, at)) {
          calls.add(at + delta);
        }
      }
    }
    return Optional.of(new HypercallPage(page, calls));
  }

  /** Whether decoding the function around an address comes to it. */
  private static boolean isInstruction(SiteMap sites, long address, int at) {
    GuestImage image = sites.image();
    Optional<Symbol> function =
        image.symbols().covering(address).filter(s -> address - s.address() < MAX_FUNCTION);
    if (function.isEmpty()) {
      return true;
    }
    Insn in = new Insn();
    int i = at - (int) (address - function.get().address());
    while (i < at) {
      long ip = address - (at - i);
      int n = Decoder.decode(image.payload(), i, at + 5, ip, image.elf().bits(), in);
      if (n == 0) {
        return true; // data before it: nothing tells otherwise
      }
      i += n;
    }
    return i == at;
  }
}
