package org.hypergraft.patcher.cli;

/** What a patched image is written as. */
enum OutputFormat {
  /** The bare ELF with its relocation tail. */
  VMLINUX,
  /** The container that the input came in, recompressed. */
  BZIMAGE
}
