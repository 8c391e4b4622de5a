package org.hypergraft.vmm.cpu.simd;

import java.util.EnumMap;
import java.util.Map;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.model.Feature;

/** Which CPUID feature a vector instruction belongs to (Intel SDM vol. 2, instruction pages). */
final class VectorFeatures {
  private static final String SSE3 =
      "ADDSUBPD ADDSUBPS HADDPD HADDPS HSUBPD HSUBPS LDDQU MOVDDUP MOVSHDUP MOVSLDUP";

  private static final String SSSE3 =
      "PABSB PABSW PABSD PALIGNR PHADDW PHADDD PHADDSW PHSUBW PHSUBD PHSUBSW PMADDUBSW PMULHRSW"
          + " PSHUFB PSIGNB PSIGNW PSIGND";

  private static final String SSE4_1 =
      "BLENDPD BLENDPS BLENDVPD BLENDVPS DPPD DPPS EXTRACTPS INSERTPS MOVNTDQA MPSADBW PACKUSDW"
          + " PBLENDVB PBLENDW PCMPEQQ PEXTRB PEXTRD PEXTRQ PHMINPOSUW PINSRB PINSRD PINSRQ PMAXSB"
          + " PMAXSD PMAXUD PMAXUW PMINSB PMINSD PMINUD PMINUW PMOVSXBW PMOVSXBD PMOVSXBQ PMOVSXWD"
          + " PMOVSXWQ PMOVSXDQ PMOVZXBW PMOVZXBD PMOVZXBQ PMOVZXWD PMOVZXWQ PMOVZXDQ PMULDQ PMULLD"
          + " PTEST ROUNDPD ROUNDPS ROUNDSD ROUNDSS";

  private static final String SSE4_2 = "PCMPESTRI PCMPESTRM PCMPISTRI PCMPISTRM PCMPGTQ";

  private static final String AES =
      "AESDEC AESDECLAST AESENC AESENCLAST AESIMC AESKEYGENASSIST VAESDEC VAESDECLAST VAESENC"
          + " VAESENCLAST VAESIMC VAESKEYGENASSIST";

  private static final String SHA =
      "SHA1MSG1 SHA1MSG2 SHA1NEXTE SHA1RNDS4 SHA256MSG1 SHA256MSG2 SHA256RNDS2";

  /** AVX2 at any vector length; integer instructions are AVX2 only at 256 bits. */
  private static final String AVX2 =
      "VBROADCASTI128 VEXTRACTI128 VINSERTI128 VPERM2I128 VPERMD VPERMPS VPERMQ VPERMPD VPBLENDD"
          + " VPBROADCASTB VPBROADCASTW VPBROADCASTD VPBROADCASTQ VPMASKMOVD VPMASKMOVQ VPSLLVD"
          + " VPSLLVQ VPSRLVD VPSRLVQ VPSRAVD VGATHERDPS VGATHERDPD VGATHERQPS VGATHERQPD"
          + " VPGATHERDD VPGATHERDQ VPGATHERQD VPGATHERQQ";

  private static final Map<Mnemonic, Feature> NAMED = new EnumMap<>(Mnemonic.class);

  static {
    add(Feature.SSE3, SSE3);
    add(Feature.SSSE3, SSSE3);
    add(Feature.SSE4_1, SSE4_1);
    add(Feature.SSE4_2, SSE4_2);
    add(Feature.AES, AES);
    add(Feature.AVX2, AVX2);
    add(Feature.SHA_NI, SHA);
    add(Feature.SSE4A, "EXTRQ INSERTQ MOVNTSD MOVNTSS");
    add(Feature.PCLMULQDQ, "PCLMULQDQ VPCLMULQDQ");
    add(Feature.F16C, "VCVTPH2PS VCVTPS2PH");
  }

  private VectorFeatures() {}

  private static void add(Feature feature, String names) {
    for (String name : names.split(" ")) {
      NAMED.put(Mnemonic.valueOf(name), feature);
    }
  }

  /** The feature an instruction needs besides AVX, which all VEX forms need. */
  static Feature of(Insn insn, boolean mmx) {
    Feature named = NAMED.get(insn.mnemonic);
    if (named != null) {
      return named;
    }
    if (insn.encoding == 0) {
      return mmx ? Feature.MMX : Feature.SSE2;
    }
    String name = insn.mnemonic.name();
    if (SimdLowering.fused(name)) {
      return Feature.FMA;
    }
    boolean registerBroadcast =
        (insn.mnemonic == Mnemonic.VBROADCASTSS || insn.mnemonic == Mnemonic.VBROADCASTSD)
            && insn.kind[1] == Insn.XMM;
    return insn.vectorLength == 1 && integer(name) || registerBroadcast
        ? Feature.AVX2
        : Feature.AVX;
  }

  private static boolean integer(String name) {
    return name.startsWith("VP") && !name.startsWith("VPERM") && !name.equals("VPTEST")
        || name.equals("VMPSADBW")
        || name.equals("VMOVNTDQA");
  }

  /** 256-bit AES and PCLMULQDQ belong to extensions that are not offered. */
  static boolean unknown(Insn insn) {
    Feature named = NAMED.get(insn.mnemonic);
    return insn.vectorLength != 0 && (named == Feature.AES || named == Feature.PCLMULQDQ);
  }
}
