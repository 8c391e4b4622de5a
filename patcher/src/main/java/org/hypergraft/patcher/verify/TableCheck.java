package org.hypergraft.patcher.verify;

import java.util.List;
import java.util.Optional;
import org.hypergraft.annotator.abi.CpuFeature;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Symbol;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.annotator.site.AddressTable;
import org.hypergraft.annotator.site.AlternativeTable;
import org.hypergraft.annotator.site.SiteMap;

/**
 * The kernel's tables and its text agree, and no site belongs to another hypervisor's interface.
 */
final class TableCheck {
  private static final String TABLES = "tables";
  private static final String INTERFACE = "interface";

  /** First parts of function names, by the target whose support code has them. */
  private static final List<String[]> FUNCTIONS =
      List.of(
          new String[] {"kvm", "kvm_", "__kvm_", "__raw_callee_save___kvm_"},
          new String[] {"hyperv", "hv_", "hyperv_", "__raw_callee_save_hv_"},
          new String[] {"vmware", "vmware_"},
          new String[] {"xen", "xen_", "__xen_", "__raw_callee_save_xen_"},
          new String[] {"tdx", "tdx_"});

  /** Bytes of one indirect-branch thunk. */
  private static final int THUNK = 32;

  private final GuestImage image;
  private final SiteMap sites;
  private final Findings findings;

  TableCheck(GuestImage image, SiteMap sites, Findings findings) {
    this.image = image;
    this.sites = sites;
    this.findings = findings;
  }

  /**
   * The kernel stops the boot when an entry for a direct call does not find the indirect call. So
   * either the call is there and the entry will be taken, or the site is rewritten and no entry of
   * it will ever be taken.
   */
  void directCalls() {
    Optional<AlternativeTable> table = sites.alternatives();
    if (table.isEmpty()) {
      return;
    }
    AlternativeTable t = table.get();
    int looked = 0;
    for (int i = 0; i < t.entries(); i++) {
      if (!t.directCall(i)) {
        continue;
      }
      looked++;
      boolean indirect = sites.slotCalledAt(t.address(i), t.length(i)) >= 0;
      boolean never = t.feature(i) == CpuFeature.ALWAYS && t.not(i);
      if (indirect == never) {
        findings.add(
            TABLES,
            t.address(i),
            indirect
                ? "still an indirect call, but its entry %d is never taken".formatted(i)
                : "rewritten, but its entry %d would be taken and stop the boot".formatted(i));
      }
    }
    findings.looked(TABLES, looked);
  }

  /**
   * The kernel warns about a return or an indirect branch that it finds rewritten, and leaves one
   * that its table no longer names. So either all sites of a table are as they were built, or the
   * table is emptied and none is.
   */
  void branches(EmptiedTables emptied) {
    thunks(
        emptied,
        AddressTable.Kind.RETURN_SITES,
        "__x86_return_thunk",
        1,
        "the build's return thunk");
    thunks(
        emptied,
        AddressTable.Kind.RETPOLINE_SITES,
        "__x86_indirect_thunk_array",
        16 * THUNK,
        "an indirect-branch thunk");
  }

  private void thunks(
      EmptiedTables emptied, AddressTable.Kind kind, String symbol, int span, String what) {
    Optional<AddressTable> table = sites.addresses(kind);
    Optional<Symbol> thunk = image.symbols().find(symbol);
    if (table.isEmpty() || thunk.isEmpty()) {
      return;
    }
    AddressTable t = table.get();
    boolean empty = emptied.contains(t.name());
    boolean returns = kind == AddressTable.Kind.RETURN_SITES;
    byte[] b = image.payload();
    for (int i = 0; i < t.entries(); i++) {
      long address = t.address(i);
      int at = sites.code().offsetOf(address, 5);
      int prefix = !returns && (b[at] == 0x2e || b[at] == 0x0f) ? 1 : 0;
      int opcode = b[at + prefix] & 0xff;
      boolean branch = opcode == 0xe9 || opcode == 0xe8 || (prefix == 1 && (opcode & 0xf0) == 0x80);
      long target = address + prefix + 5 + image.s32(address + prefix + 1);
      long in = target - thunk.get().address();
      boolean asBuilt = branch && in >= 0 && in < span;
      if (!empty && !asBuilt) {
        findings.add(TABLES, address, "rewritten, but table %s still names it".formatted(t.name()));
      } else if (empty && asBuilt && returns) {
        findings.add(
            TABLES, address, "still goes to %s, but table %s is emptied".formatted(what, t.name()));
      }
    }
    findings.looked(TABLES, t.entries());
  }

  /** No changed site calls support code of another hypervisor than the target's. */
  void oneInterface(ChangedCode changed, String target) {
    Insn in = new Insn();
    int[] looked = {0};
    changed.forEach(
        (i, address, offset, length) -> {
          int n =
              Decoder.decode(
                  image.payload(), offset, offset + length, address, image.elf().bits(), in);
          if (n == 0
              || in.operands == 0
              || in.kind[0] != Insn.REL
              || in.mnemonic != Mnemonic.CALL) {
            return;
          }
          looked[0]++;
          String function =
              image
                  .symbols()
                  .covering(in.imm)
                  .filter(s -> s.address() == in.imm)
                  .map(Symbol::name)
                  .orElse("");
          for (String[] family : FUNCTIONS) {
            if (!target.startsWith(family[0]) && belongs(function, family)) {
              findings.add(
                  INTERFACE,
                  address,
                  "calls %s, but the image is committed to %s".formatted(function, target));
            }
          }
        });
    findings.looked(INTERFACE, looked[0]);
  }

  private static boolean belongs(String function, String[] family) {
    for (int i = 1; i < family.length; i++) {
      if (function.startsWith(family[i])) {
        return true;
      }
    }
    return false;
  }
}
