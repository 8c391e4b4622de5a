/**
 * Architectural state of one virtual CPU, and the interfaces through which it meets its machine.
 */
package org.hypergraft.vmm.cpu;
