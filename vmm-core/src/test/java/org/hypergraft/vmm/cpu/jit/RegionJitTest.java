package org.hypergraft.vmm.cpu.jit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.HexFormat;
import org.hypergraft.vmm.cpu.Cpu;
import org.junit.jupiter.api.Test;

/** Regions against tier 0 on small programs: counts, limits, and code that changes under them. */
class RegionJitTest {
  private static final long CODE = FlatGuest.CODE;
  private static final long FUNCTION = FlatGuest.FUNCTION;
  private static final long DATA = FlatGuest.DATA;
  private static final long STACK = FlatGuest.STACK;

  /** HotSpot compiles no method of more bytes of bytecode (DontCompileHugeMethods). */
  private static final int CLIFF = 8_000;

  /** Runs both tiers in slices of {@code slice} instructions and compares after each. */
  private static void same(FlatGuest plain, FlatGuest compiled, int slices, int slice) {
    for (int k = 0; k < slices; k++) {
      plain.run(slice);
      compiled.run(slice);
      assertEquals(plain.state(), compiled.state(), "after slice " + k + " of " + slice);
    }
    assertArrayEquals(plain.memory(), compiled.memory());
  }

  /** A loop with a call, a load, flags kept over a block end, INC, ADC, a shift and SETcc. */
  private static final String MIXED =
      """
      48 31 c0                   # xor rax, rax
      48 ff c3                   # inc rbx
      e8 f5 1f 00 00             # call 0x3000
      48 01 44 df 08             # add [rdi + rbx*8 + 8], rax
      48 83 fb 40                # cmp rbx, 64
      75 0a                      # jne +10
      bb 00 00 00 00             # mov ebx, 0
      90 90 90 90 90             # nop
      0f 92 c2                   # setb dl
      eb db                      # jmp start
      """;

  private static final String CALLED =
      """
      48 8d 04 1b                # lea rax, [rbx + rbx]
      48 c1 e0 03                # shl rax, 3
      48 13 07                   # adc rax, [rdi]
      ff c9                      # dec ecx
      48 0f af c8                # imul rcx, rax
      c3                         # ret
      """;

  @Test
  void stopsExactlyWhereverTheSliceEnds() {
    for (int slice : new int[] {1, 7, 16, 17, 18, 19, 23, 31, 100, 1009}) {
      try (FlatGuest plain = new FlatGuest(false).wide();
          FlatGuest compiled = new FlatGuest(true).wide()) {
        for (FlatGuest g : new FlatGuest[] {plain, compiled}) {
          g.code(CODE, FlatGuest.bytes(MIXED)).code(FUNCTION, FlatGuest.bytes(CALLED));
        }
        same(plain, compiled, 40, slice);
        compiled.run(2_000);
        assertTrue(compiled.jit.regions() > 0, "no region was made");
      }
    }
  }

  /** A loop through an operation of tier 0 and a call by table, with flags kept over both. */
  private static final String PASSING =
      """
      48 ff c3                   # inc rbx
      9c                         # pushf
      58                         # pop rax
      25 d5 08 00 00             # and eax, 0x8d5
      48 01 c1                   # add rcx, rax
      89 da                      # mov edx, ebx
      83 e2 03                   # and edx, 3
      48 39 d9                   # cmp rcx, rbx
      ff 94 d7 00 01 00 00       # call [rdi + rdx*8 + 0x100]
      0f 92 c2                   # setb dl
      48 11 ce                   # adc rsi, rcx
      80 fa 01                   # cmp dl, 1
      74 d9                      # je start
      48 31 de                   # xor rsi, rbx
      78 03                      # js +3
      48 ff c9                   # dec rcx
      48 01 77 08                # add [rdi + 8], rsi
      eb cb                      # jmp start
      """;

