/** Finds distribution kernels on this machine, and fetches Debian's when asked to. */
package org.hypergraft.annotator.kernels;
