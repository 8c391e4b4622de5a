package org.hypergraft.vmm.cpu.semantics;

import static org.hypergraft.vmm.cpu.semantics.Semantics.VALUES;
import static org.hypergraft.vmm.cpu.semantics.Semantics.bit;
import static org.hypergraft.vmm.cpu.semantics.Semantics.mask;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.junit.jupiter.api.Test;

class BitsTest {
  private static final int[] SIZES = {16, 32, 64};

  @Test
  void bitTestsChangeCarryOnly() {
    int others = Flags.STATUS & ~Flags.CF;
    for (int size : SIZES) {
      for (long a : VALUES) {
        for (int n = 0; n < 130; n++) {
          long one = 1L << n % size;
          Cpu c = Semantics.cpu(others);
          Semantics.call(Bits.class, "bt" + size, c, a, n);
          assertEquals(others | (bit(a, n % size) ? Flags.CF : 0), Flags.status(c));
          assertEquals((a | one) & mask(size), Semantics.call(Bits.class, "bts" + size, c, a, n));
          assertEquals((a & ~one) & mask(size), Semantics.call(Bits.class, "btr" + size, c, a, n));
          assertEquals((a ^ one) & mask(size), Semantics.call(Bits.class, "btc" + size, c, a, n));
        }
      }
    }
  }

  @Test
  void carryOnlyChangesKeepLazyFlags() {
    for (long a : VALUES) {
      for (long b : VALUES) {
        for (boolean carry : new boolean[] {false, true}) {
          Cpu c = Semantics.cpu(0);
          Alu.sub64(c, a, b);
          int before = Flags.status(c);
          Flags.setCarry(c, carry);
          assertEquals(before & ~Flags.CF | (carry ? Flags.CF : 0), Flags.status(c));
        }
      }
    }
  }

  @Test
  void scansFindTheFirstAndLastBit() {
    for (int size : SIZES) {
      for (long b : VALUES) {
        long v = b & mask(size);
        Cpu c = Semantics.cpu(0);
        long forward = Semantics.call(Bits.class, "bsf" + size, c, -1, b);
        assertEquals(v == 0, Flags.zero(c));
        long backward = Semantics.call(Bits.class, "bsr" + size, c, -1, b);
        assertEquals(v == 0, Flags.zero(c));
        assertEquals(v == 0 ? mask(size) : Long.numberOfTrailingZeros(v), forward);
        assertEquals(v == 0 ? mask(size) : 63 - Long.numberOfLeadingZeros(v), backward);
        long trailing = Semantics.call(Bits.class, "tzcnt" + size, c, b);
        assertEquals(v == 0 ? size : Long.numberOfTrailingZeros(v), trailing);
        assertEquals(v == 0, Flags.carry(c));
        assertEquals(trailing == 0, Flags.zero(c));
        long leading = Semantics.call(Bits.class, "lzcnt" + size, c, b);
        assertEquals(Long.numberOfLeadingZeros(v) - (64 - size), leading);
        assertEquals(Long.bitCount(v), Semantics.call(Bits.class, "popcnt" + size, c, b));
      }
    }
  }

  @Test
  void depositUndoesExtract() {
    Cpu c = Semantics.cpu(0);
    for (long a : VALUES) {
      for (long m : VALUES) {
        assertEquals(a & m, Bits.pdep64(c, Bits.pext64(c, a, m), m));
        long low = 0xffff_ffffL;
        assertEquals(a & m & low, Bits.pdep32(c, Bits.pext32(c, a, m), m));
      }
    }
  }

  @Test
  void carryChainsAreIndependent() {
    Cpu c = Semantics.cpu(Flags.CF | Flags.OF | Flags.ZF);
    assertEquals(0, Bits.adcx64(c, -1, 0));
    assertEquals(Flags.CF | Flags.OF | Flags.ZF, Flags.status(c));
    assertEquals(1, Bits.adox32(c, 0, 0));
    assertEquals(Flags.CF | Flags.ZF, Flags.status(c));
  }

  @Test
  void crcMatchesTheLibrarys() {
    byte[] text = "The quick brown fox".getBytes(StandardCharsets.US_ASCII);
    CRC32C expected = new CRC32C();
    expected.update(text);
    long v = 0xffff_ffffL;
    for (byte b : text) {
      v = Bits.crc32b(Semantics.cpu(0), v, b);
    }
    assertEquals(expected.getValue(), ~v & 0xffff_ffffL);
    long eight = 0x0807_0605_0403_0201L;
    long bytewise = 0;
    for (int i = 1; i <= 8; i++) {
      bytewise = Bits.crc32b(Semantics.cpu(0), bytewise, i);
    }
    assertEquals(bytewise, Bits.crc32q(Semantics.cpu(0), 0, eight));
  }
}
