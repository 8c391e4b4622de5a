package org.hypergraft.vmm.machine;

import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Segment;
import org.hypergraft.vmm.boot.KernelLoader;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Finds where a kernel lies that the guest unpacked, and perhaps moved at random, by itself: its
 * physical place by its text, its virtual one by where the processor is or would enter it.
 */
final class KernelFinder {
  private static final int SAMPLES = 64;
  private static final int SAMPLE = 64;

  /** Patching and relocation change some of a kernel's text, but never this much: one half. */
  private static final int NEEDED = SAMPLES * SAMPLE / 2;

  private final GuestImage image;
  private final GuestRam ram;
  private final Cpu cpu;

  KernelFinder(GuestImage image, GuestRam ram, Cpu cpu) {
    this.image = image;
    this.ram = ram;
    this.cpu = cpu;
  }

  /**
   * The place, or {@code assumed} when the kernel is not (yet) in memory.
   *
   * @param assumed the place by the image's own addresses
   */
  KernelPlace find(KernelPlace assumed) {
    Segment text =
        image.elf().segments().stream()
            .filter(s -> s.loaded() && s.executable() && s.fileSize() > 0)
            .findFirst()
            .orElse(null);
    if (text == null) {
      return assumed;
    }
    long at = physical(text);
    if (at == -1) {
      return assumed;
    }
    long physicalSlide = at - text.physicalAddress();
    long virtualSlide = virtualSlide(text, at, physicalSlide);
    return new KernelPlace(image, virtualSlide, assumed.linkBase() + virtualSlide - physicalSlide);
  }

  /** Where the text segment is, or -1. */
  private long physical(Segment text) {
    long step = KernelLoader.KASLR_ALIGNMENT;
    long best = -1;
    int most = NEEDED;
    for (long at = text.physicalAddress() % step; ram.contains(at, text.fileSize()); at += step) {
      int alike = alike(text, at);
      if (alike > most) {
        most = alike;
        best = at;
      }
    }
    return best;
  }

  /** Bytes that agree in samples spread over the segment. */
  private int alike(Segment text, long at) {
    long distance = Math.max(SAMPLE, text.fileSize() / SAMPLES);
    byte[] file = image.payload();
    int alike = 0;
    for (int i = 0; i < SAMPLES && (i * distance + SAMPLE) <= text.fileSize(); i++) {
      int offset = (int) (i * distance);
      for (int j = 0; j < SAMPLE; j++) {
        if (ram.u8(at + offset + j) == (file[text.offset() + offset + j] & 0xff)) {
          alike++;
        }
      }
    }
    return alike;
  }

  /** Before the kernel's own page tables are in use nothing tells, and it equals the physical. */
  private long virtualSlide(Segment text, long at, long physicalSlide) {
    for (long known : new long[] {cpu.rip, cpu.lstar, cpu.sysenterEip}) {
      long gpa = cpu.mmu.translate(known);
      if (known != gpa && gpa >= at && gpa < at + text.memorySize()) {
        return known - (text.virtualAddress() + gpa - at);
      }
    }
    return physicalSlide;
  }
}
