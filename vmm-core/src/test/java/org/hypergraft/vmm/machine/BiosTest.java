package org.hypergraft.vmm.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.hypergraft.vmm.boot.BootProtocol;
import org.junit.jupiter.api.Test;

/** Calls of the firmware from real mode: each call leaves AX, BX, CX, DX and FLAGS in a record. */
class BiosTest {
  private static final int RECORD = 10;
  private static final int CARRY = 1;
  private static final int ZERO = 1 << 6;
  private static final int MEMORY = 64 << 20;

  private final SmallBzImage image = new SmallBzImage();
  private int calls;

  BiosTest() {
    image.code("bf 00 70 fc"); // records go to ES:7000
  }

  /** INT with AX; then the record. */
  private BiosTest call(int interrupt, int ax, String before) {
    // mov ax; before; int; pushf; stosw; xchg ax, bx; stosw; xchg ax, cx; stosw; xchg ax, dx;
    // stosw; pop ax; stosw
    image.code("b8 %02x %02x".formatted(ax & 0xff, ax >> 8) + before);
    image.code("cd %02x 9c ab 93 ab 91 ab 92 ab 58 ab".formatted(interrupt));
    calls++;
    return this;
  }

  private ByteBuffer run(int extra) {
    int length = calls * RECORD + extra;
    image.code("be 00 70 b9 %02x %02x".formatted(length & 0xff, length >> 8));
    image.code("ba f8 03 f3 6e ba 04 06 b8 00 34 ef f4");
    MachineConfig config =
        MachineConfig.of(image.image()).memory(MEMORY).protocol(BootProtocol.BZIMAGE16).build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals(Outcome.POWER_OFF, report.outcome(), report::death);
      assertEquals(length, report.console().length);
      return ByteBuffer.wrap(report.console()).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  private static int field(ByteBuffer b, int record, int register) {
    return b.getShort(record * RECORD + 2 * register) & 0xffff;
  }

  @Test
  void tellsSizesOfMemory() {
    call(0x12, 0, "").call(0x15, 0xe801, "").call(0x15, 0x8800, "").call(0x15, 0x5300, "");
    ByteBuffer b = run(0);
    assertEquals(639, field(b, 0, 0));
    assertEquals(15 << 10, field(b, 1, 0));
    assertEquals((MEMORY >> 16) - 256, field(b, 1, 1));
    assertEquals(15 << 10, field(b, 1, 2));
    assertEquals((MEMORY >> 16) - 256, field(b, 1, 3));
    assertEquals(0, field(b, 1, 4) & CARRY);
    assertEquals((MEMORY >> 10) - 1024, field(b, 2, 0));
    assertEquals(0x86, field(b, 3, 0) >> 8);
    assertEquals(CARRY, field(b, 3, 4) & CARRY);
  }

  @Test
  void listsTheMemoryMap() {
    // mov eax, 0xe820; xor ebx, ebx; mov ecx, 20; mov edx, "SMAP"; int 15h; all into ES:DI
    String ask = "66 b8 20 e8 00 00 66 b9 14 00 00 00 66 ba 50 41 4d 53 cd 15";
    image.code("66 31 db").code(ask).code("83 c7 14").code(ask).code("83 c7 14");
    image.code("66 ab 66 93 66 ab 66 91 66 ab"); // EAX, EBX, ECX
    ByteBuffer b = run(52);
    assertEquals(0, b.getLong(0));
    assertEquals(0x9fc00, b.getLong(8));
    assertEquals(1, b.getInt(16));
    assertEquals(0x9fc00, b.getLong(20));
    assertEquals(0x400, b.getLong(28));
    assertEquals(2, b.getInt(36));
    assertEquals(0x534d4150, b.getInt(40));
    assertEquals(2, b.getInt(44));
    assertEquals(20, b.getInt(48));
  }

  @Test
  void writesOnTheScreen() {
    call(0x10, 0x0e41, "").call(0x10, 0x0e42, "").call(0x10, 0x0300, "").call(0x10, 0x0f00, "");
    // mov ax, 0xb800; mov ds, ax; xor si, si; movsw; movsw; push es; pop ds
    image.code("b8 00 b8 8e d8 31 f6 a5 a5 06 1f");
    ByteBuffer b = run(4);
    assertEquals(2, field(b, 2, 3));
    assertEquals(80 << 8 | 3, field(b, 3, 0));
    assertEquals(0x07420741, b.getInt(4 * RECORD));
  }

  @Test
  void hasNoKeysAndNoDisksButAClock() {
    call(0x16, 0x0100, "").call(0x13, 0x0201, "").call(0x13, 0x1500, "b2 80");
    call(0x1a, 0x0200, "").call(0x1a, 0x0400, "");
    ByteBuffer b = run(0);
    assertEquals(ZERO, field(b, 0, 4) & ZERO);
    assertEquals(CARRY, field(b, 1, 4) & CARRY);
    assertEquals(0, field(b, 2, 0) >> 8);
    assertEquals(0, field(b, 2, 4) & CARRY);
    assertEquals(0x0000, field(b, 3, 2));
    assertEquals(0x2026, field(b, 4, 2));
    assertEquals(0x0101, field(b, 4, 3));
  }

  @Test
  void aKeyIsWaitedForInVainAndAFaultStops() {
    assertTrue(end("b4 00 cd 16").contains("no timer is armed"));
    assertTrue(end("0f 0b").contains("halted with interrupts disabled"));
  }

  private static String end(String code) {
    MachineConfig config =
        MachineConfig.of(new SmallBzImage().code(code).image())
            .memory(MEMORY)
            .protocol(BootProtocol.BZIMAGE16)
            .build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals(Outcome.NO_PROGRESS, report.outcome());
      return report.reason();
    }
  }

  /** LEA takes no segment base and no limit; byte operands may be the segment's last byte. */
  @Test
  void realModeAddressesAreOffsets() {
    // mov ebx, 0x12345678; lea eax, [ebx+1]; stosd; lea ax, [ebx]; stosw;
    image.code("66 bb 78 56 34 12 67 66 8d 43 01 66 ab 67 8d 03 ab");
    // mov byte [0xffff], 0x5a; movzx eax, byte [0xffff]; stosd
    image.code("c6 06 ff ff 5a 66 0f b6 06 ff ff 66 ab");
    ByteBuffer b = run(10);
    assertEquals(0x12345679, b.getInt(0));
    assertEquals(0x5678, b.getShort(4));
    assertEquals(0x5a, b.getInt(6));
  }
}
