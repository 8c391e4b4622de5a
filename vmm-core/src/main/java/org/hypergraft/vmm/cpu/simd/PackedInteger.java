package org.hypergraft.vmm.cpu.simd;

import static org.hypergraft.vmm.cpu.simd.Simd.binary;
import static org.hypergraft.vmm.cpu.simd.Simd.horizontal;
import static org.hypergraft.vmm.cpu.simd.Simd.interleave;
import static org.hypergraft.vmm.cpu.simd.Simd.shift;
import static org.hypergraft.vmm.cpu.simd.Simd.unary;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Packed integer arithmetic and logic: what works on 64-bit lanes in every encoding. */
public final class PackedInteger {
  private PackedInteger() {}

  public static void paddb(Cpu c, Op o) {
    binary(c, o, Lanes::addBytes);
  }

  public static void paddw(Cpu c, Op o) {
    binary(c, o, Lanes::addWords);
  }

  public static void paddd(Cpu c, Op o) {
    binary(c, o, Lanes::addDwords);
  }

  public static void paddq(Cpu c, Op o) {
    binary(c, o, (a, b) -> a + b);
  }

  public static void psubb(Cpu c, Op o) {
    binary(c, o, Lanes::subtractBytes);
  }

  public static void psubw(Cpu c, Op o) {
    binary(c, o, Lanes::subtractWords);
  }

  public static void psubd(Cpu c, Op o) {
    binary(c, o, Lanes::subtractDwords);
  }

  public static void psubq(Cpu c, Op o) {
    binary(c, o, (a, b) -> a - b);
  }

