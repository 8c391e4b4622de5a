package org.hypergraft.annotator.isa;

import java.util.EnumMap;
import java.util.Map;

/** Names that stand for an instruction with a particular immediate, such as CMPLTPS. */
final class PseudoOps {
  /** Comparison predicates 0-31 (Intel SDM vol. 2 "CMPPD", table "Comparison Predicate"). */
  private static final String[] FLOAT = {
    "eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord",
    "eq_uq", "nge", "ngt", "false", "neq_oq", "ge", "gt", "true",
    "eq_os", "lt_oq", "le_oq", "unord_s", "neq_us", "nlt_uq", "nle_uq", "ord_s",
    "eq_us", "nge_uq", "ngt_uq", "false_os", "neq_os", "ge_oq", "gt_oq", "true_us"
  };

  /** Integer predicates of AVX-512 (3 and 7 have no name) and of XOP. */
  private static final String[] INTEGER = {"eq", "lt", "le", null, "neq", "nlt", "nle", null};

  private static final String[] XOP = {"lt", "le", "gt", "ge", "eq", "neq", "false", "true"};

  private static final Map<Mnemonic, String[]> PREDICATES = new EnumMap<>(Mnemonic.class);

  static {
    for (Mnemonic m : Mnemonic.values()) {
      String n = m.name();
      if (n.matches("V?CMP[PS][SDH]")) {
        PREDICATES.put(m, FLOAT);
      } else if (n.matches("VPCMPU?[BWDQ]")) {
        PREDICATES.put(m, INTEGER);
      } else if (n.matches("VPCOMU?[BWDQ]")) {
        PREDICATES.put(m, XOP);
      }
    }
  }

  private PseudoOps() {}

  /** The name, or null when the instruction prints its immediate. */
  static String name(Insn in) {
    String[] predicates = PREDICATES.get(in.mnemonic);
    String text = in.mnemonic.text();
    if (predicates != null) {
      // The legacy forms define predicates 0-7 only.
      int known = in.encoding == 0 ? 8 : predicates.length;
      if (in.imm < 0 || in.imm >= known || predicates[(int) in.imm] == null) {
        return null;
      }
      int stem = text.indexOf(predicates == XOP ? "com" : "cmp") + 3;
      return text.substring(0, stem) + predicates[(int) in.imm] + text.substring(stem);
    }
    if (in.mnemonic == Mnemonic.PCLMULQDQ || in.mnemonic == Mnemonic.VPCLMULQDQ) {
      if ((in.imm & ~0x11) != 0) {
        return null;
      }
      String v = in.mnemonic == Mnemonic.PCLMULQDQ ? "pclmul" : "vpclmul";
      return v + ((in.imm & 1) != 0 ? "hq" : "lq") + ((in.imm & 16) != 0 ? "hqdq" : "lqdq");
    }
    return null;
  }
}
