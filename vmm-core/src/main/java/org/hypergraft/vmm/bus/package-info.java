/** The wires: interfaces between processor, devices and machine. Imports nothing of the project. */
package org.hypergraft.vmm.bus;
