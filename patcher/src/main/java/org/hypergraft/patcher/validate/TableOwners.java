package org.hypergraft.patcher.validate;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.site.Site;
import org.hypergraft.annotator.site.SiteMap;

/**
 * Which annotation table owns a byte of code. Where several name it, the one that the kernel's
 * patching lets decide comes first in {@link #PRECEDENCE}.
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
          ".static_call_sites",
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
    GuestImage image = sites.image();
    for (Section s : image.elf().sections()) {
      if (s.allocated() && s.executable() && s.hasBytes()) {
        areas.add(new Area(s.address(), new byte[(int) s.size()]));
      }
    }
    sites.forEach(this::claim);
  }

  private void claim(Site site) {
    int rank = names.indexOf(site.table());
    if (rank < 0) {
      names.add(site.table());
      rank = names.size() - 1;
    }
    Area area = area(site.address());
    if (area == null) {
      return;
    }
    int from = (int) (site.address() - area.start());
    int to = Math.min(from + site.length(), area.owner().length);
    for (int i = from; i < to; i++) {
      if (area.owner()[i] == 0 || area.owner()[i] > rank) {
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