  /** What the table leads to, 16 bytes each. */
  private static final String FUNCTIONS =
      """
      48 8d 04 1b 48 39 c8 c3  90 90 90 90 90 90 90 90        # lea; cmp; ret
      48 83 e9 05 72 03 48 ff c6 c3  90 90 90 90 90 90        # sub; jb; inc; ret
      0f ba e1 03 41 89 c8 72 04 49 c1 e0 03 c3  90 90        # bt; mov; jb; shl; ret
      4c 8b 4f 08 49 ff c1 c3                                 # mov r9, [rdi + 8]; inc r9; ret
      """;

  private static FlatGuest passing(boolean compiled) {
    FlatGuest g = new FlatGuest(compiled).wide().code(CODE, FlatGuest.bytes(PASSING));
    g.code(FUNCTION, FlatGuest.bytes(FUNCTIONS));
    for (int k = 0; k < 4; k++) {
      g.ram.put64(DATA + 0x100 + 8 * k, FUNCTION + 16 * k);
    }
    return g;
  }

  @Test
  void regionsAreLeftAndEnteredAtAnyBlock() {
    for (int slice : new int[] {1, 2, 3, 7, 13, 100, 1009}) {
      try (FlatGuest plain = passing(false);
          FlatGuest compiled = passing(true)) {
        same(plain, compiled, 60, slice);
        compiled.run(2_000);
        assertTrue(compiled.jit.regions() > 0, "no region was made");
      }
    }
  }

  /** A TLB miss hands over to tier 0 in the middle of a region, whichever block it happens in. */
  @Test
  void regionsGoOnAfterMisses() {
    try (FlatGuest plain = passing(false).paged();
        FlatGuest compiled = passing(true).paged()) {
      for (int k = 0; k < 200; k++) {
        plain.mmu.flushPage(k % 3 == 0 ? STACK - 8 : DATA);
        compiled.mmu.flushPage(k % 3 == 0 ? STACK - 8 : DATA);
        same(plain, compiled, 1, 37 + k);
      }
      assertTrue(compiled.jit.regions() > 0, "no region was made");
    }
  }

  @Test
  void methodsStayBelowTheSizeThatHotSpotCompiles() {
    ByteArrayOutputStream loop = new ByteArrayOutputStream();
    for (int k = 0; k < 500; k++) {
      // add [rdi + 8*k], rax; every 8th ends a block by a jump to the next instruction
      loop.writeBytes(new byte[] {0x48, 1, (byte) 0x87, (byte) (k * 8), (byte) (k * 8 >> 8), 0, 0});
      if (k % 8 == 7) {
        loop.writeBytes(new byte[] {(byte) 0xeb, 0});
      }
    }
    int back = -(loop.size() + 5);
    loop.write(0xe9);
    for (int shift = 0; shift < 32; shift += 8) {
      loop.write(back >> shift);
    }
    String hex = HexFormat.of().formatHex(loop.toByteArray());
    try (FlatGuest plain = new FlatGuest(false).wide();
        FlatGuest compiled = new FlatGuest(true).wide()) {
      for (FlatGuest g : new FlatGuest[] {plain, compiled}) {
        g.code(CODE, hex);
        g.cpu.r[Cpu.RAX] = 3;
      }
      same(plain, compiled, 20, 997);
      int size = compiled.jit.largestMethod();
      assertTrue(size > CLIFF / 2 && size < CLIFF, "largest method has " + size + " bytes");
    }
  }

  @Test
  void aBlockTooLargeForAMethodIsLeftToTierZero() {
    // 62 times addpd xmm0, [rdi]; jmp start
    String code = "66 0f 58 07 ".repeat(62) + "e9 03 ff ff ff";
    try (FlatGuest plain = new FlatGuest(false).wide();
        FlatGuest compiled = new FlatGuest(true).wide()) {
      plain.code(CODE, code);
      compiled.code(CODE, code);
      assertTimeoutPreemptively(
          Duration.ofSeconds(30), () -> same(plain, compiled, 20, 997), "compiling does not end");
      assertEquals(0, compiled.jit.regions());
      long tried = compiled.jit.declined();
      assertTrue(tried > 0 && tried < 10, tried + " attempts");
    }
  }

