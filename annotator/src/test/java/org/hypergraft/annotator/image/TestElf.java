package org.hypergraft.annotator.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Builds small kernel-like ELF files and bzImages. */
final class TestElf {
  static final long TEXT = 0xffffffff81000000L;
  static final int PAGE = 0x1000;

  private static final int HEADER_ROOM = 0x200;

  private final boolean wide;
  private final long base;
  private final List<Section> sections = new ArrayList<>();
  private final ByteArrayOutputStream contents = new ByteArrayOutputStream();

  private TestElf(boolean wide, long base) {
    this.wide = wide;
    this.base = base;
    contents.writeBytes(new byte[HEADER_ROOM]);
  }

  /** An x86-64 kernel linked at {@link #TEXT}. */
  static TestElf elf64() {
    return new TestElf(true, TEXT);
  }

  static TestElf elf32() {
    return new TestElf(false, 0xc1000000L);
  }

  /** A small ELF of either class with text, data and a build id. */
  static byte[] small(boolean wide) {
    TestElf elf = wide ? elf64() : elf32();
    return elf.section(".text", 1, 6, words(7, 6000))
        .section(
            ".rodata",
            1,
            2,
            "Linux version 9.8.7 (test) #1\n\0".getBytes(StandardCharsets.US_ASCII))
        .section(".notes", 7, 2, note("GNU", 3, new byte[] {1, 2, 3, 4}))
        .build();
  }

  long addressOfNext() {
    return base + align(contents.size(), 16);
  }

  /** Adds a section whose address is the load base plus its file offset. */
  TestElf section(String name, int type, long flags, byte[] bytes) {
    return section(name, type, flags, bytes, 0, 0, 0);
  }

  TestElf section(
      String name, int type, long flags, byte[] bytes, int link, int info, int entrySize) {
    contents.writeBytes(new byte[align(contents.size(), 16) - contents.size()]);
    long address = (flags & 2) != 0 ? base + contents.size() : 0;
    sections.add(
        new Section(
            name, type, flags, address, contents.size(), bytes.length, link, info, entrySize));
    contents.writeBytes(bytes);
    return this;
  }

  byte[] build() {
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    names.write(0);
    List<Integer> nameAt = new ArrayList<>();
    for (Section s : sections) {
      nameAt.add(names.size());
      names.writeBytes(s.name().getBytes(StandardCharsets.US_ASCII));
      names.write(0);
    }
    int loaded = contents.size();
    int ownName = names.size();
    names.writeBytes(".shstrtab\0".getBytes(StandardCharsets.US_ASCII));
    int table = align(loaded + names.size(), 16);
    int stride = wide ? 64 : 40;
    int count = sections.size() + 2;
    ByteBuffer out = ByteBuffer.allocate(table + stride * count).order(ByteOrder.LITTLE_ENDIAN);
    out.put(contents.toByteArray()).put(names.toByteArray());
    header(out, table, count);
    for (int i = 0; i < sections.size(); i++) {
      sectionHeader(out, table + stride * (i + 1), nameAt.get(i), sections.get(i));
    }
    sectionHeader(
        out,
        table + stride * (count - 1),
        ownName,
        new Section("", 3, 0, 0, loaded, names.size(), 0, 0, 0));
    return out.array();
  }

