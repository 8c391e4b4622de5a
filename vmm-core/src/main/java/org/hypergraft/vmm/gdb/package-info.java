/**
 * A stub of the GDB remote serial protocol: real gdb attaches to a guest, steps it, and sees its
 * registers and memory. Protocol: GDB manual, appendix E, "GDB Remote Serial Protocol".
 */
package org.hypergraft.vmm.gdb;