  @Test
  void storeIntoTheRunningRegionTakesEffectAtOnce() {
    // start: add rbx, 1; add byte [rip - 5], 1 (the immediate above); jmp start
    String code = "48 83 c3 01 80 05 f8 ff ff ff 01 eb f3";
    try (FlatGuest plain = new FlatGuest(false).wide();
        FlatGuest compiled = new FlatGuest(true).wide()) {
      plain.code(CODE, code);
      compiled.code(CODE, code);
      same(plain, compiled, 30, 31);
    }
  }

  @Test
  void stringStoreIntoTheRunningRegionTakesEffectAtOnce() {
    String code =
        """
        48 89 d7                   # mov rdi, rdx
        8d 43 01                   # lea eax, [rbx + 1]
        b9 01 00 00 00             # mov ecx, 1
        f3 aa                      # rep stosb
        48 83 c3 01                # add rbx, 1
        eb ed                      # jmp start
        """;
    try (FlatGuest plain = new FlatGuest(false).wide();
        FlatGuest compiled = new FlatGuest(true).wide()) {
      for (FlatGuest g : new FlatGuest[] {plain, compiled}) {
        g.code(CODE, FlatGuest.bytes(code));
        g.cpu.r[Cpu.RDX] = DATA;
      }
      same(plain, compiled, 30, 31);
      assertTrue(compiled.jit.regions() > 0, "no region was made");
      for (FlatGuest g : new FlatGuest[] {plain, compiled}) {
        g.cpu.r[Cpu.RDX] = CODE + 16; // what is added to rbx
      }
      same(plain, compiled, 30, 31);
    }
  }

  @Test
  void codeWrittenFromOutsideIsSeen() {
    // start: add rbx, 1; jmp start
    try (FlatGuest g = new FlatGuest(true).wide()) {
      g.code(CODE, "48 83 c3 01 48 83 c1 01 eb f6");
      g.run(3_000);
      assertEquals(1_000, g.cpu.r[Cpu.RBX]);
      assertTrue(g.jit.regions() > 0);
      g.ram.written(CODE, 1);
      g.code(CODE + 3, "05");
      g.ram.written(CODE + 3, 1);
      g.run(3_000);
      assertEquals(6_000, g.cpu.r[Cpu.RBX]);
    }
  }

  @Test
  void remappedCodeIsNotRunAnyMore() {
    try (FlatGuest g = new FlatGuest(true).wide().paged()) {
      // start: call 0x3000; jmp start. 0x3000: add rbx, 1; ret. 0x5000: add rbx, 7; ret
      g.code(CODE, "e8 fb 1f 00 00 eb f9");
      g.code(FUNCTION, "48 83 c3 01 c3").code(0x5000, "48 83 c3 07 c3");
      g.run(4_000);
      assertEquals(1_000, g.cpu.r[Cpu.RBX]);
      g.map(FUNCTION, 0x5000);
      g.mmu.flushPage(FUNCTION);
      g.run(4_000);
      assertEquals(8_000, g.cpu.r[Cpu.RBX]);
      g.map(FUNCTION, FUNCTION);
      g.mmu.flushAll();
      g.run(4_000);
      assertEquals(9_000, g.cpu.r[Cpu.RBX]);
    }
  }

  @Test
  void unmappedDataFaultsInsideARegionAtItsInstruction() {
    // start: add rax, [rdi]; add rdi, 8; jmp start: runs out of the mapping
    String code = "48 03 07 48 83 c7 08 eb f7";
    try (FlatGuest plain = new FlatGuest(false).wide().paged();
        FlatGuest compiled = new FlatGuest(true).wide().paged()) {
      for (FlatGuest g : new FlatGuest[] {plain, compiled}) {
        g.code(CODE, code);
        g.ram.put64((1 << 20) + 0x3000 + 0x20 * 8, 0);
        g.cpu.r[Cpu.RDI] = 0x1f000;
      }
      same(plain, compiled, 1, 5_000);
      assertTrue(compiled.events.indexOf("#14") >= 0, compiled.events.toString());
    }
  }

