package org.hypergraft.patcher.validate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.image.SymbolTable;
import org.hypergraft.annotator.site.RuntimeConstants;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.annotator.site.StaticCallTable;

/**
 * Which annotation table owns a byte of code. Where several name it, the one that the kernel's
 * patching lets decide comes first in {@link #PRECEDENCE}; but a static call's trampoline is always
 * the static call's, although its branch may be listed as a return.
 */
public final class TableOwners {
  /** What owns a byte that no table names. */
  public static final String NONE = "no table";

  private static final List<String> PRECEDENCE =
      List.of(
          ".parainstructions",
          ".altinstructions",
          ".retpoline_sites",
          ".return_sites",
          "__jump_table",
          StaticCallTable.NAME,
          "__mcount_loc",
          ".ibt_endbr_seal",
          ".smp_locks",
          ".call_sites");

  private record Area(long start, byte[] owner) {}

  private final List<Area> areas = new ArrayList<>();
  private final List<String> names = new ArrayList<>();

  /** Reads who owns what from the tables. */
  public TableOwners(SiteMap sites) {
    names.add(NONE);
    names.addAll(PRECEDENCE);
    names.addAll(RuntimeConstants.sections(sites.image()));
    for (Section s : sites.code().sections()) {
      areas.add(new Area(s.address(), new byte[(int) s.size()]));
    }
    sites.forEachExtent((table, address, length) -> claim(address, length, table.name(), false));
    RuntimeConstants.forEach(
        sites, (section, address, length) -> claim(address, length, section, false));
    claimTrampolines(sites.image().symbols());
  }

  /** Static calls' trampolines lie together, see Linux {@code asm-generic/vmlinux.lds.h}. */
  private void claimTrampolines(SymbolTable symbols) {
    Optional<Symbol> first = symbols.find("__static_call_text_start");
    Optional<Symbol> end = symbols.find("__static_call_text_end");
    if (first.isPresent() && end.isPresent()) {
      long length = end.get().address() - first.get().address();
      claim(first.get().address(), (int) length, StaticCallTable.NAME, true);
    }
  }

  private void claim(long address, int length, String table, boolean beforeAll) {
    Area area = area(address);
    if (area == null) {
      return;
    }
    int rank = names.indexOf(table);
    int from = (int) (address - area.start());
    int to = Math.min(from + length, area.owner().length);
    for (int i = from; i < to; i++) {
      if (beforeAll || area.owner()[i] == 0 || area.owner()[i] > rank) {
        area.owner()[i] = (byte) rank;
      }
    }
  }

  /** The table that owns the byte at a link address, or {@link #NONE}. */
  public String of(long linkAddress) {
    Area area = area(linkAddress);
    int rank = area == null ? 0 : area.owner()[(int) (linkAddress - area.start())];
    return names.get(rank);
  }

  private Area area(long address) {
    for (Area a : areas) {
      if (Long.compareUnsigned(address - a.start(), a.owner().length) < 0) {
        return a;
      }
    }
    return null;
  }
}
