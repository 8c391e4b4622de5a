package org.hypergraft.vmm.boot;

import java.util.Optional;
import org.hypergraft.annotator.image.GuestImage;

/**
 * What to boot and how.
 *
 * @param initrd initramfs bytes, empty for none
 * @param kaslrOffset bytes that the kernel is moved up by, physically and virtually
 * @param protocol the entry to use; when empty PVH, or Linux's own if there is none or the kernel
 *     is moved
 * @param cpus processors that the tables list
 */
public record BootRequest(
    GuestImage image,
    byte[] initrd,
    String commandLine,
    long kaslrOffset,
    Optional<BootProtocol> protocol,
    int cpus) {}
