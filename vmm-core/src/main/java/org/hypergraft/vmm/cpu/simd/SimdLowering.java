package org.hypergraft.vmm.cpu.simd;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Emitter;
import org.hypergraft.vmm.cpu.interpret.Lowering;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.model.Feature;

/**
 * Lowers MMX, SSE and AVX instructions. An instruction is done by the method that has its mnemonic
 * in lower case, without the V of VEX forms, plus {@code Store} when the destination is memory.
 */
public final class SimdLowering implements Lowering {
  /** Where the methods are. */
  private static final Class<?>[] OWNERS = {
    PackedInteger.class,
    Shuffles.class,
    Moves.class,
    FloatArithmetic.class,
    FloatConvert.class,
    Crypto.class,
    Sha.class,
    Sse4a.class,
    StringCompare.class,
    Avx.class,
  };

  /** Mnemonics that share the method of another one, "mnemonic method" each. */
  private static final String[] SHARED = {
    "movapd movaps",
    "movdqa movaps",
    "movntdqa movaps",
    "movntps movaps",
    "movntpd movaps",
    "movntdq movaps",
    "movupd movups",
    "movdqu movups",
    "lddqu movups",
    "movhpd movhps",
    "movlpd movlps",
    "movntq movq",
    "movntsd movsd",
    "movntss movss",
    "andps pand",
    "andpd pand",
    "andnps pandn",
    "andnpd pandn",
    "orps por",
    "orpd por",
    "xorps pxor",
    "xorpd pxor",
  };

  private static final Pattern FMA =
      Pattern.compile("vf(n?)m(add|sub|addsub|subadd)(132|213|231)[ps][sd]");

  private final Map<String, Class<?>> owners = new HashMap<>();
  private final String[] methods = new String[Mnemonic.values().length];

  private final Predicate<Feature> features;

  /**
   * @param features what the processor model has; other instructions are #UD
   */
  public SimdLowering(Predicate<Feature> features) {
    this.features = features;
    for (Class<?> owner : OWNERS) {
      for (Method m : owner.getDeclaredMethods()) {
        int modifiers = m.getModifiers();
        if (Modifier.isPublic(modifiers) && Modifier.isStatic(modifiers)) {
          owners.put(m.getName(), owner);
        }
      }
    }
    Map<String, String> shared = new HashMap<>();
    for (String pair : SHARED) {
      String[] names = pair.split(" ", 2);
      shared.put(names[0], names[1]);
    }
    for (Mnemonic m : Mnemonic.values()) {
      String name = m.name().toLowerCase(Locale.ROOT);
      String method = method(name, shared);
      if (method == null && name.startsWith("v")) {
        method = method(name.substring(1), shared);
      }
      methods[m.ordinal()] = method;
    }
  }

  private String method(String name, Map<String, String> shared) {
    if (name.equals("movd") || name.equals("movq")) {
      return name;
    }
    if (FMA.matcher(name).matches()) {
      return "fma" + name.substring(name.length() - 2);
    }
    String method = shared.getOrDefault(name, name);
    return owners.containsKey(method) || owners.containsKey(method + "Store") ? method : null;
  }

  /** Whether instructions of this name are implemented, in the encodings that they have. */
  public boolean implemented(Mnemonic mnemonic) {
    return methods[mnemonic.ordinal()] != null;
  }

  @Override
  public boolean lower(Insn insn, Emitter out) {
    String method = methods[insn.mnemonic.ordinal()];
    if (method == null || insn.encoding > 1) {
      return false;
    }
    int n = 0;
    boolean mmx = false;
    for (int i = 0; i < insn.operands; i++) {
      if (insn.kind[i] == Insn.IMM) {
        break;
      }
      mmx |= insn.kind[i] == Insn.MM;
      n++;
    }
    if (!offered(insn, mmx)) {
      return false;
    }
    boolean store = n > 0 && insn.kind[0] == Insn.MEM;
    String name = variant(insn, method, store);
    Class<?> owner = owners.get(name);
    if (owner == null) {
      return false;
    }
    Op op = out.call(owner, name);
    op.d = register(insn, 0, n);
    boolean immediateShift = n < insn.operands && method.startsWith("ps") && shift(method);
    if (store) {
      op.s = register(insn, 1, n);
      op.t = register(insn, n - 1, n);
    } else if (immediateShift) {
      op.s = register(insn, n - 1, n);
      op.t = -1;
    } else if (n == 4) {
      op.s = register(insn, 1, n);
      op.t = register(insn, 2, n);
      op.imm = insn.reg[3];
    } else {
      op.s = register(insn, n >= 3 ? 1 : 0, n);
      op.t = register(insn, n - 1, n);
    }
    if (mmx && !method.startsWith("cvt")) {
      op.aux = Simd.MMX;
    } else if (insn.encoding == 0) {
      op.aux = Simd.SSE;
    } else {
      op.aux = (byte) (insn.vectorLength == 0 ? Simd.VEX128 : Simd.VEX256);
    }
    operandSize(insn, method, op, n);
    if (method.startsWith("fma")) {
      op.imm = fusedVariant(insn.mnemonic);
    }
    if (insn.hasMemory() && method.startsWith("vgather") || method.startsWith("vpgather")) {
      op.t = (byte) insn.index;
      op.x = Cpu.NO_REGISTER;
      op.s = (byte) insn.reg[2];
    }
    if (method.startsWith("maskmov") && n == 2 && insn.encoding < 2 && !store) {
      implicitDestination(insn, op);
    }
    return true;
  }