  public static void paddsb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedBytes(a, b, (p, q) -> Lanes.signed8(p + q)));
  }

  public static void paddsw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> Lanes.signed16(p + q)));
  }

  public static void paddusb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedBytes(a, b, (p, q) -> Lanes.unsigned8(p + q)));
  }

  public static void paddusw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedWords(a, b, (p, q) -> Lanes.unsigned16(p + q)));
  }

  public static void psubsb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedBytes(a, b, (p, q) -> Lanes.signed8(p - q)));
  }

  public static void psubsw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> Lanes.signed16(p - q)));
  }

  public static void psubusb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedBytes(a, b, (p, q) -> Lanes.unsigned8(p - q)));
  }

  public static void psubusw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedWords(a, b, (p, q) -> Lanes.unsigned16(p - q)));
  }

  public static void pmullw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> p * q));
  }

  public static void pmulhw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> p * q >> 16));
  }

  public static void pmulhuw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedWords(a, b, (p, q) -> p * q >>> 16));
  }

  public static void pmulhrsw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> (p * q >> 14) + 1 >> 1));
  }

  public static void pmulld(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.dwords(a, b, (p, q) -> p * q));
  }

  public static void pmuludq(Cpu c, Op o) {
    binary(c, o, (a, b) -> (a & 0xffffffffL) * (b & 0xffffffffL));
  }

  public static void pmuldq(Cpu c, Op o) {
    binary(c, o, (a, b) -> (long) (int) a * (int) b);
  }

  public static void pmaddwd(Cpu c, Op o) {
    binary(c, o, Lanes::multiplyAddWords);
  }

  public static void pmaddubsw(Cpu c, Op o) {
    binary(c, o, Lanes::multiplyAddBytes);
  }

  public static void psadbw(Cpu c, Op o) {
    binary(c, o, Lanes::sumOfDifferences);
  }

  public static void pavgb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedBytes(a, b, (p, q) -> p + q + 1 >> 1));
  }

  public static void pavgw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedWords(a, b, (p, q) -> p + q + 1 >> 1));
  }

  public static void pminub(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedBytes(a, b, (p, q) -> Math.min(p, q)));
  }

  public static void pmaxub(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedBytes(a, b, (p, q) -> Math.max(p, q)));
  }

  public static void pminsb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedBytes(a, b, (p, q) -> Math.min(p, q)));
  }

  public static void pmaxsb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedBytes(a, b, (p, q) -> Math.max(p, q)));
  }

  public static void pminuw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedWords(a, b, (p, q) -> Math.min(p, q)));
  }

  public static void pmaxuw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.unsignedWords(a, b, (p, q) -> Math.max(p, q)));
  }

  public static void pminsw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> Math.min(p, q)));
  }

  public static void pmaxsw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> Math.max(p, q)));
  }

  public static void pminsd(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.dwords(a, b, (p, q) -> Math.min(p, q)));
  }

  public static void pmaxsd(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.dwords(a, b, (p, q) -> Math.max(p, q)));
  }

  public static void pminud(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.dwords(a, b, (p, q) -> Integer.compareUnsigned(p, q) < 0 ? p : q));
  }

  public static void pmaxud(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.dwords(a, b, (p, q) -> Integer.compareUnsigned(p, q) > 0 ? p : q));
  }

  public static void pcmpeqb(Cpu c, Op o) {
    binary(c, o, Lanes::equalBytes);
  }

  public static void pcmpeqw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> p == q ? -1 : 0));
  }

  public static void pcmpeqd(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.dwords(a, b, (p, q) -> p == q ? -1 : 0));
  }

  public static void pcmpeqq(Cpu c, Op o) {
    binary(c, o, (a, b) -> a == b ? -1 : 0);
  }

  public static void pcmpgtb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedBytes(a, b, (p, q) -> p > q ? -1 : 0));
  }

  public static void pcmpgtw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> p > q ? -1 : 0));
  }

  public static void pcmpgtd(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.dwords(a, b, (p, q) -> p > q ? -1 : 0));
  }

  public static void pcmpgtq(Cpu c, Op o) {
    binary(c, o, (a, b) -> a > b ? -1 : 0);
  }

  public static void pand(Cpu c, Op o) {
    binary(c, o, (a, b) -> a & b);
  }

  public static void pandn(Cpu c, Op o) {
    binary(c, o, (a, b) -> ~a & b);
  }

  public static void por(Cpu c, Op o) {
    binary(c, o, (a, b) -> a | b);
  }

  public static void pxor(Cpu c, Op o) {
    binary(c, o, (a, b) -> a ^ b);
  }

  public static void psignb(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedBytes(a, b, (p, q) -> q < 0 ? -p : q == 0 ? 0 : p));
  }

  public static void psignw(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.signedWords(a, b, (p, q) -> q < 0 ? -p : q == 0 ? 0 : p));
  }

  public static void psignd(Cpu c, Op o) {
    binary(c, o, (a, b) -> Lanes.dwords(a, b, (p, q) -> q < 0 ? -p : q == 0 ? 0 : p));
  }

  public static void pabsb(Cpu c, Op o) {
    unary(c, o, a -> Lanes.signedBytes(a, 0, (p, q) -> Math.abs(p)));
  }

  public static void pabsw(Cpu c, Op o) {
    unary(c, o, a -> Lanes.signedWords(a, 0, (p, q) -> Math.abs(p)));
  }

  public static void pabsd(Cpu c, Op o) {
    unary(c, o, a -> Lanes.dwords(a, 0, (p, q) -> Math.abs(p)));
  }

  public static void packsswb(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.packWords(a, b, Lanes::signed8));
  }

  public static void packuswb(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.packWords(a, b, Lanes::unsigned8));
  }

  public static void packssdw(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.packDwords(a, b, Lanes::signed16));
  }

  public static void packusdw(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.packDwords(a, b, Lanes::unsigned16));
  }

  public static void phaddw(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.pairWords(a, b, (p, q) -> p + q));
  }

  public static void phaddsw(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.pairWords(a, b, (p, q) -> Lanes.signed16(p + q)));
  }

  public static void phaddd(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.pairDwords(a, b, (p, q) -> p + q));
  }

  public static void phsubw(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.pairWords(a, b, (p, q) -> p - q));
  }

  public static void phsubsw(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.pairWords(a, b, (p, q) -> Lanes.signed16(p - q)));
  }

  public static void phsubd(Cpu c, Op o) {
    horizontal(c, o, (a, b) -> Lanes.pairDwords(a, b, (p, q) -> p - q));
  }

  public static void punpcklbw(Cpu c, Op o) {
    interleave(c, o, false, Lanes::lowBytes, Lanes::highBytes);
  }

  public static void punpckhbw(Cpu c, Op o) {
    interleave(c, o, true, Lanes::lowBytes, Lanes::highBytes);
  }

  public static void punpcklwd(Cpu c, Op o) {
    interleave(c, o, false, Lanes::lowWords, Lanes::highWords);
  }

  public static void punpckhwd(Cpu c, Op o) {
    interleave(c, o, true, Lanes::lowWords, Lanes::highWords);
  }

  public static void punpckldq(Cpu c, Op o) {
    interleave(c, o, false, Lanes::lowDwords, Lanes::highDwords);
  }

  public static void punpckhdq(Cpu c, Op o) {
    interleave(c, o, true, Lanes::lowDwords, Lanes::highDwords);
  }

  public static void punpcklqdq(Cpu c, Op o) {
    interleave(c, o, false, Lanes::first, Lanes::second);
  }

  public static void punpckhqdq(Cpu c, Op o) {
    interleave(c, o, true, Lanes::first, Lanes::second);
  }

  public static void psllw(Cpu c, Op o) {
    shift(c, o, Lanes::shiftWordsLeft);
  }

  public static void psrlw(Cpu c, Op o) {
    shift(c, o, Lanes::shiftWordsRight);
  }

  public static void psraw(Cpu c, Op o) {
    shift(c, o, Lanes::shiftWordsArithmetic);
  }

  public static void pslld(Cpu c, Op o) {
    shift(c, o, Lanes::shiftDwordsLeft);
  }

  public static void psrld(Cpu c, Op o) {
    shift(c, o, Lanes::shiftDwordsRight);
  }

  public static void psrad(Cpu c, Op o) {
    shift(c, o, Lanes::shiftDwordsArithmetic);
  }

  public static void psllq(Cpu c, Op o) {
    shift(c, o, Lanes::shiftQwordsLeft);
  }

  public static void psrlq(Cpu c, Op o) {
    shift(c, o, Lanes::shiftQwordsRight);
  }
}
