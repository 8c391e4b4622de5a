/**
 * How a kernel gets into the machine: boot protocols, memory map, ACPI tables, relocation, and the
 * small init that proves userspace was reached.
 */
package org.hypergraft.vmm.boot;
