/**
 * Static proof of a patched image, from the file alone: its undo log gives the original, its note
 * the options. The checks do not use the planner, but for the one that plans again and compares.
 */
package org.hypergraft.patcher.verify;
