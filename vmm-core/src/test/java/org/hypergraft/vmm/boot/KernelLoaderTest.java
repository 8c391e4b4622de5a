package org.hypergraft.vmm.boot;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Relocations.Kind;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.mmu.GuestRam;
import org.junit.jupiter.api.Test;

class KernelLoaderTest {
  private static final long OFFSET = 0x2600000;
  private static final long LINK_BASE = 0xffffffff_80000000L;

  private static BootRequest request(GuestImage image, long offset, Optional<BootProtocol> entry) {
    return new BootRequest(image, new byte[] {1, 2, 3}, "a=b", offset, entry, 1);
  }

  @Test
  void pvhPassesMemoryMapModuleAndCommandLine() {
    GuestImage image = Kernels.image("6.1 cloud");
    try (GuestRam ram = new GuestRam(256 << 20)) {
      BootState state = KernelLoader.load(request(image, 0, Optional.empty()), ram);
      assertEquals(BootProtocol.PVH, state.protocol());
      assertEquals(image.notes().pvhEntry().getAsLong(), state.entry());
      long info = state.bootInfo();
      assertEquals(0x336ec578, ram.u32(info));
      assertEquals(1, ram.u32(info + 12));
      long module = ram.u64(info + 16);
      assertEquals(3, ram.u64(module + 8));
      assertArrayEquals(new byte[] {1, 2, 3}, ram.bytes(ram.u64(module), 3));
      assertArrayEquals("a=b\0".getBytes(US_ASCII), ram.bytes(ram.u64(info + 24), 4));
      assertArrayEquals("RSD PTR ".getBytes(US_ASCII), ram.bytes(ram.u64(info + 32), 8));
      long map = ram.u64(info + 40);
      long end = 0;
      long usable = 0;
      for (int i = 0; i < ram.u32(info + 48); i++) {
        long start = ram.u64(map + 24 * i);
        assertTrue(start >= end, "sorted, without overlap");
        end = start + ram.u64(map + 24 * i + 8);
        if (ram.u32(map + 24 * i + 16) == MemoryMap.USABLE) {
          usable += end - start;
          assertTrue(ram.contains(start, end - start));
        }
      }
      assertTrue(usable > 250 << 20);
    }
  }

  @Test
  void linuxProtocolPassesTheImagesOwnHeader() {
    GuestImage image = Kernels.image("6.1 cloud");
    try (GuestRam ram = new GuestRam(256 << 20)) {
      BootState state =
          KernelLoader.load(request(image, 0, Optional.of(BootProtocol.LINUX64)), ram);
      assertEquals(image.elf().entry(), state.entry());
      long page = state.bootInfo();
      assertEquals(0x53726448, ram.u32(page + 0x202));
      assertEquals(0x020f, ram.u16(page + 0x206));
      assertEquals(0x1000000, ram.u64(page + 0x258), "preferred address, from the file");
      assertEquals(3, ram.u32(page + 0x21c));
      assertEquals(MemoryMap.RSDP, ram.u64(page + 0x70));
      // 1 GiB deep into the identity map, through three levels
      long pointers = ram.u64(state.pageTables()) & -4096;
      long directory = ram.u64(pointers + 8) & -4096;
      assertEquals(0x40000000L | 0x83, ram.u64(directory));
    }
  }

  @Test
  void aMovedKernelDiffersExactlyInItsRelocatedFields() {
    GuestImage image = Kernels.image("6.1 cloud");
    try (GuestRam still = new GuestRam(256 << 20);
        GuestRam moved = new GuestRam(256 << 20)) {
      KernelLoader.load(request(image, 0, Optional.of(BootProtocol.LINUX64)), still);
      KernelLoader.load(request(image, OFFSET, Optional.empty()), moved);
      long start = 0x1000000;
      int size = 40 << 20;
      byte[] before = still.bytes(start, size);
      byte[] after = moved.bytes(start + OFFSET, size);
      for (long link : image.relocations().addresses(Kind.ABSOLUTE_64)) {
        long at = link - LINK_BASE;
        assertEquals(still.u64(at) + OFFSET, moved.u64(at + OFFSET));
        forget(before, after, (int) (at - start), 8);
      }
      for (long link : image.relocations().addresses(Kind.ABSOLUTE_32)) {
        long at = link - LINK_BASE;
        assertEquals(still.u32(at) + (int) OFFSET, moved.u32(at + OFFSET));
        forget(before, after, (int) (at - start), 4);
      }
      for (long link : image.relocations().addresses(Kind.INVERSE_32)) {
        long at = link - LINK_BASE;
        assertEquals(still.u32(at) - (int) OFFSET, moved.u32(at + OFFSET));
        forget(before, after, (int) (at - start), 4);
      }
      assertEquals(-1, Arrays.mismatch(before, after), "nothing else changed");
    }
  }

  private static void forget(byte[] a, byte[] b, int at, int length) {
    Arrays.fill(a, at, at + length, (byte) 0);
    Arrays.fill(b, at, at + length, (byte) 0);
  }

  @Test
  void impossibleRequestsAreRefusedWithTheReason() {
    GuestImage image = Kernels.image("6.1 cloud");
    try (GuestRam ram = new GuestRam(256 << 20)) {
      BootRequest pvhMoved = request(image, OFFSET, Optional.of(BootProtocol.PVH));
      assertEquals(
          "a KASLR offset needs the Linux boot protocol, not PVH",
          assertThrows(BootException.class, () -> KernelLoader.load(pvhMoved, ram)).getMessage());
      BootRequest far = request(image, 0x10000000, Optional.empty());
      assertTrue(
          assertThrows(BootException.class, () -> KernelLoader.load(far, ram))
              .getMessage()
              .contains("does not fit into the guest's memory"));
      BootRequest narrow = request(image, 0, Optional.of(BootProtocol.LINUX32));
      assertTrue(
          assertThrows(BootException.class, () -> KernelLoader.load(narrow, ram))
              .getMessage()
              .endsWith("the kernel is 64-bit, so it cannot be entered by protocol linux32"));
    }
    try (GuestRam large = new GuestRam(1200L << 20)) {
      BootRequest beyond = request(image, 0x3f000000, Optional.empty());
      assertEquals(
          "KASLR offset 0x3f000000 puts the kernel's end beyond 0xffffffffc0000000",
          assertThrows(BootException.class, () -> KernelLoader.load(beyond, large)).getMessage());
    }
  }
}
