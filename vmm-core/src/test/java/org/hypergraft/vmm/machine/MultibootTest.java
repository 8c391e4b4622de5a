package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.hypergraft.vmm.boot.BootException;
import org.hypergraft.vmm.boot.BootProtocol;
import org.junit.jupiter.api.Test;

/** Multiboot guests that print EAX and the information structure. */
class MultibootTest {
  private static final int MEMORY = 32 << 20;
  private static final int PRINTED = 0x400;

  /** Bytes of code in front of a header, so that it is aligned: JMP over it. */
  private static final int BEFORE = 8;

  /** A guest with words as its header; the code follows it. */
  private static SmallGuest guest(int... header) {
    ByteBuffer b = ByteBuffer.allocate(4 * header.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int word : header) {
      b.putInt(word);
    }
    return new SmallGuest()
        .code("eb %02x 90 90 90 90 90 90".formatted(BEFORE - 2 + 4 * header.length))
        .code(HexFormat.of().formatHex(b.array()));
  }

  private static SmallGuest printing(SmallGuest guest) {
    // mov [0x200000], eax; mov esi, 0x200000; mov ecx, 4; mov dx, 0x3f8; rep outsb;
    // mov esi, ebx; mov ecx, PRINTED; rep outsb
    return guest
        .code("a3 00 00 20 00 be 00 00 20 00 b9 04 00 00 00 66 ba f8 03 f3 6e")
        .code("89 de b9 00 04 00 00 f3 6e")
        .powerOff();
  }

  private static MachineConfig.Builder config(SmallGuest guest, BootProtocol protocol) {
    return MachineConfig.of(guest.image())
        .memory(MEMORY)
        .protocol(protocol)
        .initrd(new byte[5000])
        .commandLine("one two");
  }

  private static ByteBuffer run(SmallGuest guest, BootProtocol protocol) {
    try (Machine machine = new Machine(config(guest, protocol).build())) {
      RunReport report = machine.run();
      assertEquals(Outcome.POWER_OFF, report.outcome(), report::death);
      assertEquals(4 + PRINTED, report.console().length);
      return ByteBuffer.wrap(report.console()).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  private static String refusal(SmallGuest guest, BootProtocol protocol) {
    MachineConfig config = config(guest.powerOff(), protocol).build();
    return assertThrows(BootException.class, () -> new Machine(config)).getMessage();
  }

  private static int[] first(int flags, int... rest) {
    int[] words = new int[3 + rest.length];
    words[0] = 0x1badb002;
    words[1] = flags;
    words[2] = -(0x1badb002 + flags);
    System.arraycopy(rest, 0, words, 3, rest.length);
    return words;
  }

  private static int[] second(int... tags) {
    int length = 16 + 4 * tags.length;
    int[] words = new int[4 + tags.length];
    words[0] = 0xe85250d6;
    words[2] = length;
    words[3] = -(0xe85250d6 + length);
    System.arraycopy(tags, 0, words, 4, tags.length);
    return words;
  }

  @Test
  void multiboot1HandsOverItsInformation() {
    checkFirst(run(printing(guest(first(3))), BootProtocol.MULTIBOOT1));
  }

  @Test
  void multiboot1LoadsByTheHeadersAddresses() {
    // The same bytes 1 MiB further up: header_addr, load_addr, load_end_addr, bss_end_addr, entry.
    int load = 0x200000 + 0x1000;
    SmallGuest guest = guest(first(1 << 16, load + BEFORE, load, 0, load + 0x10000, load));
    checkFirst(run(printing(guest), BootProtocol.MULTIBOOT1));
  }

  private static void checkFirst(ByteBuffer b) {
    assertEquals(0x2badb002, b.getInt(0));
    ByteBuffer info = b.slice(4, PRINTED).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9, info.getInt(0));
    assertEquals(639, info.getInt(4));
    assertEquals((MEMORY >> 10) - 1024, info.getInt(8));
    assertEquals(1, info.getInt(20));
    // Structures near by are printed too: EBX is 0x1000.
    int module = info.getInt(24) - 0x1000;
    assertEquals(MEMORY - 8192, info.getInt(module));
    assertEquals(5000, info.getInt(module + 4) - info.getInt(module));
    int name = info.getInt(64) - 0x1000;
    assertEquals("hypergraft", new String(b.array(), 4 + name, 10, US_ASCII));
    int map = info.getInt(48) - 0x1000;
    assertEquals(20, info.getInt(map));
    assertEquals(0, info.getLong(map + 4));
    assertEquals(0x9fc00, info.getLong(map + 12));
    assertEquals(1, info.getInt(map + 20));
    assertTrue(info.getInt(44) >= 5 * 24);
  }

  @Test
  void multiboot1RefusesWhatItDoesNotOffer() {
    assertEquals(
        "small guest: the Multiboot header requires 0x4, of which this machine offers 0x3",
        refusal(guest(first(4)), BootProtocol.MULTIBOOT1));
    assertEquals(
        "small guest: no Multiboot header in the first 8 KiB, at a multiple of 4",
        refusal(new SmallGuest(), BootProtocol.MULTIBOOT1));
    String wild =
        refusal(guest(first(1 << 16, 0x300000, 0x100000, 0, 0, 0)), BootProtocol.MULTIBOOT1);
    assertTrue(wild.contains("the Multiboot header loads bytes"), wild);
  }

  @Test
  void multiboot2HandsOverTags() {
    // an information request for the memory map, then the end
    SmallGuest guest = guest(second(1, 12, 6, 0, 0, 8));
    ByteBuffer b = run(printing(guest), BootProtocol.MULTIBOOT2);
    assertEquals(0x36d76289, b.getInt(0));
    ByteBuffer info = b.slice(4, PRINTED).order(ByteOrder.LITTLE_ENDIAN);
    Map<Integer, Integer> tags = new TreeMap<>();
    int at = 8;
    while (info.getInt(at) != 0) {
      tags.put(info.getInt(at), at);
      at += info.getInt(at + 4) + 7 & -8;
    }
    assertEquals(info.getInt(0), at + 8);
    assertEquals("[1, 2, 3, 4, 6, 14, 15]", tags.keySet().toString());
    assertEquals("one two\0", new String(b.array(), 4 + tags.get(1) + 8, 8, US_ASCII));
    assertEquals(MEMORY - 8192, info.getInt(tags.get(3) + 8));
    assertEquals(639, info.getInt(tags.get(4) + 8));
    assertEquals(24, info.getInt(tags.get(6) + 8));
    assertEquals(0x9fc00, info.getLong(tags.get(6) + 16 + 8));
    assertEquals("RSD PTR ", new String(b.array(), 4 + tags.get(15) + 8, 8, US_ASCII));
  }

  @Test
  void multiboot2RefusesWhatItDoesNotOffer() {
    assertEquals(
        "small guest: the Multiboot2 header requires tag 5, which is not offered",
        refusal(guest(second(5, 20, 0, 0, 0, 0, 0, 8)), BootProtocol.MULTIBOOT2));
    assertEquals(
        "small guest: the Multiboot2 header requires information 8, which is not offered",
        refusal(guest(second(1, 12, 8, 0, 0, 8)), BootProtocol.MULTIBOOT2));
    assertEquals(
        "small guest: the Multiboot2 header is cut off or has no end tag",
        refusal(guest(second(4, 12, 0, 0)), BootProtocol.MULTIBOOT2));
    assertEquals(
        "small guest: the Multiboot2 header has a tag of type 4 with size 0",
        refusal(guest(second(4, 0)), BootProtocol.MULTIBOOT2));
  }
}
