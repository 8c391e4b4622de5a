package org.hypergraft.vmm.boot;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.HexFormat;
import org.hypergraft.vmm.mmu.GuestRam;
import org.junit.jupiter.api.Test;

class AcpiTablesTest {
  private static int sum(byte[] bytes) {
    int sum = 0;
    for (byte b : bytes) {
      sum += b;
    }
    return sum & 0xff;
  }

  private static byte[] table(GuestRam ram, long at, String signature) {
    assertEquals(signature, new String(ram.bytes(at, 4), US_ASCII));
    byte[] bytes = ram.bytes(at, ram.u32(at + 4));
    assertEquals(0, sum(bytes), signature + " checksum");
    return bytes;
  }

  @Test
  void rootPointerLeadsToEveryTable() {
    try (GuestRam ram = new GuestRam(32 << 20)) {
      long rsdp = AcpiTables.write(ram, 4);
      assertEquals("RSD PTR ", new String(ram.bytes(rsdp, 8), US_ASCII));
      assertEquals(0, sum(ram.bytes(rsdp, 20)));
      assertEquals(0, sum(ram.bytes(rsdp, 36)));
      long xsdt = ram.u64(rsdp + 24);
      assertEquals(36 + 16, table(ram, xsdt, "XSDT").length);
      long fadt = ram.u64(xsdt + 36);
      assertEquals(276, table(ram, fadt, "FACP").length);
      byte[] madt = table(ram, ram.u64(xsdt + 44), "APIC");
      byte[] dsdt = table(ram, ram.u64(fadt + 140), "DSDT");
      assertEquals(ram.u64(fadt + 140), ram.u32(fadt + 40) & 0xffffffffL);
      assertEquals("FACS", new String(ram.bytes(ram.u64(fadt + 132), 4), US_ASCII));
      assertEquals(0, ram.u64(fadt + 132) % 64);
      assertEquals(0x608, ram.u32(fadt + 76));
      // Name (_S5_, Package () {5, 5, 0, 0})
      assertArrayEquals(
          HexFormat.of().parseHex("085f53355f1208040a050a050000"),
          Arrays.copyOfRange(dsdt, 36, dsdt.length));
      int cpus = 0;
      int at = 44;
      while (at < madt.length) {
        cpus += madt[at] == 0 ? 1 : 0;
        at += madt[at + 1];
      }
      assertEquals(madt.length, at, "entries fill the table");
      assertEquals(4, cpus);
    }
  }

  @Test
  void packageLengthCountsItself() {
    byte[][] many = new byte[40][];
    Arrays.fill(many, Aml.integer(0x1234));
    byte[] p = Aml.packageOf(many);
    // opcode, 2-byte PkgLength, element count, 40 words of 3 bytes
    assertEquals(1 + 2 + 1 + 120, p.length);
    assertEquals(0x40 | (p.length - 1 & 0xf), p[1]);
    assertEquals(p.length - 1 >> 4, p[2]);
    assertThrows(IllegalArgumentException.class, () -> Aml.name("S5", p));
  }

  @Test
  void integersTakeTheirShortestForm() {
    assertArrayEquals(new byte[] {0}, Aml.integer(0));
    assertArrayEquals(new byte[] {1}, Aml.integer(1));
    assertArrayEquals(new byte[] {0x0a, 5}, Aml.integer(5));
    assertArrayEquals(new byte[] {0x0b, 0x34, 0x12}, Aml.integer(0x1234));
    assertArrayEquals(new byte[] {0x0c, 1, 0, 0, (byte) 0x80}, Aml.integer(0x80000001L));
  }
}
