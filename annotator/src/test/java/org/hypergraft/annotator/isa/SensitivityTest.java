package org.hypergraft.annotator.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SensitivityTest {
  /** The seventeen of Robin and Irvine, "Analysis of the Intel Pentium's ability ...", table 3. */
  @ParameterizedTest
  @CsvSource({
    "0f0100, SGDT",
    "0f0108, SIDT",
    "0f0000, SLDT",
    "0f0008, STR",
    "0f01e0, SMSW",
    "9c, PUSHF",
    "9d, POPF",
    "0f02c1, LAR",
    "0f03c1, LSL",
    "0f00e0, VERR",
    "0f00e8, VERW",
    "1f, POP",
    "1e, PUSH",
    "9a112233440800, CALLF",
    "ea112233440800, JMPF",
    "cd80, INT",
    "cb, RETF",
    "8ed8, MOV",
    "8cd8, MOV"
  })
  void unprivilegedButSensitive(String hex, Mnemonic mnemonic) {
    Insn in = Vectors.decode(32, hex);
    assertEquals(mnemonic, in.mnemonic);
    assertEquals(Sensitivity.SENSITIVE_UNPRIVILEGED, in.sensitivity);
  }

  @ParameterizedTest
  @CsvSource({
    "f4, PRIVILEGED",
    "0f22d8, PRIVILEGED",
    "0f20d8, PRIVILEGED",
    "0f23f8, PRIVILEGED",
    "0f30, PRIVILEGED",
    "0f32, PRIVILEGED",
    "0f06, PRIVILEGED",
    "0f0138, PRIVILEGED",
    "0f01f8, PRIVILEGED",
    "660f388200, PRIVILEGED",
    "480f07, PRIVILEGED",
    "0f0110, PRIVILEGED",
    "f30f01fe, PRIVILEGED",
    "0f09, PRIVILEGED",
    "0f01ca, PRIVILEGED",
    "0f01d1, PRIVILEGED",
    "fa, IOPL",
    "fb, IOPL",
    "e420, IO",
    "ef, IO",
    "6c, IO",
    "f36f, IO",
    "0f01c1, HYPERCALL",
    "0f01d9, HYPERCALL",
    "f30f01d9, HYPERCALL",
    "660f01cc, HYPERCALL",
    "660f01cf, HYPERCALL",
    "0fa2, SENSITIVE_UNPRIVILEGED",
    "0f31, SENSITIVE_UNPRIVILEGED",
    "48cf, SENSITIVE_UNPRIVILEGED",
    "0fa0, SENSITIVE_UNPRIVILEGED",
    "4889d8, NONE",
    "90, NONE",
    "50, NONE",
    "c3, NONE",
    "f3aa, NONE",
    "f0ff00, NONE"
  })
  void sensitivityOfEncoding(String hex, Sensitivity sensitivity) {
    assertEquals(sensitivity, Vectors.decode(64, hex).sensitivity);
  }
}
