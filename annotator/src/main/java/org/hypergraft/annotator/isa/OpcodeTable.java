package org.hypergraft.annotator.isa;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The opcode table, read once from the text resource {@code opcodes.txt} (its head explains the
 * notation) and turned into decision trees, one per opcode.
 *
 * <p>A tree is a run of ints: a node at {@code n} holds the dimension in {@code nodes[n]} and the
 * child for value v in {@code nodes[n + 1 + v]}. A reference is 0 for no instruction, positive for
 * a row, and negative for {@code -n}.
 */
final class OpcodeTable {
  // Opcode maps. VEX_MAP + m, EVEX_MAP + m and XOP_MAP + m - 8 hold map m of those encodings.
  static final int MAP_1 = 0;
  static final int MAP_0F = 1;
  static final int MAP_0F38 = 2;
  static final int MAP_0F3A = 3;
  static final int MAP_3DNOW = 4;
  static final int VEX_MAP = 4;
  static final int EVEX_MAP = 8;
  static final int XOP_MAP = 15;
  static final int MAPS = 18;

  // Dimensions a row can constrain, and the number of values of each.
  static final int MODE_64 = 0;
  static final int PREFIX = 1;
  static final int REG = 2;
  static final int REGISTER_FORM = 3;
  static final int RM = 4;
  static final int WIDE = 5;
  static final int LENGTH = 6;
  static final int OPERAND_SIZE = 7;
  static final int ADDRESS_SIZE = 8;
  static final int REX_B = 9;
  private static final int DIMENSIONS = 10;
  private static final int[] VALUES = {2, 4, 8, 2, 8, 2, 3, 3, 3, 2};

  private static final Map<String, int[]> SELECTORS = new HashMap<>();
  private static final Map<String, Integer> FLAGS = new HashMap<>();
  private static final Map<String, Sensitivity> SENSITIVITIES = new HashMap<>();

  static {
    SELECTORS.put("i64", new int[] {MODE_64, 0});
    SELECTORS.put("o64", new int[] {MODE_64, 1});
    SELECTORS.put("np", new int[] {PREFIX, 0});
    SELECTORS.put("66", new int[] {PREFIX, 1});
    SELECTORS.put("f3", new int[] {PREFIX, 2});
    SELECTORS.put("f2", new int[] {PREFIX, 3});
    SELECTORS.put("m", new int[] {REGISTER_FORM, 0});
    SELECTORS.put("r", new int[] {REGISTER_FORM, 1});
    SELECTORS.put("w0", new int[] {WIDE, 0});
    SELECTORS.put("w1", new int[] {WIDE, 1});
    SELECTORS.put("l0", new int[] {LENGTH, 0});
    SELECTORS.put("l1", new int[] {LENGTH, 1});
    SELECTORS.put("l2", new int[] {LENGTH, 2});
    SELECTORS.put("osz16", new int[] {OPERAND_SIZE, 0});
    SELECTORS.put("osz32", new int[] {OPERAND_SIZE, 1});
    SELECTORS.put("osz64", new int[] {OPERAND_SIZE, 2});
    SELECTORS.put("asz16", new int[] {ADDRESS_SIZE, 0});
    SELECTORS.put("asz32", new int[] {ADDRESS_SIZE, 1});
    SELECTORS.put("asz64", new int[] {ADDRESS_SIZE, 2});
    SELECTORS.put("b0", new int[] {REX_B, 0});
    SELECTORS.put("b1", new int[] {REX_B, 1});
    FLAGS.put("lock", OpcodeRow.LOCK);
    FLAGS.put("d64", OpcodeRow.DEFAULT_64);
    FLAGS.put("f64", OpcodeRow.FORCE_64);
    FLAGS.put("anymod", OpcodeRow.ANY_MOD);
    FLAGS.put("k", OpcodeRow.MASK);
    FLAGS.put("kz", OpcodeRow.MASK | OpcodeRow.ZEROING);
    FLAGS.put("k!", OpcodeRow.MASK | OpcodeRow.MASK_REQUIRED);
    FLAGS.put("kz!", OpcodeRow.MASK | OpcodeRow.MASK_REQUIRED | OpcodeRow.ZEROING);
    FLAGS.put("er", OpcodeRow.ROUNDING);
    FLAGS.put("sae", OpcodeRow.SAE);
    FLAGS.put("sib", OpcodeRow.SIB);
    FLAGS.put("distinct", OpcodeRow.DISTINCT | OpcodeRow.NEW_DESTINATION);
    FLAGS.put("newdest", OpcodeRow.NEW_DESTINATION);
    FLAGS.put("ob", OpcodeRow.OP_BYTE);
    FLAGS.put("oz", OpcodeRow.OP_Z);
    FLAGS.put("ov", OpcodeRow.OP_V);
    SENSITIVITIES.put("priv", Sensitivity.PRIVILEGED);
    SENSITIVITIES.put("sens", Sensitivity.SENSITIVE_UNPRIVILEGED);
    SENSITIVITIES.put("io", Sensitivity.IO);
    SENSITIVITIES.put("iopl", Sensitivity.IOPL);
    SENSITIVITIES.put("hyper", Sensitivity.HYPERCALL);
  }

