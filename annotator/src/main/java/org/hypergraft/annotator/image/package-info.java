/**
 * Reads guest kernel images: containers, compressed payloads, ELF structure, relocation tail,
 * symbols, type information and notes; and writes changed bzImages back.
 *
 * <p>Everything starts at {@link org.hypergraft.annotator.image.GuestImage#read}. Input is hostile
 * until proven otherwise: whatever is wrong with it comes out as one {@link
 * org.hypergraft.annotator.image.ImageException}.
 */
package org.hypergraft.annotator.image;
