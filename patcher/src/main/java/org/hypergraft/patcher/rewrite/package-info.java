/**
 * Turns a plan into a file: bytes, tables, relocation tail and the note that says what was done,
 * with everything needed to undo it.
 */
package org.hypergraft.patcher.rewrite;