  /** Tree reference of opcode {@code map * 256 + opcode}. */
  final int[] roots = new int[MAPS * 256];

  /** Whether a ModRM byte follows, for every opcode. */
  final boolean[] modRm = new boolean[MAPS * 256];

  final OpcodeRow[] rows;
  int[] nodes = new int[16384];
  private int used = 1;

  // Needed while building only.
  private final List<OpcodeRow> parsed = new ArrayList<>();
  private final List<byte[]> constraints = new ArrayList<>();
  private final Map<String, int[]> operandLists = new HashMap<>();

  /** Reads the table that belongs to the decoder. */
  static OpcodeTable load() {
    try (InputStream in = OpcodeTable.class.getResourceAsStream("opcodes.txt")) {
      if (in == null) {
        throw new IllegalStateException("opcode table opcodes.txt is missing from the class path");
      }
      return new OpcodeTable(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @throws IllegalStateException naming the line when the text is malformed or ambiguous
   */
  OpcodeTable(String text) {
    parsed.add(null);
    constraints.add(null);
    int[][] rowsOf = new int[MAPS * 256][];
    String[] field = new String[16];
    int map = -1;
    int line = 0;
    for (int from = 0; from < text.length(); ) {
      int to = text.indexOf('\n', from);
      if (to < 0) {
        to = text.length();
      }
      line++;
      int n = split(text, from, to, field);
      from = to + 1;
      if (n == 0) {
        continue;
      }
      try {
        if (field[0].equals("map")) {
          map = mapOf(field[1]);
        } else {
          row(map, field, n, rowsOf);
        }
      } catch (RuntimeException e) {
        throw new IllegalStateException("opcode table line " + line + ": " + e.getMessage(), e);
      }
    }
    rows = parsed.toArray(new OpcodeRow[0]);
    for (int i = 0; i < roots.length; i++) {
      if (rowsOf[i] != null) {
        roots[i] = build(rowsOf[i], rowsOf[i].length, 0);
      }
    }
    nodes = Arrays.copyOf(nodes, used);
    parsed.clear();
    constraints.clear();
    operandLists.clear();
  }

  /** Number of values of a dimension, which is the number of children of its nodes. */
  static int values(int dimension) {
    return VALUES[dimension];
  }

  /** Splits at blanks, stops at '#'. Much faster on a cold JVM than regular expressions. */
  private static int split(String text, int from, int to, String[] field) {
    int n = 0;
    int i = from;
    while (true) {
      while (i < to && text.charAt(i) <= ' ') {
        i++;
      }
      if (i == to || text.charAt(i) == '#') {
        return n;
      }
      int start = i;
      while (i < to && text.charAt(i) > ' ') {
        i++;
      }
      field[n++] = text.substring(start, i);
    }
  }

  private static int mapOf(String name) {
    switch (name) {
      case "1" -> {
        return MAP_1;
      }
      case "0f" -> {
        return MAP_0F;
      }
      case "0f38" -> {
        return MAP_0F38;
      }
      case "0f3a" -> {
        return MAP_0F3A;
      }
      case "3dnow" -> {
        return MAP_3DNOW;
      }
      default -> {
        if (name.startsWith("vex")) {
          return VEX_MAP + Integer.parseInt(name.substring(3));
        }
        if (name.startsWith("evex")) {
          return EVEX_MAP + Integer.parseInt(name.substring(4));
        }
        return XOP_MAP + Integer.parseInt(name.substring(3), 16) - 8;
      }
    }
  }

  private void row(int map, String[] field, int n, int[][] rowsOf) {
    byte[] fixed = new byte[DIMENSIONS];
    Arrays.fill(fixed, (byte) -1);
    String code = field[0];
    int first = Integer.parseInt(code.substring(0, 2), 16);
    int count = 1;
    int flags = 0;
    boolean needsModRm = false;
    if (code.endsWith("+r")) {
      count = 8;
    } else if (code.endsWith("+c")) {
      count = 16;
      flags |= OpcodeRow.CONDITION;
    } else if (code.length() > 2) {
      needsModRm = true;
      fixed[REG] = (byte) (code.charAt(3) - '0');
      if (code.length() > 4) {
        fixed[RM] = (byte) (code.charAt(5) - '0');
        fixed[REGISTER_FORM] = 1;
      }
    }
    int at = 1;
    for (int[] s; (s = SELECTORS.get(field[at])) != null; at++) {
      fixed[s[0]] = (byte) s[1];
      needsModRm |= s[0] == REGISTER_FORM;
    }
    Mnemonic mnemonic = Mnemonic.valueOf(field[at++]);
    int[] operands = at < n ? operands(field[at++]) : operands("-");
    Sensitivity sensitivity = Sensitivity.NONE;
    int broadcast = 0;
    int factor = 0;
    for (; at < n; at++) {
      String f = field[at];
      Integer bit = FLAGS.get(f);
      if (bit != null) {
        flags |= bit;
      } else if (SENSITIVITIES.containsKey(f)) {
        sensitivity = SENSITIVITIES.get(f);
      } else if (f.charAt(0) == 'b') {
        broadcast = Integer.parseInt(f.substring(1)) / 8;
      } else if (f.charAt(0) == 'n') {
        factor = Integer.parseInt(f.substring(1));
      } else {
        throw new IllegalStateException("unknown flag \"" + f + "\"");
      }
    }
    int memory = Notation.NONE;
    for (int operand : operands) {
      int method = operand & 0xff;
      int size = operand >> 8;
      needsModRm |= Notation.needsModRm(method);
      if (Notation.usesVvvv(method)) {
        flags |= OpcodeRow.USES_VVVV;
      }
      if (Notation.mayBeMemory(method)) {
        memory = size;
      }
      if (Notation.needsMemory(method)) {
        fixed[REGISTER_FORM] = 0;
      } else if (Notation.needsRegister(method) && (flags & OpcodeRow.ANY_MOD) == 0) {
        fixed[REGISTER_FORM] = 1;
      }
      if (method == Notation.XM || method == Notation.YM) {
        flags |= OpcodeRow.SIB;
      }
      // Unsized memory (FLDENV, XSAVE) and descriptor tables change with the operand size too.
      if (size == Notation.VARIABLE
          || size == Notation.POINTER
          || method == Notation.SEGMENT
          || method == Notation.J
          || method == Notation.A
          || (method == Notation.M && (size == Notation.NONE || size == Notation.TABLE))) {
        flags |= OpcodeRow.OP_V;
      }
    }
    if (operands.length == 0 || (flags & (OpcodeRow.DEFAULT_64 | OpcodeRow.FORCE_64)) != 0) {
      flags |= OpcodeRow.OP_V;
    }
    if (fixed[PREFIX] == 1) {
      flags |= OpcodeRow.TAKES_66;
    } else if (fixed[PREFIX] > 1) {
      flags |= OpcodeRow.TAKES_REPEAT;
    }
    int id = parsed.size();
    parsed.add(new OpcodeRow(mnemonic, sensitivity, flags, operands, memory, broadcast, factor));
    constraints.add(fixed);
    for (int opcode = first; opcode < first + count; opcode++) {
      int slot = map * 256 + opcode;
      int[] old = rowsOf[slot];
      if (old == null) {
        rowsOf[slot] = new int[] {id};
        modRm[slot] = needsModRm;
      } else {
        if (modRm[slot] != needsModRm) {
          throw new IllegalStateException("rows of one opcode disagree on ModRM");
        }
        int[] longer = Arrays.copyOf(old, old.length + 1);
        longer[old.length] = id;
        rowsOf[slot] = longer;
      }
    }
  }

  private int[] operands(String list) {
    int[] known = operandLists.get(list);
    if (known != null) {
      return known;
    }
    int[] made;
    if (list.equals("-")) {
      made = new int[0];
    } else {
      String[] tokens = list.split(",", -1);
      made = new int[tokens.length];
      for (int i = 0; i < made.length; i++) {
        made[i] = Notation.parse(tokens[i]);
      }
    }
    operandLists.put(list, made);
    return made;
  }

  /** Builds the tree over the first {@code n} of {@code ids}, splitting by dimension d and up. */
  private int build(int[] ids, int n, int d) {
    if (n == 0) {
      return 0;
    }
    int dimension = d;
    while (dimension < DIMENSIONS && !constrained(ids, n, dimension)) {
      dimension++;
    }
    if (dimension == DIMENSIONS) {
      return mostSpecific(ids, n);
    }
    int values = VALUES[dimension];
    int node = used;
    used += 1 + values;
    if (used > nodes.length) {
      nodes = Arrays.copyOf(nodes, nodes.length * 2);
    }
    nodes[node] = dimension;
    int[] subset = new int[n];
    for (int v = 0; v < values; v++) {
      int m = 0;
      for (int i = 0; i < n; i++) {
        byte want = constraints.get(ids[i])[dimension];
        if (want < 0 || want == v) {
          subset[m++] = ids[i];
        }
      }
      int child = build(subset, m, dimension + 1);
      nodes[node + 1 + v] = child;
    }
    return -node;
  }

  private boolean constrained(int[] ids, int n, int dimension) {
    for (int i = 0; i < n; i++) {
      if (constraints.get(ids[i])[dimension] >= 0) {
        return true;
      }
    }
    return false;
  }

  /** All rows fit; a mandatory prefix wins, then the one that says most: PAUSE beats NOP. */
  private int mostSpecific(int[] ids, int n) {
    int best = 0;
    int bestScore = -1;
    boolean tie = false;
    for (int i = 0; i < n; i++) {
      byte[] fixed = constraints.get(ids[i]);
      int score = fixed[PREFIX] >= 0 ? DIMENSIONS : 0;
      for (byte c : fixed) {
        score += c >= 0 ? 1 : 0;
      }
      tie = score == bestScore || (tie && score < bestScore);
      if (score > bestScore) {
        best = ids[i];
        bestScore = score;
      }
    }
    if (tie) {
      StringBuilder names = new StringBuilder();
      for (int i = 0; i < n; i++) {
        names.append(' ').append(parsed.get(ids[i]).mnemonic);
      }
      throw new IllegalStateException("opcode table: rows cannot be told apart:" + names);
    }
    return best;
  }
}
