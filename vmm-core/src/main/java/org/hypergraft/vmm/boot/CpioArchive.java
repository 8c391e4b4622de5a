package org.hypergraft.vmm.boot;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;

/**
 * Builds a "newc" cpio archive, the format of an initramfs (Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst). Owners are root, times are zero:
 * equal contents give equal bytes.
 */
public final class CpioArchive {
  private static final int DIRECTORY = 0040000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int REGULAR = 0100000;
  private static final String TRAILER = "TRAILER!!!";

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Set<String> names = new LinkedHashSet<>();
  private int inode;

  /** Adds a directory. Its parent must have been added, as the kernel unpacks in order. */
  public CpioArchive directory(String path, int mode) {
    entry(path, DIRECTORY | mode, 0, 0, new byte[0]);
    return this;
  }

  /** Adds a regular file. */
  public CpioArchive file(String path, int mode, byte[] content) {
    entry(path, REGULAR | mode, 0, 0, content);
    return this;
  }

  /** Adds a character device node. */
  public CpioArchive characterDevice(String path, int mode, int major, int minor) {
    entry(path, CHARACTER_DEVICE | mode, major, minor, new byte[0]);
    return this;
  }

  /** The finished archive, padded to 512 bytes. */
  public byte[] toBytes() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(out.toByteArray());
    header(all, TRAILER, 0, 0, 1, 0, 0, 0);
    pad(all, 512);
    return all.toByteArray();
  }

  private void entry(String path, int mode, int major, int minor, byte[] content) {
    int slash = path.lastIndexOf('/');
    if (path.isEmpty() || slash == 0 || path.equals(TRAILER)) {
      throw new IllegalArgumentException("not a relative path: '" + path + "'");
    }
    if (slash > 0 && !names.contains(path.substring(0, slash))) {
      throw new IllegalArgumentException(path + ": its directory is not in the archive");
    }
    if (!names.add(path)) {
      throw new IllegalArgumentException(path + " is already in the archive");
    }
    header(out, path, ++inode, mode, 1, content.length, major, minor);
    out.writeBytes(content);
    pad(out, 4);
  }

  private static void header(
      ByteArrayOutputStream to,
      String name,
      int inode,
      int mode,
      int links,
      int size,
      int major,
      int minor) {
    byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
    // magic, then: inode, mode, uid, gid, links, mtime, size, device major and minor, node major
    // and minor, name size with its NUL, checksum (unused)
    int[] fields = {inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, nameBytes.length + 1, 0};
    StringBuilder s = new StringBuilder("070701");
    for (int field : fields) {
      s.append(String.format(Locale.ROOT, "%08x", field));
    }
    to.writeBytes(s.toString().getBytes(StandardCharsets.US_ASCII));
    to.writeBytes(nameBytes);
    to.write(0);
    pad(to, 4);
  }

  private static void pad(ByteArrayOutputStream to, int multiple) {
    while (to.size() % multiple != 0) {
      to.write(0);
    }
  }
}