  @Test
  void accessesFindTheirPageThroughCrossingsAndRemapping() {
    String code =
        """
        48 8b 07                   # mov rax, [rdi]
        48 01 47 10                # add [rdi + 16], rax
        0f b6 4f 07                # movzx ecx, byte [rdi + 7]
        89 4d 00                   # mov [rbp], ecx
        48 81 c7 f5 01 00 00       # add rdi, 0x1f5
        81 e7 ff 3f 00 00          # and edi, 0x3fff
        81 cf 00 80 00 00          # or edi, 0x8000
        48 81 f2 00 40 00 00       # xor rdx, 0x4000
        48 89 16                   # mov [rsi], rdx: another frame for page 9
        90 90 90 90 90 90 90 90
        0f 01 3b                   # invlpg [rbx]
        eb c8                      # jmp start
        """;
    String loop = "90".repeat(21) + "ebc8";
    for (boolean remaps : new boolean[] {true, false}) {
      try (FlatGuest plain = new FlatGuest(false).wide().paged();
          FlatGuest compiled = new FlatGuest(true).wide().paged()) {
        for (FlatGuest g : new FlatGuest[] {plain, compiled}) {
          String all = FlatGuest.bytes(code);
          g.code(CODE, remaps ? all : all.substring(0, 66) + loop);
          g.cpu.r[Cpu.RBX] = 0x9000;
          g.cpu.r[Cpu.RBP] = 0x6ffe; // from page 6 into page 7
          g.cpu.r[Cpu.RDX] = 0x9003;
          g.cpu.r[Cpu.RSI] = (1 << 20) + 0x3000 + 9 * 8;
          g.cpu.r[Cpu.RDI] = DATA;
          for (int k = 0; k < 0x5000; k += 8) {
            g.ram.put64(DATA + k, k * 0x9e3779b97f4a7c15L);
          }
        }
        same(plain, compiled, 60, 101);
        assertTrue(compiled.jit.regions() > 0, "no region was made");
      }
    }
  }

  @Test
  void flat32BitCodeIsCompiled() {
    // start: inc ebx; push ebx; pop eax; add [edi + 4], eax; call 0x3000; jmp start
    String code = "43 53 58 01 47 04 e8 f5 1f 00 00 eb f3";
    // add eax, fs:[edi]; adc edx, eax; ret
    String function = "64 03 07 11 c2 c3";
    for (long base : new long[] {0, 0x100}) {
      try (FlatGuest plain = new FlatGuest(false).narrow();
          FlatGuest compiled = new FlatGuest(true).narrow()) {
        for (FlatGuest g : new FlatGuest[] {plain, compiled}) {
          g.code(CODE, code).code(FUNCTION, function);
          g.cpu.segBase[Cpu.FS] = base;
        }
        same(plain, compiled, 30, 101);
        assertTrue(compiled.jit.regions() > 0, "no region was made");
      }
    }
  }

  @Test
  void doublesLeaveWhatIsNotOrdinaryToTierZero() {
    // start: addsd xmm0, xmm1; mulsd xmm0, xmm2; movsd [rdi], xmm0; ucomisd xmm0, xmm3; setp al;
    // jmp start
    String code = "f2 0f 58 c1 f2 0f 59 c2 f2 0f 11 07 66 0f 2e c3 0f 9a c0 eb eb";
    for (double growth : new double[] {1.5, 0.25, -3, Double.NaN}) {
      try (FlatGuest plain = new FlatGuest(false).wide();
          FlatGuest compiled = new FlatGuest(true).wide()) {
        for (FlatGuest g : new FlatGuest[] {plain, compiled}) {
          g.code(CODE, code);
          g.cpu.x[4] = Double.doubleToRawLongBits(0.1);
          g.cpu.x[8] = Double.doubleToRawLongBits(growth);
          g.cpu.x[12] = Double.doubleToRawLongBits(1e300);
        }
        same(plain, compiled, 60, 301); // into infinity and denormals
        assertEquals(plain.cpu.mxcsr, compiled.cpu.mxcsr);
      }
    }
  }
}
