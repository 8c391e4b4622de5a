package org.hypergraft.annotator.image;

/**
 * One ELF section header (gABI chapter 4), checked: when {@link #hasBytes}, {@code [offset,
 * offset+size)} lies inside the payload.
 *
 * @param name section name, such as {@code .text}
 * @param type sh_type
 * @param flags sh_flags
 * @param address link address, 0 when not loaded (and for pre-6.15 per-CPU data)
 * @param offset payload offset of the bytes
 * @param size bytes in memory
 * @param link sh_link
 * @param info sh_info
 * @param entrySize sh_entsize
 */
public record Section(
    String name,
    int type,
    long flags,
    long address,
    int offset,
    long size,
    int link,
    int info,
    long entrySize) {
  static final int SHT_SYMTAB = 2;
  static final int SHT_NOTE = 7;
  static final int SHT_NOBITS = 8;
  private static final int SHF_WRITE = 1;
  private static final int SHF_ALLOC = 2;
  private static final int SHF_EXECINSTR = 4;

  /** Whether the section is part of the running kernel's memory. */
  public boolean allocated() {
    return (flags & SHF_ALLOC) != 0;
  }

  /** Whether it is marked executable; note that some kernels mark .data so (7.2). */
  public boolean executable() {
    return (flags & SHF_EXECINSTR) != 0;
  }

  public boolean writable() {
    return (flags & SHF_WRITE) != 0;
  }

  /** Whether the file holds its bytes: not for .bss and its like. */
  public boolean hasBytes() {
    return type != SHT_NOBITS && type != 0;
  }

  /** First address after the section. */
  public long end() {
    return address + size;
  }

  /** Whether the link address lies in this section. */
  public boolean contains(long linkAddress) {
    return Long.compareUnsigned(linkAddress - address, size) < 0;
  }
}
