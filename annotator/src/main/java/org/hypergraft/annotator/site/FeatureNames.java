package org.hypergraft.annotator.site;

import java.util.Locale;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.ImageException;
import org.hypergraft.annotator.image.Symbol;

/**
 * Names of CPU features and bugs as this kernel numbers them: from its own {@code x86_cap_flags}
 * and {@code x86_bug_flags} (what /proc/cpuinfo prints), else from the numbers that never changed.
 */
public final class FeatureNames {
  private static final int MAX_NAME = 64;

  private final GuestImage image;
  private final long caps;
  private final int capCount;
  private final long bugs;
  private final int bugCount;

  FeatureNames(GuestImage image) {
    this.image = image;
    Optional<Symbol> c = image.symbols().find("x86_cap_flags");
    Optional<Symbol> b = image.symbols().find("x86_bug_flags");
    caps = c.map(Symbol::address).orElse(0L);
    bugs = b.map(Symbol::address).orElse(0L);
    capCount = c.map(this::words).orElse(0);
    bugCount = b.map(this::words).orElse(0);
  }

  /** Whole 32-feature words of pointers that the symbol spans. */
  private int words(Symbol s) {
    long n = s.size() / image.elf().wordSize() / 32 * 32;
    return n > 0 && n <= 64 * 32 ? (int) n : 0;
  }

  /** Upper-case name; {@code word*32+bit} for a feature that this kernel does not name. */
  public String name(int feature) {
    String own = "";
    if (feature < capCount) {
      own = string(caps, feature);
    } else if (capCount > 0 && feature - capCount < bugCount) {
      own = string(bugs, feature - capCount);
      own = own.isEmpty() ? "" : "bug_" + own;
    }
    return own.isEmpty() ? CpuFeature.name(feature) : own.toUpperCase(Locale.ROOT);
  }

  private String string(long table, int index) {
    try {
      long at = image.word(table + (long) index * image.elf().wordSize());
      StringBuilder s = new StringBuilder();
      for (int i = 0; at != 0 && i < MAX_NAME; i++) {
        int ch = image.u8(at + i);
        if (ch == 0) {
          return s.toString();
        }
        if (ch <= ' ' || ch > '~') {
          return "";
        }
        s.append((char) ch);
      }
      return "";
    } catch (ImageException e) {
      return ""; // a name is a comfort; the number says it all
    }
  }
}
