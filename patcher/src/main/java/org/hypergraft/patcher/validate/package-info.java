/** The proof: what the kernel made of itself against the patched file, and two boots compared. */
package org.hypergraft.patcher.validate;