  /** {@link Op#size} becomes that of a general register, else of the memory operand. */
  private static void operandSize(Insn insn, String method, Op op, int n) {
    for (int i = 0; i < n; i++) {
      if (insn.kind[i] == Insn.GPR || insn.kind[i] == Insn.MEM) {
        op.size = (byte) insn.size[i];
        if (insn.kind[i] == Insn.GPR) {
          break;
        }
      }
    }
    if (method.startsWith("vpermilp")) {
      op.size = n < insn.operands ? Avx.IMMEDIATE : 0;
    } else if (method.equals("extrq") || method.equals("insertq")) {
      op.size = n < insn.operands ? Avx.IMMEDIATE : 0;
      op.imm = insn.imm | insn.imm2 << 8; // length and index
    } else if (method.startsWith("pcmpestr")) {
      op.size = (byte) (insn.wide() ? 8 : 4); // of the lengths in RAX and RDX
    }
  }

  private static int fusedVariant(Mnemonic mnemonic) {
    Matcher m = FMA.matcher(mnemonic.name().toLowerCase(Locale.ROOT));
    if (!m.matches()) {
      throw new IllegalArgumentException(mnemonic + " is no fused multiply-add");
    }
    int order = m.group(3).equals("132") ? 0 : m.group(3).equals("213") ? 1 : 2;
    int variant = order | (m.group(1).isEmpty() ? 0 : FloatArithmetic.FMA_NEGATE_PRODUCT);
    switch (m.group(2)) {
      case "add":
        return variant;
      case "sub":
        return variant | FloatArithmetic.FMA_SUBTRACT;
      case "addsub":
        return variant | FloatArithmetic.FMA_ALTERNATE;
      default:
        return variant | FloatArithmetic.FMA_SUBTRACT | FloatArithmetic.FMA_ALTERNATE;
    }
  }

  private boolean offered(Insn insn, boolean mmx) {
    if (insn.encoding != 0 && (!features.test(Feature.AVX) || VectorFeatures.unknown(insn))) {
      return false;
    }
    return features.test(VectorFeatures.of(insn, mmx));
  }

  /** Whether a mnemonic is a fused multiply-add of the FMA extension. */
  static boolean fused(String mnemonic) {
    return FMA.matcher(mnemonic.toLowerCase(Locale.ROOT)).matches();
  }

  /** The method for this operand form. */
  private static String variant(Insn insn, String method, boolean store) {
    if (method.equals("movd") || method.equals("movq")) {
      if (insn.kind[0] == Insn.GPR) {
        return "movdGeneral";
      }
      if (insn.kind[1] == Insn.GPR) {
        return "movd";
      }
      return store ? method + "Store" : method;
    }
    if (!store) {
      return method;
    }
    switch (method) {
      case "movsd":
      case "movlps":
        return "movqStore";
      case "stmxcsr":
      case "ldmxcsr":
        return method;
      default:
        return method + "Store";
    }
  }

  private static boolean shift(String method) {
    return method.startsWith("psll") || method.startsWith("psrl") || method.startsWith("psra");
  }

  private static byte register(Insn insn, int i, int n) {
    if (i >= n || i < 0) {
      return 0;
    }
    return (byte) (insn.kind[i] == Insn.MEM ? Simd.MEMORY : insn.reg[i]);
  }

  /** MASKMOVQ and MASKMOVDQU write to DS:[RDI], the segment overridable. */
  private static void implicitDestination(Insn insn, Op op) {
    op.b = Cpu.RDI;
    op.x = Cpu.NO_REGISTER;
    op.sc = 0;
    op.disp = 0;
    op.seg = (byte) (insn.segmentOverride ? insn.segment : Cpu.DS);
    op.addrSize = (byte) insn.addrSize;
    op.form = Op.GENERAL;
  }
}
