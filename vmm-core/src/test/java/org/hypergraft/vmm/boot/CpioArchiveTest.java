package org.hypergraft.vmm.boot;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CpioArchiveTest {
  /** Reads an archive back by the format's definition: mode, device numbers, name, content. */
  private static List<String> list(byte[] archive) {
    List<String> entries = new ArrayList<>();
    int at = 0;
    while (true) {
      assertEquals("070701", new String(archive, at, 6, US_ASCII));
      int[] f = new int[13];
      for (int i = 0; i < f.length; i++) {
        f[i] = Integer.parseInt(new String(archive, at + 6 + 8 * i, 8, US_ASCII), 16);
      }
      String name = new String(archive, at + 110, f[11] - 1, US_ASCII);
      assertEquals(0, archive[at + 110 + f[11] - 1]);
      int content = at + 110 + f[11] + 3 & ~3;
      if (name.equals("TRAILER!!!")) {
        return entries;
      }
      String text = new String(archive, content, f[6], US_ASCII);
      entries.add(Integer.toOctalString(f[1]) + " " + f[9] + ":" + f[10] + " " + name + " " + text);
      at = content + f[6] + 3 & ~3;
    }
  }

  @Test
  void holdsWhatWasPutIn() {
    byte[] archive =
        new CpioArchive()
            .directory("dev", 0755)
            .characterDevice("dev/console", 0600, 5, 1)
            .file("init", 0755, "12345".getBytes(US_ASCII))
            .toBytes();
    assertEquals(
        List.of("40755 0:0 dev ", "20600 5:1 dev/console ", "100755 0:0 init 12345"),
        list(archive));
    assertEquals(0, archive.length % 512);
  }

  @Test
  void refusesWhatTheKernelCouldNotUnpack() {
    CpioArchive archive = new CpioArchive();
    assertThrows(IllegalArgumentException.class, () -> archive.file("/init", 0755, new byte[0]));
    assertThrows(IllegalArgumentException.class, () -> archive.file("a/b", 0644, new byte[0]));
    archive.directory("a", 0755);
    assertThrows(IllegalArgumentException.class, () -> archive.directory("a", 0755));
  }

  @Test
  void initProgramIsAStaticElfThatHoldsItsMessage() {
    byte[] elf = InitProgram.elf(true, "hello\n");
    assertArrayEquals(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}, Arrays.copyOf(elf, 7));
    assertEquals(62, elf[18], "x86-64");
    String tail = new String(elf, elf.length - 6, 6, US_ASCII);
    assertEquals("hello\n", tail);
    // mov eax, 1; mov edi, 1; mov esi, <message>
    int code = 120;
    assertEquals((byte) 0xb8, elf[code]);
    assertEquals(1, elf[code + 1]);
    assertEquals((byte) 0xbe, elf[code + 10]);
    int pointer = (elf[code + 11] & 0xff) | (elf[code + 12] & 0xff) << 8 | elf[code + 13] << 16;
    assertEquals(elf.length - 6, pointer - 0x400000);
  }

  @Test
  void initProgramForOldKernelsIs32Bit() {
    byte[] elf = InitProgram.elf(false, "hello\n");
    assertArrayEquals(new byte[] {0x7f, 'E', 'L', 'F', 1, 1, 1}, Arrays.copyOf(elf, 7));
    assertEquals(3, elf[18], "i386");
    int code = 52 + 32;
    assertEquals((byte) 0xb8, elf[code]);
    assertEquals(4, elf[code + 1], "write");
    assertEquals((byte) 0xcd, elf[code + 20]);
    assertEquals((byte) 0x80, elf[code + 21]);
    int pointer = (elf[code + 11] & 0xff) | (elf[code + 12] & 0xff) << 8 | elf[code + 13] << 16;
    assertEquals(elf.length - 6, pointer - 0x400000);
  }

  @Test
  void initramfsHasInitAndConsole() {
    List<String> entries = list(InitProgram.initramfs(true));
    assertEquals(3, entries.size());
    assertTrue(entries.get(2).startsWith("100755 0:0 init "));
    assertTrue(entries.get(2).contains(InitProgram.MARKER));
    assertArrayEquals(InitProgram.initramfs(true), InitProgram.initramfs(true));
  }
}
