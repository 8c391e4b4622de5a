/**
 * The whole machine: processor, memory and devices put together, run from a kernel's entry to
 * power-off, and a report of what happened.
 */
package org.hypergraft.vmm.machine;