  private void header(ByteBuffer out, int table, int count) {
    out.put(0, new byte[] {0x7f, 'E', 'L', 'F', (byte) (wide ? 2 : 1), 1, 1});
    out.putShort(16, (short) 2).putShort(18, (short) (wide ? 62 : 3)).putInt(20, 1);
    if (wide) {
      out.putLong(24, 0x1000000).putLong(32, 64).putLong(40, table);
      out.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) 1);
      out.putShort(58, (short) 64).putShort(60, (short) count).putShort(62, (short) (count - 1));
      out.putInt(64, 1).putInt(68, 5).putLong(72, 0).putLong(80, base).putLong(88, 0x1000000);
      out.putLong(96, contents.size()).putLong(104, contents.size() + 64).putLong(112, PAGE);
    } else {
      out.putInt(24, 0x1000000).putInt(28, 52).putInt(32, table);
      out.putShort(40, (short) 52).putShort(42, (short) 32).putShort(44, (short) 1);
      out.putShort(46, (short) 40).putShort(48, (short) count).putShort(50, (short) (count - 1));
      out.putInt(52, 1).putInt(56, 0).putInt(60, (int) base).putInt(64, 0x1000000);
      out.putInt(68, contents.size()).putInt(72, contents.size() + 64).putInt(76, 5);
      out.putInt(80, PAGE);
    }
  }

  private void sectionHeader(ByteBuffer out, int at, int name, Section s) {
    out.putInt(at, name).putInt(at + 4, s.type());
    if (wide) {
      out.putLong(at + 8, s.flags()).putLong(at + 16, s.address()).putLong(at + 24, s.offset());
      out.putLong(at + 32, s.size()).putInt(at + 40, s.link()).putInt(at + 44, s.info());
      out.putLong(at + 48, 1).putLong(at + 56, s.entrySize());
    } else {
      out.putInt(at + 8, (int) s.flags()).putInt(at + 12, (int) s.address());
      out.putInt(at + 16, s.offset()).putInt(at + 20, (int) s.size()).putInt(at + 24, s.link());
      out.putInt(at + 28, s.info()).putInt(at + 32, 1).putInt(at + 36, (int) s.entrySize());
    }
  }

  static byte[] note(String owner, int type, byte[] body) {
    int name = owner.length() + 1;
    ByteBuffer out =
        ByteBuffer.allocate(12 + align(name, 4) + align(body.length, 4))
            .order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(name).putInt(body.length).putInt(type);
    out.put(owner.getBytes(StandardCharsets.US_ASCII));
    out.position(12 + align(name, 4));
    out.put(body);
    return out.array();
  }

  /** Appends a relocation tail: each run is led by a zero word. */
  static byte[] withTail(byte[] elf, int[]... runs) {
    int words = 0;
    for (int[] run : runs) {
      words += 1 + run.length;
    }
    ByteBuffer out = ByteBuffer.allocate(elf.length + 4 * words).order(ByteOrder.LITTLE_ENDIAN);
    out.put(elf);
    for (int[] run : runs) {
      out.putInt(0);
      for (int entry : run) {
        out.putInt(entry);
      }
    }
    return out.array();
  }

  /** A bzImage of protocol 2.15 around a compressed stream; appends the size word when given. */
  static byte[] bzImage(byte[] stream, int sizeWord) {
    int payload = 1024 + 0x40;
    int length = stream.length + (sizeWord < 0 ? 0 : 4);
    int total = align(payload + length + 96, 16);
    ByteBuffer out = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    out.put(0x1f1, (byte) 1).putInt(0x1f4, (total - 1024) / 16).putShort(0x1fe, (short) 0xaa55);
    out.putInt(0x202, 0x53726448).putShort(0x206, (short) 0x020f).putShort(0x20e, (short) 0x100);
    out.putInt(0x248, 0x40).putInt(0x24c, length).putInt(0x260, 0x400000);
    out.put(0x300, "9.8.7-test (builder) #1".getBytes(StandardCharsets.US_ASCII));
    out.put(payload, stream);
    if (sizeWord >= 0) {
      out.putInt(payload + stream.length, sizeWord);
    }
    // What mkpiggy leaves in the boot stub: input_len, output_len.
    int stub = payload + length + 32;
    out.putInt(stub, length).putInt(stub + 4, out.getInt(payload + length - 4));
    return out.array();
  }

  /**
   * Text with repeats at many distances, for compressors: words, copies of what came before, zeros
   * and single bytes, by a linear congruential generator (so that other languages can rebuild it).
   */
  static byte[] words(int seed, int size) {
    byte[][] dictionary = new byte[16][];
    for (int i = 0; i < 16; i++) {
      dictionary[i] = ("word" + i * i * 7 + "/").getBytes(StandardCharsets.US_ASCII);
    }
    byte[] out = new byte[size + 512];
    int n = 0;
    long x = seed;
    while (n < size) {
      x = (x * 1103515245 + 12345) & 0x7fffffff;
      int pick = (int) (x >> 16) % 7;
      if (pick < 4) {
        byte[] word = dictionary[(int) (x >> 20) & 15];
        System.arraycopy(word, 0, out, n, word.length);
        n += word.length;
      } else if (pick == 4 && n > 0) {
        int back = 1 + (int) (x >> 8) % Math.min(n, 60000);
        int length = 3 + (int) (x >> 20) % 90;
        for (int k = 0; k < length; k++, n++) {
          out[n] = out[n - back];
        }
      } else if (pick == 5) {
        n += (int) (x >> 16) % 300;
      } else {
        out[n++] = (byte) (x >> 16);
      }
    }
    return java.util.Arrays.copyOf(out, size);
  }

  private static int align(int n, int to) {
    return n + to - 1 & -to;
  }
}
