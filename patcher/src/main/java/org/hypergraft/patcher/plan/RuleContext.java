package org.hypergraft.patcher.plan;

import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.site.SiteMap;

/**
 * What every rule needs: the image, the facts and the text as it becomes.
 *
 * @param sites tables of the image
 * @param facts what is known
 * @param text the payload with all patches so far; rules read replacement bodies from it
 * @param nops this kernel's NOPs
 * @param insn scratch for decoding
 */
@SuppressWarnings("ArrayRecordComponent") // the text is shared on purpose
record RuleContext(SiteMap sites, Facts facts, byte[] text, Nops nops, Insn insn) {
  GuestImage image() {
    return sites.image();
  }

  /** 32 or 64. */
  int mode() {
    return image().elf().bits();
  }

  /** Decodes within a buffer; length, or 0 when the bytes are no whole instruction. */
  int decode(byte[] b, int at, int limit, long address) {
    return Decoder.decode(b, at, limit, address, mode(), insn);
  }

  /** Name of a CPU feature in this kernel. */
  String featureName(int feature) {
    return sites.features().name(feature);
  }

  /**
   * Address of a function every kernel of the kind has.
   *
   * @throws Refusal when the image's symbols lack it
   */
  long symbol(String name) throws Refusal {
    return image()
        .symbols()
        .find(name)
        .orElseThrow(() -> new Refusal("the image has no symbol " + name))
        .address();
  }
}
