package org.hypergraft.patcher.validate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Section;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.plan.Action;
import org.hypergraft.patcher.plan.Plan;
import org.hypergraft.vmm.machine.GuestView;
import org.hypergraft.vmm.machine.Moment;

/**
 * All code of a guest at one moment, to be compared byte by byte with a file: what the plan decides
 * as well as what no table names. To be taken of a guest that runs the original, unmoved.
 */
public final class TextSnapshot implements Moment {
  private static final byte LOCK = (byte) 0xf0;

  /**
   * What the kernel writes over a lock prefix on one processor: a DS prefix, which does nothing.
   */
  private static final byte NO_LOCK = 0x3e;

  /** Owner of the bytes of sites that the plan leaves to the guest. */
  public static final String KEPT = "kept sites";

  private final SiteMap sites;
  private final Map<Section, byte[]> code = new LinkedHashMap<>();

  /**
   * @param sites tables of the original
   */
  public TextSnapshot(SiteMap sites) {
    this.sites = sites;
  }

  @Override
  public boolean reached(GuestView view) {
    for (Section s : sites.image().elf().sections()) {
      if (s.allocated() && s.executable() && s.hasBytes() && s.size() > 0) {
        code.put(s, view.image(s.address(), (int) s.size()));
      }
    }
    return true;
  }

  /** Whether the guest came there. */
  public boolean isTaken() {
    return !code.isEmpty();
  }

  /**
   * Bytes that differ between the guest and a file.
   *
   * @param plan that the file was made by; where it changes code that no table names, the guest
   *     must have the original
   * @param output the file; its code lies where the original's does
   * @param owners tables of the original
   * @return addresses by what owns the byte: a table, {@link #KEPT}, or nothing; of writable
   *     sections only those that a table owns
   */
  public Map<String, List<Long>> differing(Plan plan, GuestImage output, TableOwners owners) {
    Map<String, List<Long>> found = new TreeMap<>();
    Set<Long> locks = Oracle.locks(sites);
    code.forEach(
        (s, guest) -> {
          byte[] file = output.bytes(s.address(), guest.length);
          for (Plan.Edit e : plan.edits()) {
            byte[] before = e.before();
            int at = e.offset() - s.offset();
            if (at >= 0 && at < file.length) {
              System.arraycopy(before, 0, file, at, Math.min(before.length, file.length - at));
            }
          }
          int at = 0;
          while (true) {
            int k = Arrays.mismatch(guest, at, guest.length, file, at, guest.length);
            if (k < 0) {
              return;
            }
            at += k;
            long address = s.address() + at;
            boolean unlocked = guest[at] == NO_LOCK && file[at] == LOCK && locks.contains(address);
            String owner =
                unlocked
                    ? AddressTable.Kind.SMP_LOCKS.table()
                    : isKept(plan, address) ? KEPT : owners.of(address);
            if (!s.writable() || !owner.equals(TableOwners.NONE)) {
              found.computeIfAbsent(owner, o -> new ArrayList<>()).add(address);
            }
            at++;
          }
        });
    return found;
  }

  private static boolean isKept(Plan plan, long address) {
    int i = plan.covering(address);
    return i >= 0 && plan.action(i) != Action.PATCH;
  }
}
